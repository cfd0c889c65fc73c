"""Catalogues to be listed and searched, and what a list of one has to be: found out by looking at every item."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from falcon import testing
from hypothesis import HealthCheck, settings

from storekeeper.domain import search_words
from storekeeper.models import item_search
from storekeeper.models.item import items
from tests.conftest import Person
from tests.support.databases import transaction

Item = dict[str, Any]

# Each example empties the database itself.
PROPERTY = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def empty(engine: sa.Engine) -> None:
    """All stores without items."""
    with transaction(engine) as conn:
        item_search.drop(conn, sa.select(items.c.id).scalar_subquery())
        conn.execute(sa.delete(items))


def fill(person: Person, rows: Iterable[Item], store_id: int = 1) -> list[Item]:
    """The items as they are answered. A price is not needed."""
    answer = person.post("/items/bulk", [{"store_id": store_id, "price": 1} | row for row in rows])
    assert answer.status_code == 200, answer.text
    return [result["item"] for result in answer.json["results"]]


def page(person: Person, path: str, **query: Any) -> Any:
    """The answer to a list. A query that is None is left out."""
    given = {name: value for name, value in query.items() if value is not None}
    answer = person.get(f"{path}?{urlencode(given)}")
    assert answer.status_code == 200, answer.text
    return answer.json


def walk(person: Person, path: str, **query: Any) -> list[Item]:
    """All items of a list, page by page."""
    answer = page(person, path, **query)
    found = list(answer["items"])
    while following := answer.get("next"):
        answer = person.get(following).json
        found += answer["items"]
        assert answer["items"], "no page is empty"
    return found


def wrong(answer: testing.Result) -> set[str]:
    """The fields that a refusal names."""
    assert (answer.status_code, answer.json["error"]) == (400, "invalid"), answer.text
    return {each["field"] for each in answer.json["errors"]}


def names(items: Sequence[Item]) -> list[str]:
    return [each["name"] for each in items]


def best_first(items: Iterable[Item], q: str) -> list[Item]:
    """What a search finds, in its order."""
    ranks = [(rank, len(each["name"]), each["id"], each) for each in items if (rank := tier(each, q)) is not None]
    return [each for *_, each in sorted(ranks, key=lambda found: found[:3])]


def tier(item: Item, q: str) -> int | None:
    """0 for the item of that very name, 1 for one with the words in its title, 2 for one with them anywhere."""
    title = search_words.split_words(f"{item['name']} {item['sku'] or ''} {item['barcode'] or ''}")
    body = search_words.split_words(f"{item['description']} {' '.join(item['tags'])}")
    wanted = search_words.split_words(q)
    if not _have(title + body, wanted):
        return None
    if item["name"] == unicodedata.normalize("NFC", q).replace("\0", ""):
        return 0
    return 1 if _have(title, wanted) else 2


def _have(text: Sequence[str], wanted: Sequence[str]) -> bool:
    return all(any(word.startswith(beginning) for word in text) for beginning in wanted)
