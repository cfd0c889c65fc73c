"""The client: what it makes of answers, that it goes to the address that was checked, and whom it trusts."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from storekeeper.domain.webhook_url import AllowedNetworks
from storekeeper.webhooks.http_client import DeliveryResult, WebhookClient
from tests.support.webhook_receiver import CUT, HANG, NONSENSE, Behaviour, Receive

LOOPBACK = "127.0.0.0/8"
PATIENT = 3600
NOT_REACHED = "The host has no address that may be reached."


def post(url: str, *allowed: str, **more: Any) -> DeliveryResult:
    return asyncio.run(
        post_by(WebhookClient(AllowedNetworks(allowed or (LOOPBACK,)), **({"seconds": PATIENT} | more)), url)
    )


async def post_by(client: WebhookClient, url: str) -> DeliveryResult:
    try:
        return await client.post(url, {"webhook-id": "msg_1"}, b'{"a": 1}')
    finally:
        client.close()
        await asyncio.sleep(0)  # the connection ends


class Names:
    """Answers look-ups with one list of addresses after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[Any]:
        self.asked.append(host)
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 0, "", (each, port))
            for each in next(self._answers)
        ]


@pytest.mark.parametrize("status", [200, 204, 299])
def test_what_is_good(receive: Receive, status: int) -> None:
    receiver = receive(status)
    answer = post(receiver.url)
    assert (answer.status, answer.error, answer.is_good) == (status, None, True)
    (message,) = receiver.messages
    assert message.body == b'{"a": 1}'
    assert message.headers.items() >= {"webhook-id": "msg_1", "content-type": "application/json"}.items()
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("status", [300, 302, 307, 308, 400, 404, 410, 500, 503])
def test_what_is_not_and_no_redirect_is_followed(receive: Receive, status: int) -> None:
    other = receive()
    answer = post(receive(status, location=other.url).url)
    assert (answer.status, answer.is_good) == (status, False)
    assert other.messages == []


@pytest.mark.parametrize(
    ("behaviour", "seconds", "error"),
    [
        (HANG, 0.05, "There was no answer: the connection was refused, or it took more than 0.05 seconds."),
        (CUT, PATIENT, "The answer was cut off, or is not HTTP."),
        (NONSENSE, PATIENT, "The answer was cut off, or is not HTTP."),
    ],
)
def test_no_answer(receive: Receive, behaviour: Behaviour, seconds: float, error: str) -> None:
    answer = post(receive(behaviour).url, seconds=seconds)
    assert (answer.status, answer.error, answer.is_good) == (None, error, False)


def test_a_head_without_end_is_not_read(receive: Receive) -> None:
    asyncio.run(flood())


async def flood() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"X-More: %s\r\n" % (b"x" * 1000))
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer_ = await post_by(WebhookClient(AllowedNetworks([LOOPBACK]), seconds=PATIENT), f"http://127.0.0.1:{port}/")
    assert (answer_.status, answer_.error) == (None, "The answer was cut off, or is not HTTP.")
    server.close()
    await server.wait_closed()


def test_who_does_not_answer_and_who_is_not_there_look_the_same(receive: Receive) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    refused = post(f"http://127.0.0.1:{port}/", seconds=0.05)
    late = post(receive(HANG).url, seconds=0.05)
    assert refused == late == DeliveryResult(None, late.error, None), "it would tell which ports are open"


def test_proxies_of_the_environment_are_not_asked(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver, proxy = receive(), receive()
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    assert post(receiver.url).is_good
    assert (len(receiver.messages), proxy.messages) == (1, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0"])
def test_an_address_of_ours_is_not_reached_by_whatever_name(receive: Receive, host: str) -> None:
    receiver = receive()
    answer = post(f"http://{host}:{receiver.port}/", "192.0.2.0/24")
    assert (answer.error, receiver.messages) == (NOT_REACHED, [])


def test_one_address_of_ours_among_others_is_enough(receive: Receive) -> None:
    receiver = receive(host="127.0.0.2")
    names = Names(["127.0.0.2", "10.0.0.1"])
    assert post(f"http://shop.example:{receiver.port}/", "127.0.0.2", resolve=names).error == NOT_REACHED
    assert receiver.messages == []


def test_a_name_that_leads_elsewhere_the_next_time(receive: Receive) -> None:
    """What was checked is what is connected to; and it is looked up and checked each time anew."""
    allowed = receive(host="127.0.0.2")
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    url = f"http://shop.example:{allowed.port}/"
    with socket.create_server(("127.0.0.1", allowed.port)) as forbidden:
        forbidden.setblocking(False)
        assert post(url, "127.0.0.2", resolve=names).is_good
        assert names.asked == ["shop.example"]
        assert post(url, "127.0.0.2", resolve=names).error == NOT_REACHED
        with pytest.raises(BlockingIOError):
            forbidden.accept()
    assert len(allowed.messages) == 1
    assert allowed.messages[0].headers["host"] == f"shop.example:{allowed.port}"


def test_a_name_that_is_none() -> None:
    async def find_none(_host: str, _port: int) -> list[Any]:
        raise socket.gaierror

    assert post("http://nowhere.example/", resolve=find_none).error == NOT_REACHED
    assert post(f"http://{'a' * 64}.example/").error == NOT_REACHED


def test_the_next_address_is_tried_when_one_does_not_answer(receive: Receive) -> None:
    receiver = receive()
    names = Names(["127.0.0.3", "127.0.0.1"])
    assert post(f"http://shop.example:{receiver.port}/", resolve=names).is_good


# Connections that are kept


def post_all(client: WebhookClient, *urls: str, pause: float = 0) -> list[DeliveryResult]:
    """One after the other."""

    async def run() -> list[DeliveryResult]:
        answers = []
        for url in urls:
            answers.append(await client.post(url, {"webhook-id": "msg_1"}, b"{}"))
            await asyncio.sleep(pause)
        client.close()
        await asyncio.sleep(0)
        return answers

    return asyncio.run(run())


def keeping(receive: Receive, *behaviours: Behaviour, **more: Any) -> Any:
    return receive(*behaviours, keeps=True, **more)


def create_client(**more: Any) -> WebhookClient:
    return WebhookClient(AllowedNetworks([LOOPBACK]), **({"seconds": PATIENT} | more))


def test_messages_to_one_place_go_over_one_connection(receive: Receive, tmp_path: Path) -> None:
    server, trusting = contexts(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    plain, safe = keeping(receive, 200, 500, 200), keeping(receive, context=server)
    answers = post_all(create_client(context=trusting), *[plain.url, safe.url] * 3)
    assert [each.status for each in answers] == [200, 200, 500, 200, 200, 200]
    assert (len(plain.messages), len(safe.messages)) == (3, 3)
    assert (plain.connections, safe.connections) == (1, 1)


def test_a_connection_that_was_closed_meanwhile_is_not_missed(receive: Receive) -> None:
    receiver = keeping(receive, "end")
    answers = post_all(create_client(), *[receiver.url] * 3, pause=0.02)
    assert [each.status for each in answers] == [200] * 3
    assert (len(receiver.messages), receiver.connections) == (3, 3)


def test_a_connection_is_kept_for_a_while_only_and_then_the_address_is_checked_again(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = keeping(receive, host="127.0.0.2")
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    url = f"http://shop.example:{receiver.port}/"
    mine = WebhookClient(AllowedNetworks(["127.0.0.2"]), PATIENT, names)
    monkeypatch.setattr("storekeeper.webhooks.http_client.AGE_SECONDS", 0.05)
    first, second = post_all(mine, url, url, pause=0.1)
    assert (first.status, second.error) == (200, NOT_REACHED)
    assert len(receiver.messages) == 1


def test_an_unused_connection_is_closed(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.webhooks.http_client.IDLE_SECONDS", 0.05)
    receiver = keeping(receive)
    post_all(create_client(), receiver.url, receiver.url, pause=0.1)
    assert (len(receiver.messages), receiver.connections) == (2, 2)


def test_no_more_of_an_answer_is_read_than_is_needed(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the connection on which more would come is not kept."""
    monkeypatch.setattr("storekeeper.webhooks.http_client.BODY_SECONDS", 0.05)
    receiver = keeping(receive, "endless", 200)
    answers = post_all(create_client(), receiver.url, receiver.url)
    assert [each.status for each in answers] == [200, 200]
    assert len(answers[0].body) < 64 * 1024
    assert receiver.connections == 2


# TLS


def contexts(folder: Path, name: x509.GeneralName) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's, with a certificate for that name; and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
    cert = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False).sign(key, hashes.SHA256())
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, secret)
    return server, ssl.create_default_context(cafile=str(pem))


def test_a_certificate_has_to_be_for_the_name_in_the_url_whatever_the_address(receive: Receive, tmp_path: Path) -> None:
    server, trusting = contexts(tmp_path, x509.DNSName("shop.example"))
    receiver = receive(context=server)
    names = Names(["127.0.0.1"], ["127.0.0.1"])
    for host, is_good in (("shop.example", True), ("other.example", False)):
        answer = post(f"https://{host}:{receiver.port}/", resolve=names, context=trusting)
        assert answer.is_good == is_good
    assert answer.error
    assert answer.error.startswith("TLS: Hostname mismatch")
    assert len(receiver.messages) == 1


def test_a_certificate_for_an_address(receive: Receive, tmp_path: Path) -> None:
    server, trusting = contexts(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    assert post(receive(context=server).url, context=trusting).is_good


def test_a_certificate_that_nobody_vouches_for(receive: Receive, tmp_path: Path) -> None:
    server, _ = contexts(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    receiver = receive(context=server)
    assert post(receiver.url).error == "TLS: self-signed certificate."
    assert receiver.messages == []


def test_no_tls_on_the_other_side(receive: Receive) -> None:
    url = receive().url.replace("http:", "https:")
    assert post(url).error == "TLS: the two sides could not agree."
