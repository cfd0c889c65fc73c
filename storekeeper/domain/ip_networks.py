"""The networks that contain an address, and each network's share of a limit."""

import ipaddress
from functools import lru_cache
from typing import NamedTuple

# By the length of a network's prefix: how much more than a single sender it is allowed. An IPv6 customer has a /64, a
# household often a /56 and a company a /48. Behind one IPv4 address, too, there may be many, as carriers share them.
SHARES = {4: {24: 10, 32: 1}, 6: {48: 10, 56: 3, 64: 1}}
MAX_NETWORKS = max(map(len, SHARES.values()))  # that an address is in
CACHE_SIZE = 1024  # addresses: a login asks for the networks of one six times, and each takes 20 µs to find


class Network(NamedTuple):
    """`share` is the multiple of a single sender's limit that the network has: 10 for an IPv4 /24."""

    name: str
    share: int


@lru_cache(maxsize=CACHE_SIZE)
def networks(address: str) -> tuple[Network, ...]:
    """The networks that contain the address, widest first. A text that is not an address yields one, `unknown`."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return (Network("unknown", 1),)
    # A socket for both spells 192.0.2.1 as ::ffff:192.0.2.1: all of IPv4 would be one customer.
    ip = (isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped) or parsed
    return tuple(
        Network(str(ipaddress.ip_network((ip, length), strict=False)).removesuffix("/32"), share)
        for length, share in SHARES[ip.version].items()
    )
