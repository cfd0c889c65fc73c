"""Where messages may go: which URLs can be meant, and which addresses are reached."""

import pytest

from storekeeper import endpoint
from storekeeper.endpoint import Endpoint, Networks
from storekeeper.errors import Invalid

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
def test_a_public_address_may_be_reached(address: str) -> None:
    assert Networks().admit(address)


@pytest.mark.parametrize("address", OURS.split())
def test_any_other_may_not(address: str) -> None:
    assert not Networks().admit(address)


def test_what_the_operator_allows_may_be_reached_and_nothing_beside() -> None:
    networks = Networks(["10.1.0.0/16", "127.0.0.2", "fd00::/8"])
    reached = ["10.1.2.3", "127.0.0.2", "fd00::1", "::ffff:10.1.2.3", "8.8.8.8"]
    assert [each for each in reached if not networks.admit(each)] == []
    assert [each for each in ("10.2.0.1", "127.0.0.1", "fe80::1", "::ffff:10.2.0.1") if networks.admit(each)] == []


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("http://shop.example", Endpoint(False, "shop.example", 80, "shop.example", "/")),
        ("https://shop.example/a/b?c=d%20e", Endpoint(True, "shop.example", 443, "shop.example", "/a/b?c=d%20e")),
        ("https://shop.example:8443?x", Endpoint(True, "shop.example", 8443, "shop.example:8443", "/?x")),
        ("http://[2001:db8::1]:81/", Endpoint(False, "2001:db8::1", 81, "[2001:db8::1]:81", "/")),
        ("http://a/user@example", Endpoint(False, "a", 80, "a", "/user@example")),
    ],
)
def test_a_url_is_taken_apart(url: str, read: Endpoint) -> None:
    assert endpoint.read(url) == read


@pytest.mark.parametrize("url", REFUSED.split() + ODD)
def test_what_is_no_such_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        endpoint.read(url)
    assert caught.value.errors[0].field == "url"
    assert "secret" not in str(caught.value)


def test_an_address_in_a_url_is_looked_at_when_it_is_read() -> None:
    for url in ("http://127.0.0.1/", "http://[::1]:8080/", "http://169.254.169.254/latest"):
        with pytest.raises(Invalid):
            Networks().check(endpoint.read(url))
    Networks(["127.0.0.0/8"]).check(endpoint.read("http://127.0.0.1/"))
    Networks().check(endpoint.read("http://localhost/"))  # a name is looked up when it is used
