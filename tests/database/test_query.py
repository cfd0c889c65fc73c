"""Parameters of a URL: unknown, repeated, malformed ones and bad paging are refused with their names."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from storekeeper.models import paging
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.raw_requests import Answer

OF_ITEMS = ("/items", "/store/ikea/items")
LISTS = (*OF_ITEMS, "/stores", "/store/ikea", "/store/ikea/members", "/users", "/imports?store=ikea", "/sessions")
IN_ONE_ORDER = ("/imports?store=ikea", "/sessions")
NO_LIMIT = ("0", "201", "-1", "1.5", "1.0", "1e1", "", "%20", "01", "%2B1", "+1", "1_0", "0x1", "1" + "0" * 30)
NO_LIMIT += ("1" + "0" * 5000, "null", "true", "NaN", "Infinity", "%D9%A1", "%00", "1%00", "[]", "1,2")
NO_SORT = ("", "ID", "--id", "+id", "%2Bid", "price,name", "id,name", "null", "%00", "position", "currency")
ONLY_OF_ITEMS = ("-id", "-name", "updated", "-updated", "price", "-price", "stock", "-stock", "rank")


@pytest.fixture
def root_asks(root: Person) -> Any:
    headers = list(bearer(root.pair["access_token"]).items())

    def ask(target: str, method: str = "GET") -> Answer:
        return raw_requests.send(root.client.app, method, target, headers)

    return ask


def is_refused(answer: Answer, *fields: str) -> bool:
    return (answer.status, answer.json["error"], answer.wrong) == (400, "invalid", set(fields))


def with_query(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}" if query or "?" not in path else path


def test_every_list_can_be_asked_well(root_asks: Any) -> None:
    for path in LISTS:
        assert root_asks(path).status == 200, path
        for query in ("", "limit=1", "limit=200", "cursor=", "limit=7&cursor="):
            assert root_asks(with_query(path, query)).status == 200, (path, query)
    for path in set(LISTS) - set(IN_ONE_ORDER):
        assert root_asks(path + "?sort=name&limit=1").status == 200, path
        assert root_asks(path + "?s%6frt=n%61me").status == 200, path


def test_bad_limits(root_asks: Any) -> None:
    for path in LISTS:
        for limit in NO_LIMIT:
            assert is_refused(root_asks(with_query(path, f"limit={limit}")), "limit"), (path, limit)


def test_bad_orders(root_asks: Any) -> None:
    for path in LISTS:
        for order in NO_SORT if path in OF_ITEMS else (*NO_SORT, *ONLY_OF_ITEMS):
            assert is_refused(root_asks(with_query(path, f"sort={order}")), "sort"), (path, order)


def test_the_orders_of_items(root_asks: Any) -> None:
    """Prices have an order within a store, and a rank is one of what was searched for."""
    for order in ONLY_OF_ITEMS:
        search = "&q=chair" if order == "rank" else ""
        assert root_asks(f"/store/ikea/items?sort={order}{search}").status == 200, order
        assert root_asks(f"/items?store_id=1&sort={order}{search}").status == 200, order
    for order in ("price", "-price", "stock", "-stock", "rank"):
        assert is_refused(root_asks(f"/items?sort={order}"), "sort"), order
    assert is_refused(root_asks("/store/ikea/items?sort=rank"), "sort")


def test_every_bad_parameter_is_named(root_asks: Any) -> None:
    assert is_refused(root_asks("/items?limit=0&sort=x&page=2&Limit=1"), "limit", "sort", "page", "Limit")


def test_unknown_parameters_are_refused_everywhere(client: Any, root: Person) -> None:
    values = {"name": "ikea", "item_name": "chair", "username": "bob", "user_id": 4, "session_id": 1}
    values |= {"key": "0" * 64, "size": "small", "import_id": 1, "webhook_id": 1, "delivery_id": 1}
    document = client.simulate_get("/openapi.json").json
    for template, operations in document["paths"].items():
        path = template.format(**values)
        for method in operations.keys() - {"parameters"}:
            kind = "refresh_token" if path == "/refresh" else "access_token"
            headers = list(bearer(root.pair[kind]).items())
            needed = "store=ikea&" if path == "/imports" else ""
            answer = raw_requests.send(client.app, method.upper(), f"{path}?{needed}surprise=1&%00=", headers)
            assert is_refused(answer, "surprise", "\0"), (method, path)


def test_a_parameter_twice_is_refused_by_name(root_asks: Any) -> None:
    assert is_refused(root_asks("/items?limit=1&limit=1"), "limit")
    assert is_refused(root_asks("/items?limit=1&sort=id&l%69mit=2"), "limit")
    assert is_refused(root_asks("/item/chair?store_id=1&store_id=2"), "store_id")


def test_a_parameter_without_a_name(root_asks: Any) -> None:
    assert is_refused(root_asks("/items?=1"), "")
    answer = root_asks("/items?=1&=1")
    assert (answer.status, answer.json) == (400, {"error": "invalid", "message": "'' is given twice."})


def test_a_query_that_cannot_be_read(root_asks: Any) -> None:
    for query in (
        "limit",
        "limit=1;sort=id&x",
        "a=1&" * 60,
        "cursor=%FF",
        "%FF=1",
    ):
        for path in ("/items", "/livez", "/item/chair"):
            answer = root_asks(f"{path}?{query}")
            assert (answer.status, answer.json["error"]) == (400, "invalid"), (path, query)


def test_raw_bytes_in_a_query(root_asks: Any) -> None:
    assert is_refused(root_asks("/items?" + "é=1".encode().decode("latin-1")), "é")
    assert is_refused(root_asks("/items?limit=\xff"))
    assert is_refused(root_asks("/items?sort=" + "é".encode().decode("latin-1")), "sort")
    assert root_asks("/nothing?\xff").status == 404


def test_which_store_is_a_plain_number(root_asks: Any) -> None:
    for value in (
        "0",
        "-1",
        "1.0",
        "1e0",
        "null",
        "",
        "01",
        "+1",
        "9007199254740992",
        "1" + "0" * 400,
        "ikea",
        "%D9%A1",
    ):
        for method in ("GET", "DELETE"):
            assert is_refused(root_asks(f"/item/chair?store_id={value}", method), "store_id"), (method, value)
    assert root_asks("/item/chair?store_id=1").status == 200
    assert root_asks("/item/chair?store_id=9007199254740991").status == 404


def test_yes_is_true_and_no_is_false(root_asks: Any) -> None:
    for value in ("1", "0", "True", "yes", "", "null", "TRUE", "on"):
        assert is_refused(root_asks(f"/store/ikea?with_items={value}", "DELETE"), "with_items"), value
    assert root_asks("/store/ikea?with_items=false", "DELETE").status == 409
    assert root_asks("/store/ikea?with_items=true", "DELETE").status == 200


def cursor_of(answer: Answer) -> str:
    """The cursor in the link to the next page."""
    cursor: str = answer.json["next"].partition("cursor=")[2].partition("&")[0]
    return cursor


def packed(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.fixture
def two_items(alice: Person) -> None:
    assert alice.put("/item/table", {"price": 1, "store_id": 1}).status_code == 201


@pytest.mark.usefixtures("two_items")
def test_a_cursor_that_was_changed_is_none(root_asks: Any) -> None:
    good = cursor_of(root_asks("/items?limit=1"))
    assert root_asks(f"/items?cursor={good}").status == 200
    changed = [good[:-1], good[1:], good + "A", good + "=", good + "%3D", good + "!", good[:5] + "%0A" + good[5:]]
    changed += [good[:3] + "%20" + good[3:], good.swapcase(), "garbage", "%00", "a", "====", "e30", "W10", "bnVsbA"]
    changed += ["A" * 600, "A" * 601, "A" * 5000, "%C3%A9", "1", "-1", "0"]
    for cursor in changed:
        assert is_refused(root_asks(f"/items?cursor={cursor}"), "cursor"), cursor


@pytest.mark.usefixtures("two_items")
def test_a_cursor_of_our_form_with_strange_values_is_none(root_asks: Any) -> None:
    assert packed('["items","name",["chair",1]]') == paging.encode("items", "name", ["chair", 1]), (
        "the form is as it was"
    )
    strange = [
        '["items","name",["a\\u0000b",1]]',
        '["items","name",["\\ud800",1]]',
        '["items","name",["chair",-9007199254740993]]',
        '["items","name",["chair",9007199254740992]]',
        '["items","name",["chair",1e2]]',
        '["items","name",["chair",true]]',
        '["items","name",[1,1]]',
        '["items","name",[null,1]]',
        '["items","name",["chair"]]',
        '["items","name",["chair",1,1]]',
        '["items","name", ["chair",1]]',
        '["items","name",["%s",1]]' % ("x" * 201),
        '["items","price",["chair",1]]',
        '["items","id",["",99999999999999999999999]]',
    ]
    for text in strange:
        for sort in ("name", "id"):
            assert is_refused(root_asks(f"/items?sort={sort}&cursor={packed(text)}"), "cursor"), text


@pytest.mark.usefixtures("two_items")
def test_a_cursor_of_another_order_is_none(root_asks: Any) -> None:
    by_id, by_name = (cursor_of(root_asks(f"/items?limit=1&sort={sort}")) for sort in ("id", "name"))
    assert root_asks(f"/items?sort=name&cursor={by_name}").status == 200
    assert is_refused(root_asks(f"/items?sort=name&cursor={by_id}"), "cursor")
    assert is_refused(root_asks(f"/items?cursor={by_name}"), "cursor")


@pytest.mark.usefixtures("two_items")
def test_a_cursor_of_another_list_is_none(root_asks: Any, alice: Person) -> None:
    assert alice.post("/store/lidl").status_code == 201
    cursors = {path: cursor_of(root_asks(f"{path}?limit=1")) for path in ("/items", "/stores", "/users")}
    for path in ("/items", "/stores", "/users", "/sessions"):
        for other, cursor in cursors.items():
            answer = root_asks(f"{path}?cursor={cursor}")
            assert answer.status == 200 if path == other else is_refused(answer, "cursor"), (path, other)


def test_nothing_between_two_parameters_is_none(root_asks: Any) -> None:
    for query in ("limit=1&", "&limit=1", "limit=1&&sort=id", "&"):
        assert root_asks(f"/items?{query}").status == 200, query
    assert is_refused(root_asks("/items?limit=1&limit=1&"), "limit")
