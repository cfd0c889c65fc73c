"""The ways that a search may take on PostgreSQL: which one it takes, and that all of them find the same."""

import pytest
import sqlalchemy as sa

from storekeeper.domain import search_words
from storekeeper.models import item_list, item_queries, item_search
from tests.conftest import Person
from tests.support.item_catalogues import best_first, empty, fill, names, page, walk

pytestmark = pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite has one way only


@pytest.fixture(autouse=True)
def _no_items(engine: sa.Engine) -> None:
    empty(engine)


@pytest.mark.parametrize("ways", [(False, False), (False, True), (True, True)])
def test_all_ways_find_the_same(ways: tuple[bool, bool], alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_search, "choose_plan", lambda *_: item_search.ScanPlan(*ways))
    alice.post("/store/aldi")
    items = fill(alice, ({"name": f"{n} {'oak' if n % 3 else 'elm'}", "description": "oak"} for n in range(9)))
    others = fill(alice, [{"name": "oak"}, {"name": "elm", "tags": ["red"]}], 2)
    for q in ("oak", "o", "elm", "1 oak", "elm oak", "ash"):
        assert walk(alice, "/items", q=q, limit=2) == best_first([*items, *others], q), q
        assert walk(alice, "/store/ikea/items", q=q, limit=2) == best_first(items, q), q
    assert names(walk(alice, "/items", q="elm", tag="red")) == ["elm"]
    for sort in ("id", "-id", "name", "-updated"):
        listed = names(page(alice, "/items", sort=sort)["items"])
        assert names(walk(alice, "/items", q="o", sort=sort, limit=3)) == [name for name in listed if name != "elm"]
    answer = alice.get("/items?q=oak&limit=1", headers={"Prefer": "count=exact"})
    assert answer.json["total"] == 10


def test_it_walks_where_enough_of_a_sample_match(alice: Person, engine: sa.Engine) -> None:
    """Of so few items, the sample is all."""
    fill(alice, ({"name": f"elm {n}" if n else "fir", "description": "oak"} for n in range(item_search.COMMON)))
    assert _ways(engine, "elm", "fir", "oak") == [(False, False), (False, False), (False, True)]
    fill(alice, [{"name": "elm"}])
    assert _ways(engine, "elm", "e", "elm fir") == [(True, True), (True, True), (False, False)]


def _ways(engine: sa.Engine, *queries: str) -> list[item_search.ScanPlan]:
    def asked(q: str, *, is_title: bool) -> str:
        return item_search.expression(
            "postgresql", item_search.SearchTerms(search_words.split_words(q), []), is_title=is_title
        )

    with engine.connect() as conn:
        return [item_search.choose_plan(conn, asked(q, is_title=False), asked(q, is_title=True)) for q in queries]


@pytest.mark.parametrize("is_walk", [False, True])
def test_no_plan_depends_on_the_words(is_walk: bool, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """So PostgreSQL makes it once. To make one takes longer than to search."""
    monkeypatch.setattr(item_search, "choose_plan", lambda *_: item_search.ScanPlan(is_walk, is_walk))
    with engine.connect() as conn:
        shape, values = item_list.prepare(conn, item_list.Filter(q="oak"))
        select, _ = item_queries.select_items(shape)
        text = str(select.params(values).compile(engine, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(conn.exec_driver_sql(f"EXPLAIN {text}").scalars())
    assert "oak" in text
    assert "document" in plan
    assert "oak" not in plan
