"""Whether this node matches the others: it has their signing keys, and shares their storage."""

from collections.abc import Container, Sequence

import msgspec

from storekeeper.security import signing_keys
from storekeeper.security.signing_keys import Scheduled

ACCEPT = "`storekeeper accept-node` here says that this one's are right"


class Mismatch(msgspec.Struct, frozen=True):
    """`is_urgent` if this node already refuses tokens of the others."""

    reason: str
    is_urgent: bool


def find_key_mismatch(known: Sequence[Scheduled], fingerprints: Container[str]) -> Mismatch | None:
    """Compare the fingerprints of this node's keys with those in the database. None if they match."""
    if not known:
        return None
    signing = signing_keys.find_signing(known)
    for each in known[known.index(signing) :]:
        if each.fingerprint not in fingerprints:
            verb = "signs" if each == signing else "is about to sign"
            reason = f"The key file lacks the key {each.kid}, which {verb} at the other nodes: copy it from there, or "
            return Mismatch(reason + f"{ACCEPT}.", each == signing)
    return None


def find_storage_mismatch(known: str | None, own: str | None) -> Mismatch | None:
    if known is None or known == own:
        return None
    reason = "The files of this node are kept elsewhere than those of the others: share the folder, or "
    return Mismatch(reason + f"{ACCEPT}.", is_urgent=True)
