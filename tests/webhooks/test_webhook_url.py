"""Where messages may go: which URLs can be meant, and which addresses are reached."""

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import product
from random import Random

import pytest

from storekeeper.domain import webhook_url
from storekeeper.domain.webhook_url import SPECIAL_IPV4, SPECIAL_IPV6, AllowedNetworks, WebhookUrl
from storekeeper.errors import Invalid

OTHERS = AllowedNetworks(is_own=lambda _: False)  # no address of this machine
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
OURS = """
    127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 0.1.2.3
    224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a00:1
    64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254
    fe80::1 fe80::1%1 fec0::1 ff02::1 ff0e::1
"""
REFUSED = """
    ftp://shop.example file:///etc/passwd gopher://shop.example shop.example //shop.example http:// https:///path
    http://alice@shop.example http://alice:secret@shop.example http://shop.example\\@10.0.0.1 http://shop.example#secret
    http://shop.example:0 http://shop.example:65536 http://shop.example:http http://[::1 http://[secret]/ http://[::1]x/
    http://münchen.example http://shop.example/ü http://-shop.example http://shop.example:80:80 http://shop.example/\x00
    http://[fe80::1%25eth0]/ http://10.0.0.1%2f@shop.example HTTP://shop.example
"""
ODD = ["http://shop.example/a b", "http://shop.example/\n", " http://shop.example", "http://a/" + "a" * 2000, ""]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_reached_at_the_usual_ports(address: str) -> None:
    admitted = [port for port in range(65536) if OTHERS.allows(address, port)] if address == PUBLIC[0] else []
    assert admitted in ([], [80, 443, 8080, 8443])
    assert OTHERS.allows(address, 443)


@pytest.mark.parametrize("address", OURS.split())
def test_any_other_may_not(address: str) -> None:
    assert not OTHERS.allows(address, 443)


def test_python_knows_no_special_address_that_we_do_not() -> None:
    """Ours has more: Python's own table is as old as it is."""
    random = Random(1)
    texts = [str(IPv4Address(random.getrandbits(32))) for _ in range(20_000)]
    texts += [str(IPv6Address(random.getrandbits(125) | 1 << 125)) for _ in range(20_000)]
    edges = [ip_network(each) for each in (*SPECIAL_IPV4.split(), *SPECIAL_IPV6.split())]
    texts += [str(each[index]) for each in edges for index in (0, -1)]
    wrong = [each for each in texts if OTHERS.allows(each, 443) and not ip_address(each).is_global]
    assert wrong == []


@pytest.mark.parametrize("address", ["192.0.0.8", "192.0.0.171", "192.31.196.1", "2620:4f:8000::1", "2001:1::1"])
def test_what_older_pythons_take_for_public_is_special(address: str) -> None:
    assert not OTHERS.allows(address, 443)


def test_what_the_operator_allows_may_be_reached_and_nothing_beside() -> None:
    networks = AllowedNetworks(["10.1.0.0/16", "127.0.0.2", "fd00::/8"])
    reached = ["10.1.2.3", "127.0.0.2", "fd00::1", "::ffff:10.1.2.3"]
    assert [each for each in reached for port in (1, 443, 65535) if not networks.allows(each, port)] == []
    beside = ("10.2.0.1", "127.0.0.1", "fe80::1", "::ffff:10.2.0.1")
    assert [each for each in beside if networks.allows(each, 443)] == []


def test_what_the_operator_allows_may_have_a_port() -> None:
    networks = AllowedNetworks(["10.1.0.0/16:9000", "10.1.2.3:9001", "[fd00::1]:9002", "fd01::/16:9003"])
    may = {("10.1.2.3", 9000), ("10.1.2.3", 9001), ("fd00::1", 9002), ("fd01::5", 9003)}
    for address, port in product(("10.1.2.3", "10.2.0.1", "fd00::1", "fd01::5"), (443, *range(9000, 9004))):
        assert networks.allows(address, port) == ((address, port) in may), (address, port)


@pytest.mark.parametrize(
    "text", ["10.0.0.0/33", "10.0.0.0/8:0", "10.0.0.0/8:65536", "shop.example", "fd00::/8:x", "[", ""]
)
def test_what_is_no_network_cannot_be_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        webhook_url.read_allowed(text)


def test_an_address_of_this_machine_may_not_be_reached_unless_that_is_allowed() -> None:
    own = IPv4Address("93.184.216.34")
    assert not AllowedNetworks(is_own=lambda ip: ip == own).allows("93.184.216.34", 443)
    assert AllowedNetworks(is_own=lambda ip: ip == own).allows("93.184.216.35", 443)
    assert AllowedNetworks(["93.184.216.34"], lambda ip: ip == own).allows("93.184.216.34", 443)


def test_this_machine_knows_its_addresses() -> None:
    assert webhook_url.is_own_address(IPv4Address("127.0.0.1"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):  # there may be no network
        probe.connect(("192.0.2.1", 9))
        assert webhook_url.is_own_address(IPv4Address(probe.getsockname()[0]))
    assert not webhook_url.is_own_address(IPv4Address("192.0.2.1"))


@pytest.mark.parametrize(
    ("hosts", "key"),
    [
        (["127.0.0.1", "127.1", "2130706433", "0x7f.1", "::ffff:127.0.0.1"], "127.0.0.1"),
        (["shop.example", "SHOP.Example."], "shop.example"),
        (["2606:4700::1", "2606:4700:0:0::1"], "2606:4700::1"),
    ],
)
def test_a_host_is_the_same_however_it_is_written(hosts: list[str], key: str) -> None:
    assert {webhook_url.host_key(each) for each in hosts} == {key}


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("http://shop.example", WebhookUrl(False, "shop.example", 80, "shop.example", "/")),
        ("https://shop.example/a/b?c=d%20e", WebhookUrl(True, "shop.example", 443, "shop.example", "/a/b?c=d%20e")),
        ("https://shop.example:8443?x", WebhookUrl(True, "shop.example", 8443, "shop.example:8443", "/?x")),
        ("http://[2001:db8::1]:81/", WebhookUrl(False, "2001:db8::1", 81, "[2001:db8::1]:81", "/")),
        ("http://a/user@example", WebhookUrl(False, "a", 80, "a", "/user@example")),
    ],
)
def test_a_url_is_taken_apart(url: str, read: WebhookUrl) -> None:
    assert webhook_url.read(url) == read


@pytest.mark.parametrize("url", REFUSED.split() + ODD)
def test_what_is_no_such_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        webhook_url.read(url)
    assert caught.value.fields[0].field == "url"
    assert "secret" not in str(caught.value)


def test_an_address_in_a_url_is_looked_at_when_it_is_read() -> None:
    for url in ("http://127.0.0.1/", "http://[::1]:8080/", "http://169.254.169.254/latest"):
        with pytest.raises(Invalid):
            AllowedNetworks().check(webhook_url.read(url))
    AllowedNetworks(["127.0.0.0/8"]).check(webhook_url.read("http://127.0.0.1/"))
    AllowedNetworks().check(webhook_url.read("http://localhost/"))  # a name is looked up when it is used


def test_a_port_in_a_url_is_looked_at_when_it_is_read() -> None:
    for url in ("http://shop.example:22/", "https://shop.example:9000/", "http://93.184.216.34:25/"):
        with pytest.raises(Invalid, match="port"):
            OTHERS.check(webhook_url.read(url))
    for port in (80, 443, 8080, 8443):
        OTHERS.check(webhook_url.read(f"http://shop.example:{port}/"))
    AllowedNetworks(["10.0.0.0/8:9000"]).check(webhook_url.read("http://shop.example:9000/"))
    with pytest.raises(Invalid, match="address"):
        AllowedNetworks(["10.0.0.0/8:9000"]).check(webhook_url.read("http://93.184.216.34:9000/"))
