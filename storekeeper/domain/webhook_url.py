"""URLs of webhooks: which are valid, and which addresses may be reached (SSRF).

A user who adds a URL makes this server call it, so it must not lead to addresses that only this server can reach:
itself, its machine, its network. A name can resolve to another address each time. So the address of each connection is
checked, right before connecting to it.
"""

import re
import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

from storekeeper.errors import Invalid

LENGTH = 2000
NAMED = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
PATTERN = rf"https?://(?:{NAMED}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?(?:[/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?"
PARTS = re.compile(r"(https?)://(\[[^]]+\]|[^:/?]+)(?::([0-9]+))?(.*)")

PORTS = (80, 443, 8080, 8443)

# IANA's registries of special-purpose addresses, as of 2025-10 (RFC 6890), without regard to what they call globally
# reachable: there are no receivers in any of these. Python's own tables are as old as it is. And multicast (RFC 5771).
SPECIAL_IPV4 = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
    192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
    203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
"""
# Within what is given out for single hosts (RFC 4291): Teredo with all of 2001::/23, documentation, 6to4, AS112.
SPECIAL_IPV6 = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20"
UNICAST = ip_network("2000::/3")
SPECIAL = [ip_network(each) for each in (*SPECIAL_IPV4.split(), *SPECIAL_IPV6.split())]
NAT64 = ip_network("64:ff9b::/96")
ALLOWED = re.compile(r"(\[[^\]/]+\]|[^\[\]/:]+|[^\[\]/]+(?=/|$))(/[0-9]+)?(?::([0-9]{1,5}))?")


class WebhookUrl(msgspec.Struct, frozen=True):
    """The parts of a URL. `authority` is the host with its port as in the URL, `target` the path with its query."""

    is_tls: bool
    host: str
    port: int
    authority: str
    target: str

    @property
    def place(self) -> tuple[str, int]:
        """The host and the port, normalised: equal for all spellings of a URL."""
        return host_key(self.host), self.port


class Allowed(msgspec.Struct, frozen=True):
    """An allowed network in addition to the public addresses, with one port or all."""

    network: IPv4Network | IPv6Network
    port: int | None

    def admits(self, ip: IPv4Address | IPv6Address, port: int) -> bool:
        return ip in self.network and self.admits_port(port)

    def admits_port(self, port: int) -> bool:
        return self.port in (None, port)


def read_allowed(text: str) -> Allowed:
    """Parse `10.0.0.0/8`, `10.0.0.0/8:9000`, `10.0.0.1:9000` or `[fd00::1]:9000`. Raises ValueError for other texts."""
    found = ALLOWED.fullmatch(text)
    port = int(found[3]) if found and found[3] else None
    if found is None or (port is not None and not 0 < port < 65536):
        raise ValueError("a network is written like 10.0.0.0/8, or with a port like 10.0.0.0/8:9000")
    return Allowed(ip_network(found[1].strip("[]") + (found[2] or ""), strict=False), port)


def is_own_address(ip: IPv4Address | IPv6Address) -> bool:
    """Whether the address is this machine's: the system would then send to it from that address. Sends nothing."""
    with socket.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(ip), 9))
        except OSError:  # it cannot be reached at all
            return False
        return ip_address(probe.getsockname()[0]) == ip


class AllowedNetworks:
    """The public addresses of other machines at the usual ports, and the networks that the operator allows."""

    def __init__(
        self,
        allowed: Iterable[str] = (),
        is_own: Callable[[IPv4Address | IPv6Address], bool] = is_own_address,
    ) -> None:
        self._allowed = [read_allowed(each) for each in allowed]
        self._is_own = is_own

    def allows(self, address: str, port: int) -> bool:
        ip = effective_address(address)
        if any(each.admits(ip, port) for each in self._allowed):
            return True
        return port in PORTS and _is_public(ip) and not self._is_own(ip)

    def check(self, to: WebhookUrl) -> None:
        """Raises Invalid for a URL that may not be reached, as far as this is known before its name is resolved."""
        if to.port not in PORTS and not any(each.admits_port(to.port) for each in self._allowed):
            raise Invalid("url_port_refused", field="url")
        try:
            is_good = self.allows(to.host, to.port)
        except ValueError:
            return
        if not is_good:
            raise Invalid("url_address_refused", field="url")


def read(url: str) -> WebhookUrl:
    """The parts of a URL. Raises Invalid, and never repeats the URL, which may contain secrets."""
    if len(url) > LENGTH or not re.fullmatch(PATTERN, url):
        raise Invalid("url_unreadable", field="url")
    found = PARTS.fullmatch(url)
    assert found
    scheme, host, port, rest = found.groups()
    number = int(port or (443 if scheme == "https" else 80))
    if not 0 < number < 65536 or (host.startswith("[") and not _is_address(host[1:-1])):
        raise Invalid("url_host_invalid", field="url")
    authority = f"{host}:{port}" if port else host
    return WebhookUrl(
        scheme == "https", host.strip("[]"), number, authority, rest if rest.startswith("/") else f"/{rest}"
    )


def host_key(host: str) -> str:
    """A host in one spelling: 127.1 becomes 127.0.0.1, and names lose capitals and a final dot."""
    if ":" in host:
        return str(effective_address(host))
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return host.lower().rstrip(".")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def effective_address(address: str) -> IPv4Address | IPv6Address:
    """The address that packets to this one reach: some IPv6 addresses stand for an IPv4 address."""
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return ip
    return ip.ipv4_mapped or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else ip)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    return (ip.version == 4 or ip in UNICAST) and not any(ip in each for each in SPECIAL)
