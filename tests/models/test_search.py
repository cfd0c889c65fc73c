"""Searching with `q`: what is found, in which order, and page by page while others write. On both databases alike."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st

from storekeeper.domain import search_words
from storekeeper.domain.money import PriceInput
from storekeeper.models import item_list, item_queries
from tests.conftest import Person
from tests.support.item_catalogues import PROPERTY, best_first, empty, fill, names, page, walk


@pytest.fixture(autouse=True)
def _no_items(engine: sa.Engine) -> None:
    empty(engine)


def found(person: Person, q: str, path: str = "/items", **query: Any) -> list[str]:
    return names(page(person, path, q=q, **query)["items"])


# What an item says, what finds it, and what does not.
FOUND: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"name": "Garden Chair"}, ["g", "gard", "CHAIR", "chair garden", "ch ga", "chair,garden!"], ["arden", "chairs"]),
    ({"name": "Smørrebrød"}, ["smor", "SMØRRE", "smørrebrød", "smorrebrod"], ["smoerre"]),
    ({"name": "Łódź"}, ["lodz", "ŁÓ", "łódź"], ["odz"]),
    ({"name": "Straße"}, ["strasse", "STRASSE", "straß", "stras"], ["strase"]),
    ({"name": "Masse"}, ["maß", "mass"], ["masß x"]),
    ({"name": "Café"}, ["cafe", "cafe\u0301", "CAFÉ"], ["cafes"]),
    ({"name": "木製の椅子"}, ["椅子", "子", "木 椅", "木製の椅子", "椅子 木"], ["机", "椅子 机"]),
    ({"name": "한국 의자"}, ["한", "한국", "의자", "ㅇ"], ["국"]),
    ({"name": "कुर्सी"}, ["कुर्सी", "कु"], ["सी"]),
    ({"name": "Bolt M8x40"}, ["m8", "m8x40", "bolt m8"], ["8x40", "40"]),
    ({"name": "a-b_c/d"}, ["d c b a", "a-b_c/d", "b_c"], ["ab"]),
    ({"name": "x", "sku": "0012-AB"}, ["0012", "0012-ab", "ab x"], ["12"]),
    ({"name": "x", "barcode": "4006381333931"}, ["4006381333931", "40063"], ["333931"]),
    ({"name": "x", "description": "Oak,\r\noiled; for 'outdoors'"}, ["oak", "oiled outdoors", "x oak"], ["pine"]),
    ({"name": "x", "tags": ["Late Summer", "red"]}, ["summer", "late", "red x"], ["ummer"]),
    ({"name": "x", "description": "w" * 4000}, ["w" * 200, "w"], ["ww1"]),
    ({"name": "x", "description": "\U0001f600 \\ ' \" \x01 \ud7ff\ue000"}, ["x"], ["w"]),
    ({"name": "and or not near"}, ["and", "or not", "NEAR AND OR", "not or near and"], ["xor"]),
]


@pytest.mark.parametrize(("said", "queries", "others"), FOUND)
def test_an_item_is_found_by_the_beginnings_of_its_words(
    said: dict[str, Any], queries: list[str], others: list[str], alice: Person
) -> None:
    fill(alice, [said])
    for path in ("/items", "/store/ikea/items"):
        assert {q: found(alice, q, path) for q in queries} == {q: [said["name"]] for q in queries}
        assert {q: found(alice, q, path) for q in others} == {q: [] for q in others}


def test_an_item_is_found_as_it_is_now(alice: Person) -> None:
    alice.put("/item/lamp", {"price": 1, "store_id": 1, "sku": "L1", "tags": ["bright"], "description": "oak"})
    assert [found(alice, q) for q in ("lamp", "l1", "bright", "oak")] == [["lamp"]] * 4
    alice.patch("/item/lamp", {"name": "torch", "sku": "T1", "tags": ["dim"], "description": ""})
    assert [found(alice, q) for q in ("lamp", "l1", "bright", "oak")] == [[]] * 4
    assert [found(alice, q) for q in ("torch", "t1", "dim")] == [["torch"]] * 3
    fill(alice, [{"name": "torch", "description": "elm", "sku": None}, {"name": "elm tree"}])
    assert (found(alice, "elm"), found(alice, "t1"), found(alice, "dim")) == (["elm tree", "torch"], [], ["torch"])
    alice.patch("/item/torch", {"archived": True})
    assert found(alice, "torch") == []
    assert found(alice, "torch", archived="yes") == found(alice, "torch", archived="any") == ["torch"]
    alice.patch("/item/torch", {"archived": False})
    assert found(alice, "torch") == ["torch"]
    assert alice.delete("/item/torch").status_code == 200
    assert found(alice, "torch", archived="any") == []


def test_a_store_keeps_to_itself_and_takes_its_items_along(alice: Person) -> None:
    assert alice.post("/store/aldi").json["id"] == 2
    fill(alice, [{"name": "red lamp"}])
    fill(alice, [{"name": "red rose"}, {"name": "red"}], 2)
    assert found(alice, "red") == ["red", "red lamp", "red rose"]
    assert found(alice, "red", "/store/aldi/items") == found(alice, "red", store_id=2) == ["red", "red rose"]
    assert found(alice, "red", "/store/ikea/items") == ["red lamp"]
    assert alice.delete("/store/aldi?with_items=true").status_code == 200
    assert found(alice, "red") == ["red lamp"]
    alice.post("/store/aldi")
    assert found(alice, "red", "/store/aldi/items") == []


@pytest.mark.parametrize("q", ["-", "'", "*", "&|!", '"', "{}", "\u00a7", "_", " ", "\0", "🪑", "\u0301"])
def test_a_search_without_letters_is_refused(q: str, alice: Person) -> None:
    answer = alice.get(f"/items?q={quote(q)}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "q")


def test_how_many_words_a_search_may_have(alice: Person) -> None:
    title = " ".join(f"w{n}" for n in range(item_list.MAX_WORDS))
    fill(alice, [{"name": title}])
    assert found(alice, title) == found(alice, f"{title} W1 w2") == [title]
    answer = alice.get(f"/items?q={quote(title + ' more')}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "q")
    for q in ("", "x" * 201):
        assert alice.get(f"/items?q={q}").json["errors"][0]["field"] == "q"


ROWS: list[dict[str, Any]] = [
    {"name": "chair"},
    {"name": "Chair", "tags": ["red"]},
    {"name": "the chair"},
    {"name": "near and or not", "description": "title body chair"},
    {"name": "it's", "sku": 'CHAIR "9"', "tags": ["title"]},
    {"name": "title", "description": "s1 and §s1, it\\s"},
    {"name": "a:b & c", "tags": ["chair", "red"]},
]
HOSTILE = (
    *('"', 'chair"', '"chair', '"chair" *', "chair*", "*chair", "NEAR(chair title)", "chair AND", "AND OR NOT"),
    *("{title} : chair", "title:chair", "-chair", "^chair", "chair + title", "(chair", "chair)", "\\", "chair\\"),
    *("'", "chair'", "it's", "it''s", "'chair':*A & 'x'", "chair:*", "!chair", "chair | title", "chair <-> title"),
    *("chair\0", "\0chair", "chair\0title", "§s1", "s1", "§t636861", "%", "_", "chair%", "a:b & c", "--", ";", "$1"),
    *(
        "%(id)s",
        ":id",
        "ＣＨＡＩＲ",
        "\U0010ffffchair",
        "ch\u200bair",
        "chair\ufeff",
        "\ud7ff",
        "\u202echair",
        "chair\n",
    ),
)


def test_no_search_is_an_error_or_means_more_than_its_words(alice: Person) -> None:
    items = fill(alice, ROWS)
    for q in HOSTILE:
        answer = alice.get(f"/items?q={quote(q)}")
        if search_words.split_words(q):
            assert (q, answer.status_code) == (q, 200)
            assert (q, names(answer.json["items"])) == (q, names(best_first(items, q)))
        else:
            assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "q"), q


WORDS = st.sampled_from(
    ["chair", "Chairs", "ch", "stuhl", "Stühle", "straße", "STRASSE", "s1", "木椅", "椅", "a", "an"]
)
TEXT = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"name": TEXT},
        optional={"sku": TEXT, "description": TEXT, "tags": st.lists(WORDS, max_size=2), "archived": st.booleans()},
    ),
    max_size=12,
    unique_by=lambda row: row["name"],
)
QUERY = st.lists(st.builds(lambda word, end: word[:end], WORDS, st.integers(1, 8)), min_size=1, max_size=3).map(
    " ".join
)


@PROPERTY
@given(rows=ITEMS, queries=st.lists(QUERY | TEXT | st.text("ach \0'\"*&:!(-", min_size=1), min_size=1, max_size=4))
@example(rows=[{"name": "x", "sku": "ab"}, {"name": "ab cd", "tags": ["t"]}, {"name": "ab"}], queries=["ab", "cd"])
def test_a_search_finds_what_looking_at_every_item_finds(
    alice: Person, engine: sa.Engine, rows: list[dict[str, Any]], queries: list[str]
) -> None:
    empty(engine)
    skus = [row.get("sku") for row in rows]
    items = fill(alice, ({**row, "sku": None} if skus.index(row.get("sku")) < n else row for n, row in enumerate(rows)))
    shown = [each for each in items if not each["archived"]]
    for q in queries:
        if not search_words.split_words(q):
            continue
        expected = names(best_first(shown, q))
        assert (q, found(alice, q)) == (q, expected)
        assert (q, names(walk(alice, "/store/ikea/items", q=q, limit=2))) == (q, expected)
        assert (q, found(alice, q, archived="any")) == (q, names(best_first(items, q)))
        assert page(alice, "/items", q=q, sort="-id")["items"] == sorted(best_first(shown, q), key=lambda i: -i["id"])


def test_the_item_of_that_very_name_is_first_whatever_else_is_asked(alice: Person) -> None:
    fill(alice, [{"name": "x", "sku": "lamp 1", "tags": ["t", "u"]}, {"name": "lamp é", "tags": ["t", "u"]}])
    fill(alice, [{"name": "lamp", "tags": ["t2", "u"]}])
    assert found(alice, "lamp é", tag="t") == ["lamp é"]
    fill(alice, [{"name": "lamp", "tags": ["t", "u"]}])
    assert found(alice, "lamp", tag="t") == found(alice, "lamp", tag="T;u") == ["lamp", "x", "lamp é"]
    fill(alice, [{"name": "y", "sku": "lamp e"}])
    assert found(alice, "lamp e\u0301") == ["lamp é", "y"], "in any spelling"


@pytest.fixture
def few_candidates(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    item_queries.rank_query.cache_clear()
    monkeypatch.setattr(item_queries, "CANDIDATES", 8)
    yield
    item_queries.rank_query.cache_clear()


@pytest.mark.usefixtures("few_candidates")
def test_of_very_common_words_the_first_items_are_ranked(alice: Person) -> None:
    rows = [{"name": f"{n:02} {'x' * (12 - n % 7)}", "description": "oak"} for n in range(20)]
    rows += [{"name": f"oak {n:02} {'x' * (30 - n)}"} for n in range(12)] + [{"name": "oak"}]
    items = fill(alice, rows)
    candidates = [*items[:8], *items[20:28], items[-1]]
    for limit in (1, 3, 200):
        assert walk(alice, "/items", q="oak", limit=limit) == best_first(candidates, "oak"), limit
    answer = alice.get("/items?q=oak&limit=1", headers={"Prefer": "count=exact"})
    assert answer.json["total"] == 33


@pytest.mark.usefixtures("few_candidates")
@pytest.mark.parametrize("count", [6, 8, 20])
def test_nothing_is_repeated_or_dropped_while_others_write(count: int, alice: Person) -> None:
    """However many there are: others add, delete and rename what comes before, after and in between."""
    fill(alice, ({"name": f"gone {n}"} for n in range(4)))
    rows = [{"name": f"oak {n:02}"} if n % 2 else {"name": f"n{n:02}", "description": "oak"} for n in range(count)]
    fill(alice, rows)
    touched = {names(page(alice, "/items", q="oak")["items"])[-1]}
    lasting = set(names(walk(alice, "/items", q="oak"))) - touched
    seen: list[str] = []
    answer = page(alice, "/items", q="oak", limit=2)
    for n in range(20):
        seen += names(answer["items"])
        if n < 4:
            alice.patch(f"/item/gone {n}", {"name": f"an oak {n}"})
            fill(alice, [{"name": f"oak new {n}"}, {"name": f"o{n}", "description": "oak"}])
        if n == 0:
            alice.delete(f"/item/{touched.pop()}")
        if "next" not in answer:
            break
        answer = alice.get(answer["next"]).json
    assert len(seen) == len(set(seen)), "repeated"
    assert lasting <= set(seen), "dropped"
    assert "next" not in answer


def test_a_cursor_is_good_for_its_own_order_only(alice: Person) -> None:
    fill(alice, ({"name": f"oak {n}"} for n in range(3)))
    orders = ("rank", "id", "-id", "name", "-name", "updated", "-updated")
    for of in orders:
        cursor = page(alice, "/items", q="oak", limit=1, sort=of)["next"].partition("cursor=")[2]
        for sort in orders:
            answer = alice.get(f"/items?q=oak&limit=1&sort={sort}&cursor={cursor}")
            assert (of, sort, answer.status_code) == (of, sort, 200 if sort == of else 400)


def test_what_is_not_searched_has_no_rank(alice: Person) -> None:
    answer = alice.get("/items?sort=rank")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "sort")


def test_a_search_begins_with_the_words_whatever_else_is_asked_for(engine: sa.Engine) -> None:
    """Without statistics SQLite has tried each item that a filter left: a search took seconds, and held up the others.

    PostgreSQL has statistics of its own.
    """
    if engine.dialect.name != "sqlite":
        return
    wanted = item_list.Filter(store=1, q="oak", price_min=PriceInput(1), in_stock=True)
    with engine.connect() as conn:
        shape, values = item_list.prepare(conn, wanted)
        select, _ = item_queries.select_items(shape)
        text = str(select.params(values).compile(engine, compile_kwargs={"literal_binds": True}))
        steps = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    (words_at,) = [number for number, step in enumerate(steps) if "item_search VIRTUAL TABLE" in step]
    (items_at,) = [number for number, step in enumerate(steps) if " items " in step]
    assert words_at < items_at
