"""The keys that sign tokens: how their file comes to be, what is refused in it, and how it changes under a server."""

import json
import os
import secrets
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from falcon import testing
from structlog.testing import capture_logs

from storekeeper.errors import TokenInvalid
from storekeeper.security import signing_keys
from storekeeper.security.signing_keys import SIGNS_AFTER, Key, KeyFileError, KeyRing
from storekeeper.security.tokens import Lifetimes, Tokens
from storekeeper.settings import Settings
from tests.conftest import Clock, Person, bearer

DAY = 86_400
GOOD = "qJ7vX2mLw9Tz4Rb8Ns1Kd6Fh3Gp5YcAe"  # 32 characters, and as good as random

WEAK = {
    "empty": "",
    "short": GOOD[:-1],
    "the course's": "jose",
    "the course's, again and again": "jose" * 16,
    "the course's, with something after it": f"Jose{GOOD}",
    "one character": "x" * 64,
    "two characters": "xy" * 32,
    "a short word, again and again": "tr0ub4d0" * 8,
    "a long word, again and again": GOOD[:16] * 2,
    "the alphabet": "abcdefghijklmnopqrstuvwxyz0123456789",
    "digits": "0123456789" * 4,
    "Flask's example": "super-secret-key-that-is-long-enough",
    "a placeholder": "change-me-before-you-go-to-production",
    "another placeholder": "your-256-bit-secret-goes-here-please",
    "that of jwt.io": "a-string-secret-at-least-256-bits-long",
}
DAMAGED = {
    "empty": "",
    "cut": '[{"kid": "a", "secret": "' + GOOD,
    "no list": json.dumps({"kid": "a", "secret": GOOD, "created_at": 1}),
    "no kid": json.dumps([{"secret": GOOD, "created_at": 1}]),
    "an empty kid": json.dumps([{"kid": "", "secret": GOOD, "created_at": 1}]),
    "no time": json.dumps([{"kid": "a", "secret": GOOD}]),
    "a secret that is no text": json.dumps([{"kid": "a", "secret": 12345678901234567890, "created_at": 1}]),
    "an unknown member": json.dumps([{"kid": "a", "secret": GOOD, "created_at": 1, "alg": "none"}]),
    "the same kid twice": json.dumps(
        [{"kid": "a", "secret": secret, "created_at": 1} for secret in (GOOD, GOOD[::-1])]
    ),
    "no key": "[]",
    "binary": "\udcff\udcfe",
    "a text that is not UTF-8": '[{"kid": "\udcff", "secret": "' + GOOD + '", "created_at": 1}]',
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def write(path: Path, content: Any, mode: int = 0o600) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(text.encode(errors="surrogateescape"))
    path.chmod(mode)


def one_key(secret: str, kid: str = "a", created_at: int = 1) -> list[dict[str, Any]]:
    return [{"kid": kid, "secret": secret, "created_at": created_at}]


def kids(path: Path) -> list[str]:
    return [key.kid for key in signing_keys.load(path)]


# The file


def test_the_first_start_makes_a_file_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data" / "keys.json"
    before = os.umask(0)
    try:
        signing_keys.ensure(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    (key,) = signing_keys.load(path)
    assert len(key.secret) >= 64
    assert len(set(key.secret)) > 20


def test_a_later_start_leaves_it_as_it_is(path: Path) -> None:
    signing_keys.ensure(path)
    before = path.read_bytes()
    signing_keys.ensure(path)
    assert path.read_bytes() == before


def test_many_starters_make_one_file(path: Path) -> None:
    def start(_: int) -> bytes:
        signing_keys.ensure(path)
        return path.read_bytes()

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(start, range(64)))) == 1


def test_many_rotations_at_once_are_all_kept(path: Path) -> None:
    signing_keys.ensure(path)
    with ThreadPoolExecutor(8) as pool:
        rotated = list(pool.map(lambda _: signing_keys.rotate(path, 90 * DAY).kid, range(8)))
    assert sorted(kids(path)[1:]) == sorted(rotated)


def test_a_good_key_may_be_given(path: Path) -> None:
    write(path, one_key(GOOD))
    signing_keys.ensure(path)
    assert KeyRing(path).newest == Key("a", GOOD, 1)
    for _ in range(50):  # and whatever is random is good enough
        write(path, one_key(secrets.token_hex(16)))
        signing_keys.load(path)


@pytest.fixture(params=["load", "ensure", "KeyRing"])
def start(request: pytest.FixtureRequest) -> Any:
    """All ways to come by the keys."""
    return {"load": signing_keys.load, "ensure": signing_keys.ensure, "KeyRing": KeyRing}[request.param]


def refusal(start: Any, path: Path) -> str:
    """Why the file is refused; and no secret is in that, nor in its trace."""
    with pytest.raises(KeyFileError) as raised:
        start(path)
    shown = "".join(traceback.format_exception(raised.value))
    assert GOOD[:8] not in shown
    return str(raised.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_is_open_to_others_is_refused(path: Path, start: Any, mode: int) -> None:
    write(path, one_key(GOOD), mode)
    assert refusal(start, path) == f"{path} can be read by others: chmod 600 {path}"


def test_a_file_that_is_not_there_is_refused(path: Path) -> None:
    assert "No such file" in refusal(signing_keys.load, path)
    assert "No such file" in refusal(KeyRing, path)


@pytest.mark.parametrize("name", WEAK)
def test_a_weak_key_is_refused(path: Path, start: Any, name: str) -> None:
    """Also beside a good one."""
    write(path, one_key(GOOD) + one_key(WEAK[name], "weak", 2))
    message = refusal(start, path)
    assert "'weak'" in message
    assert not WEAK[name] or WEAK[name] not in message


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused(path: Path, start: Any, name: str) -> None:
    write(path, DAMAGED[name])
    assert refusal(start, path).startswith(f"{path}")


def test_a_secret_is_not_shown(path: Path) -> None:
    key = Key("a", GOOD, 1)
    write(path, one_key(GOOD))
    for shown in (repr(key), str(key), f"{key}", repr([key]), repr(KeyRing(path)), str(vars(KeyRing(path)))):
        assert GOOD not in shown


# Rotation


def test_a_rotation_keeps_the_older_keys_as_long_as_a_token_of_theirs_may_live(path: Path, clock: Clock) -> None:
    signing_keys.ensure(path)
    first = kids(path)
    clock.now += 400 * DAY  # however long it has signed: it is needed from the day it is replaced
    second = signing_keys.rotate(path, 90 * DAY).kid
    assert kids(path) == [*first, second]
    clock.now += 90 * DAY + SIGNS_AFTER - 1  # and until its successor signs
    third = signing_keys.rotate(path, 90 * DAY).kid
    assert kids(path) == [*first, second, third]
    clock.now += 2
    fourth = signing_keys.rotate(path, 90 * DAY).kid
    assert kids(path) == [second, third, fourth]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("pause", [0, -3600], ids=["in one second", "when the clock was put back"])
def test_the_newest_key_signs(path: Path, clock: Clock, pause: int) -> None:
    signing_keys.ensure(path)
    rotated = []
    for _ in range(3):
        clock.now += pause
        rotated.append(signing_keys.rotate(path, 90 * DAY).kid)
    assert kids(path)[1:] == rotated
    assert KeyRing(path).newest.kid == rotated[-1]
    clock.now += SIGNS_AFTER + 3 + 3 * 3600
    assert KeyRing(path).signing.kid == rotated[-1]


def test_a_new_key_signs_ten_minutes_later_and_meanwhile_the_older_one(path: Path, clock: Clock) -> None:
    signing_keys.ensure(path)
    (first,) = kids(path)
    ring = KeyRing(path)
    assert ring.signing.kid == first  # there is no other, however young it is
    clock.now += 30 * DAY
    second = signing_keys.rotate(path, 90 * DAY).kid
    ring = KeyRing(path)
    assert (ring.signing.kid, ring.find(second) is not None) == (first, True)
    assert [each.kid for each in signing_keys.schedule(signing_keys.load(path))] == [first, second]
    clock.now += SIGNS_AFTER - 1
    assert ring.signing.kid == first
    clock.now += 1
    assert ring.signing.kid == second
    assert [each.kid for each in signing_keys.schedule(signing_keys.load(path))] == [second]


def test_a_key_that_signs_at_once_is_not_overtaken_by_one_that_waits(path: Path, clock: Clock) -> None:
    """Older versions, which share the file, take the newest by its time: that has to be the same one."""
    signing_keys.ensure(path)
    clock.now += 30 * DAY
    waiting = signing_keys.rotate(path, 90 * DAY).kid
    at_once = signing_keys.rotate(path, 90 * DAY, at_once=True).kid
    assert kids(path)[-2:] == [waiting, at_once]
    ring = KeyRing(path)
    for _ in range(3):
        assert ring.signing.kid == at_once
        clock.now += SIGNS_AFTER
    assert max(json.loads(path.read_text()), key=lambda key: key["created_at"])["kid"] == at_once


def test_a_fingerprint_tells_keys_apart_and_shows_nothing(path: Path) -> None:
    first, second = Key("a", GOOD, 1), Key("a", GOOD[::-1], 1)
    assert first.fingerprint == Key("b", GOOD, 2).fingerprint != second.fingerprint
    assert GOOD not in repr(signing_keys.schedule([first, second]))


def test_a_key_can_be_removed_but_not_the_last(path: Path) -> None:
    signing_keys.ensure(path)
    first = kids(path)[0]
    with pytest.raises(KeyFileError, match="only key"):
        signing_keys.remove(path, first)
    second = signing_keys.rotate(path, 90 * DAY).kid
    with pytest.raises(KeyFileError, match="no key 'other'"):
        signing_keys.remove(path, "other")
    signing_keys.remove(path, first)
    assert kids(path) == [second]


# Under a running server


@pytest.fixture
def keys_path(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The running server's file, which it looks at with each request."""
    monkeypatch.setattr(signing_keys, "LOOK_AGAIN", 0)
    return settings.keys_path


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def status(client: testing.TestClient, token: str, operation: str = "GET /sessions") -> int:
    return client.simulate_request(*operation.split(), headers=bearer(token)).status_code


def test_a_rotation_signs_nobody_out(keys_path: Path, client: testing.TestClient, alice: Person, bob: Person) -> None:
    old = alice.pair
    new_key = signing_keys.rotate(keys_path, 90 * DAY, at_once=True)
    assert {kid(token) for token in (bob.pair["access_token"], bob.pair["refresh_token"])} == {new_key.kid}
    assert bob.get("/sessions").status_code == 200
    assert status(client, old["access_token"]) == 200
    fresh = alice.refresh()
    assert kid(fresh["refresh_token"]) == new_key.kid
    assert status(client, fresh["access_token"]) == 200
    assert status(client, old["refresh_token"], "POST /refresh") == 200


def test_what_a_removed_key_has_signed_is_no_longer_good(
    keys_path: Path, client: testing.TestClient, alice: Person
) -> None:
    pair = alice.pair
    assert status(client, pair["access_token"]) == 200  # so that its signature is remembered
    signing_keys.rotate(keys_path, 90 * DAY)  # which signs at once when there is no other
    signing_keys.remove(keys_path, kid(pair["access_token"]))
    assert status(client, pair["access_token"]) == 401
    assert status(client, pair["refresh_token"], "POST /refresh") == 401
    alice.log_in()
    assert alice.get("/sessions").status_code == 200


def test_what_a_removed_key_has_signed_is_good_for_nobody_who_reads_tokens(path: Path, clock: Clock) -> None:
    """The API and the console each remember which signatures they have checked."""
    signing_keys.ensure(path)
    ring = KeyRing(path)
    readers = [Tokens(ring, Lifetimes()) for _ in range(2)]
    token = readers[0].access(1, 1, fresh=True, is_admin=False)
    for reader in readers:
        assert reader.read(token, ("access",)).sid == 1
    (old,) = signing_keys.load(path)
    signing_keys.rotate(path, 0)
    signing_keys.remove(path, old.kid)
    ring.reload()
    for reader in readers:
        with pytest.raises(TokenInvalid):
            reader.read(token, ("access",))


def test_a_file_that_cannot_be_reloaded_leaves_the_keys_as_they_are(path: Path) -> None:
    signing_keys.ensure(path)
    ring = KeyRing(path)
    before = ring.newest
    path.chmod(0o644)
    with capture_logs() as lines:
        ring.reload()
    assert [line["event"] for line in lines] == ["keys_unreadable"]
    assert ring.newest == before
    assert ring.look() == ring.look()


def test_a_removed_key_signs_nothing_more(keys_path: Path, alice: Person) -> None:
    (first,) = kids(keys_path)
    signing_keys.rotate(keys_path, 90 * DAY)
    signing_keys.remove(keys_path, first)
    alice.log_in()  # the first that the server hears since
    assert kid(alice.pair["access_token"]) != first


@pytest.mark.parametrize("damage", ["gone", "empty", "open to others", "weak"])
def test_a_file_that_is_damaged_meanwhile_stops_nobody(keys_path: Path, alice: Person, damage: str) -> None:
    alice.log_in()
    if damage == "gone":
        keys_path.unlink()
    else:
        content = {"empty": "", "open to others": one_key(GOOD), "weak": one_key("jose")}[damage]
        write(keys_path, content, 0o644 if damage == "open to others" else 0o600)
    assert alice.get("/sessions").status_code == 200
    alice.log_in()
    assert alice.get("/sessions").status_code == 200
