"""The signed tokens: what they say, and that each thing they have to say is asked for. Forged with the real key."""

from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from falcon import testing

from storekeeper.settings import Settings
from tests.conftest import Clock, Person, bearer
from tests.support.forged_tokens import MISSING, Good, encode, pack, sign, take_apart

DAY = 86_400
LEEWAY = 30
# Places in a session that no refresh token of session 1 has.
WRONG_PLACES = (
    "",
    "1",
    "1.",
    "1.0",
    "1.-1",
    "1.01",
    "1.x",
    "1.1.1",
    " 1.1",
    "1.1\n",
    "1.1e1",
    "1.١",
    "2.1",
    f"1.{10**9}",
)

# Of each claim, what it may not be; the rest of the token is good.
TIMES = (MISSING, None, "1", 1.5, 2e9, -1, True, 10**30, [1])
WRONG: dict[str, tuple[Any, ...]] = {
    "iss": (MISSING, None, "", "storekeepers", ["storekeeper"], 1),
    "sub": (MISSING, None, 1, "", "0", "01", "-1", "+1", " 1", "1\n", "1.0", "1e0", "0x1", "١", "alice", "1" * 17),
    "jti": (MISSING, None, 1, ["a"]),
    "sid": (MISSING, None, 0, -1, "1", 1.0, True, 2**53, 10**30, [1]),
    "iat": TIMES,
    "exp": TIMES,
    "type": (MISSING, None, "", "Access", "id", ["access"], True),
    "fresh": (MISSING, None, 0, 1, "true"),
    "is_admin": (MISSING, None, 0, 1, "false"),
    "aud": ("storekeeper", ["others"]),
    "nbf": (2**40, "soon"),
}
WRONG_HEAD: dict[str, tuple[Any, ...]] = {
    "typ": (MISSING, None, "jwt", "at+jwt", 1, ["JWT"]),
    "kid": (MISSING, None, "", "unknown", 1, ["a"], "../keys.json", "' OR 1=1"),
    "crit": (["exp"],),
    "b64": (False,),
}


@pytest.fixture
def good(alice: Person, settings: Settings) -> Good:
    """Alice's access token."""
    return take_apart(alice.pair["access_token"], settings)


@pytest.fixture
def good_refresh(alice: Person, settings: Settings) -> Good:
    return take_apart(alice.pair["refresh_token"], settings)


def verdicts(client: testing.TestClient, tokens: Mapping[str, str], operation: str = "GET /sessions") -> dict[str, str]:
    """What is heard of each token: the error of a 401, or another status."""
    method, path = operation.split()
    answers = {name: client.simulate_request(method, path, headers=bearer(token)) for name, token in tokens.items()}
    return {name: each.json["error"] if each.status_code == 401 else each.status for name, each in answers.items()}


def all_refused(tokens: Mapping[str, str]) -> dict[str, str]:
    return dict.fromkeys(tokens, "invalid_token")


# What they say


def test_an_access_token_says_all_that_the_contract_names(clock: Clock, good: Good, alice: Person) -> None:
    assert good.head.keys() == {"alg", "typ", "kid"}
    assert (good.head["alg"], good.head["typ"]) == ("HS256", "JWT")
    now = int(clock.now)
    jti = good.claims["jti"]
    assert good.claims == {
        "iss": "storekeeper",
        "sub": "1",
        "jti": jti,
        "sid": 1,
        "iat": now,
        "exp": now + 15 * 60,
        "type": "access",
        "fresh": True,
        "is_admin": False,
    }
    assert jti != jwt.decode(alice.refresh()["access_token"], options={"verify_signature": False})["jti"]


def test_a_refresh_token_says_its_place_in_its_session(clock: Clock, good_refresh: Good) -> None:
    now = int(clock.now)
    assert good_refresh.head.keys() == {"alg", "typ", "kid"}
    assert good_refresh.claims == {
        "iss": "storekeeper",
        "sub": "1",
        "jti": "1.1",
        "sid": 1,
        "iat": now,
        "exp": now + 90 * DAY,
        "type": "refresh",
    }


# What is asked for


def test_a_token_that_is_signed_by_hand_is_good(client: testing.TestClient, good: Good, good_refresh: Good) -> None:
    """Or else the others here might be refused for another reason than theirs."""
    assert verdicts(client, {"access": good.forge()}) == {"access": "200 OK"}
    assert verdicts(client, {"refresh": good_refresh.forge()}, "POST /refresh") == {"refresh": "200 OK"}


def test_every_claim_is_required_and_checked(client: testing.TestClient, good: Good) -> None:
    tokens = {f"{name}={value!r}": good.forge({name: value}) for name, values in WRONG.items() for value in values}
    assert verdicts(client, tokens) == all_refused(tokens)


def test_every_claim_of_a_refresh_token_is_required_and_checked(client: testing.TestClient, good_refresh: Good) -> None:
    changes = [(name, value) for name in ("iss", "sub", "sid", "iat", "exp", "type") for value in WRONG[name]]
    changes += [("jti", value) for value in (*WRONG["jti"], *WRONG_PLACES)]
    tokens = {f"{name}={value!r}": good_refresh.forge({name: value}) for name, value in changes}
    for operation in ("POST /refresh", "POST /logout"):
        assert verdicts(client, tokens, operation) == all_refused(tokens)


def test_the_head_is_checked(client: testing.TestClient, good: Good) -> None:
    changes = [(name, value) for name, values in WRONG_HEAD.items() for value in values]
    tokens = {f"{name}={value!r}": good.forge({}, {name: value}) for name, value in changes}
    assert verdicts(client, tokens) == all_refused(tokens)


def test_the_algorithm_is_pinned(client: testing.TestClient, good: Good) -> None:
    heads = {bits: good.head | {"alg": f"HS{bits}"} for bits in (384, 512)}
    tokens = {f"HS{bits}": sign(head, good.claims, good.secret, f"sha{bits}") for bits, head in heads.items()}
    for algorithm in ("none", "None", "NONE", "", None, 1, "RS256", "ES256", "EdDSA", "hs256"):
        tokens[f"{algorithm} with a signature"] = good.forge({}, {"alg": algorithm})
        tokens[f"{algorithm} without"] = good.forge({}, {"alg": algorithm}).rpartition(".")[0] + "."
    tokens["no algorithm"] = good.forge({}, {"alg": MISSING})
    assert verdicts(client, tokens) == all_refused(tokens)


def test_the_signature_is_checked(client: testing.TestClient, good: Good) -> None:
    head, claims, signature = good.forge().split(".")
    richer = pack(good.claims | {"sub": "4", "is_admin": True})
    tokens = {
        "other claims": f"{head}.{richer}.{signature}",
        "other secret": sign(good.head, good.claims, "another secret that is long enough"),
        "no secret": sign(good.head, good.claims, ""),
        "the kid as secret": sign(good.head, good.claims, good.head["kid"]),
        "no signature": f"{head}.{claims}.",
        "a short one": f"{head}.{claims}.{signature[:-4]}",
        "a long one": f"{head}.{claims}.{signature}AAAA",
        "zeros": f"{head}.{claims}.{'A' * 43}",
    }
    assert verdicts(client, tokens) == all_refused(tokens)


def test_what_is_no_token_is_refused(client: testing.TestClient, good: Good) -> None:
    token = good.forge()
    head, claims, signature = token.split(".")
    deep = "[" * 700 + "]" * 700
    tokens = {
        "one part": "a",
        "two parts": f"{head}.{claims}",
        "four parts": f"{token}.{signature}",
        "five parts": f"{token}.a.b",
        "dots": "..",
        "no head": f".{claims}.{signature}",
        "padded": f"{token}=",
        "padded head": f"{head}=.{claims}.{signature}",
        "other alphabet": f"{head}.{claims}.{signature[:-2]}+/",
        "junk in between": f"{head}.{claims}.{signature[:9]}!~{signature[9:]}",
        "a space in between": f"{head}.{claims}.{signature[:9]} {signature[9:]}",
        "a tab in between": f"{head}.{claims}.{signature[:9]}\t{signature[9:]}",
        "not ASCII": f"{head}.{claims}.{signature[:-1]}é",
        "quoted": f'"{token}"',
        "too long": f"{head}.{claims}.{signature}{'A' * 2048}",
        "giant": "A" * 30_000,
        "many dots": "." * 2000,
        "deep head": sign(deep, good.claims, good.secret),
        "deep claims": sign(good.head, deep, good.secret),
        "a head that is not JSON": sign("{", good.claims, good.secret),
        "claims that are not JSON": sign(good.head, "{", good.secret),
        "claims that are not UTF-8": f"{head}.{encode(bytes([0xFF, 0xFE]))}.{signature}",
        "a head that is a list": sign([], good.claims, good.secret),
        "claims that are a list": sign(good.head, [], good.secret),
        "claims that are null": sign(good.head, "null", good.secret),
        "claims that are NaN": sign(good.head, "NaN", good.secret),
        "an exp that is NaN": good.forge({"exp": float("NaN")}),
        "encrypted": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA",
    }
    assert verdicts(client, tokens) == all_refused(tokens)


def test_a_token_has_its_own_place(client: testing.TestClient, good: Good, good_refresh: Good) -> None:
    """One kind is not good for another, whatever else it says; and a session is good for its user only."""
    refresh = good_refresh.forge({"fresh": True, "is_admin": True})
    assert verdicts(client, {"refresh": refresh}) == {"refresh": "invalid_token"}
    assert verdicts(client, {"access": good.forge({"jti": "1.1"})}, "POST /refresh") == {"access": "invalid_token"}
    strays = {"another user": good.forge({"sub": "4"}), "another session": good.forge({"sid": 77})}
    assert verdicts(client, strays) == dict.fromkeys(strays, "token_revoked")
    strays = {"another user": good_refresh.forge({"sub": "4"})}
    assert verdicts(client, strays, "POST /refresh") == dict.fromkeys(strays, "token_revoked")


def test_the_server_does_not_believe_that_somebody_is_an_administrator(client: testing.TestClient, good: Good) -> None:
    assert verdicts(client, {"liar": good.forge({"is_admin": True})}, "GET /users") == {"liar": "403 Forbidden"}


# Times


def test_clocks_may_differ_by_30_seconds(clock: Clock, client: testing.TestClient, good: Good) -> None:
    clock.now = now = float(int(clock.now))
    tokens = {
        "long over": good.forge({"exp": 0}),
        "just over": good.forge({"exp": int(now) - LEEWAY - 1}),
        "over, but within the leeway": good.forge({"exp": int(now) - LEEWAY}),
        "issued soon, within the leeway": good.forge({"iat": int(now) + LEEWAY}),
        "issued in the future": good.forge({"iat": int(now) + LEEWAY + 1}),
        "issued far in the future": good.forge({"iat": 2**53 - 1, "exp": 2**53 - 1}),
    }
    assert verdicts(client, tokens) == {
        "long over": "token_expired",
        "just over": "token_expired",
        "over, but within the leeway": "200 OK",
        "issued soon, within the leeway": "200 OK",
        "issued in the future": "invalid_token",
        "issued far in the future": "invalid_token",
    }


def test_a_token_expires_that_was_good_before(alice: Person, clock: Clock) -> None:
    """Its signature is remembered, its times are not."""
    clock.now = float(int(clock.now))
    alice.log_in()
    for pause, status in ((0, 200), (15 * 60 + LEEWAY, 200), (1, 401)):
        clock.now += pause
        assert alice.get("/sessions").status_code == status


# The header


def test_the_header_may_be_written_in_several_ways(client: testing.TestClient, alice: Person) -> None:
    token = alice.pair["access_token"]
    for value in (f"bearer {token}", f"BEARER {token}", f"Bearer  {token}", f"Bearer {token} "):
        assert client.simulate_get("/sessions", headers={"Authorization": value}).status_code == 200, value


@pytest.mark.parametrize("path", ["/sessions", "/items"])
def test_a_header_without_a_bearer_token_is_none(client: testing.TestClient, alice: Person, path: str) -> None:
    """Also where a token is not needed: who sends one means it."""
    token = alice.pair["access_token"]
    values = ["Basic YWxpY2U6YQ==", "Bearer", "Bearer ", f"Bearer\t{token}", token, f"Token {token}", f"Bearer:{token}"]
    for value in values:
        answer = client.simulate_get(path, headers={"Authorization": value})
        assert (answer.status_code, answer.json["error"]) == (401, "authorization_required"), value


def test_an_empty_header_is_none(client: testing.TestClient) -> None:
    assert client.simulate_get("/sessions", headers={"Authorization": ""}).json["error"] == "authorization_required"
    assert client.simulate_get("/items", headers={"Authorization": ""}).status_code == 200


def test_more_than_one_token_is_none(client: testing.TestClient, alice: Person) -> None:
    token = alice.pair["access_token"]
    one = ("Authorization", f"Bearer {token}")
    for headers in ([one, one], [one, ("Authorization", "Basic YQ==")], [("Authorization", f"Bearer {token} {token}")]):
        assert client.simulate_get("/sessions", headers=headers).json["error"] == "invalid_token"
    assert client.simulate_get("/sessions", query_string=f"access_token={token}").status_code == 401
