"""Where messages to others go: URLs that can be meant, and addresses that may be reached.

Whoever names a URL makes this server call it, so it must not lead to what only this server can reach: itself, its
machine, its network. A name may lead to another address each time it is looked up. So what counts is the address that
is connected to, and it is checked then.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import msgspec

from storekeeper.errors import Invalid

LENGTH = 2000
NAMED = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
PATTERN = rf"https?://(?:{NAMED}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?(?:[/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?"
PARTS = re.compile(r"(https?)://(\[[^]]+\]|[^:/?]+)(?::([0-9]+))?(.*)")

# What Python takes for public, but is not meant for single hosts, or leads on to an address that is not seen.
UNICAST = ip_network("2000::/3")
NEVER = [ip_network(each) for each in ("2001::/23", "2002::/16", "3fff::/20", "192.88.99.0/24")]
NAT64 = ip_network("64:ff9b::/96")


class Endpoint(msgspec.Struct, frozen=True):
    """A URL's parts. `authority` is the host with its port as the URL has them, `target` the path with its query."""

    is_tls: bool
    host: str
    port: int
    authority: str
    target: str


class Networks:
    """The public addresses, and those that an operator allows beside them."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = [ip_network(each, strict=False) for each in allowed]

    def admit(self, address: str) -> bool:
        ip = _meant(address)
        return any(ip in each for each in self._allowed) or _is_public(ip)

    def check(self, to: Endpoint) -> None:
        """Invalid for a URL that names an address that may not be reached. A name is looked up when it is used."""
        try:
            is_good = self.admit(to.host)
        except ValueError:
            return
        if not is_good:
            raise Invalid("This address may not be reached from here.", "url")


def read(url: str) -> Endpoint:
    """The parts of a URL. Its text may hold secrets: no message repeats it."""
    if len(url) > LENGTH or not re.fullmatch(PATTERN, url):
        raise Invalid(
            "A URL is written like https://shop.example/hook, without a user, a password or a fragment.", "url"
        )
    found = PARTS.fullmatch(url)
    assert found
    scheme, host, port, rest = found.groups()
    number = int(port or (443 if scheme == "https" else 80))
    if not 0 < number < 65536 or (host.startswith("[") and not _is_address(host[1:-1])):
        raise Invalid("This URL has no such host or port as there can be.", "url")
    authority = f"{host}:{port}" if port else host
    return Endpoint(
        scheme == "https", host.strip("[]"), number, authority, rest if rest.startswith("/") else f"/{rest}"
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _meant(address: str) -> IPv4Address | IPv6Address:
    """The address that packets to this one come to: some of IPv6 stand for one of IPv4."""
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return ip
    return ip.ipv4_mapped or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else ip)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    is_odd = ip.is_multicast or any(ip in each for each in NEVER) or (ip.version == 6 and ip not in UNICAST)
    return ip.is_global and not is_odd
