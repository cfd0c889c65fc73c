"""Names of stores and items have no white space at their ends, and are neither `.` nor `..`, which no path can hold.

What was so is renamed. Where two names meet, the later gets ` (2)`, or the next number that is free. What has no name
left is called by its id, as `item-5` or `store-3`. Each renaming is a change of the server's in the journal.
"""

import json
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
NAMELESS = ("", ".", "..")
LENGTH = 80
MAX_LISTED = 500
# The lock of the journal: see its model. On PostgreSQL a row's id is given out before the row can be seen.
LOCK = 0x53746F72 << 32
# Of the currencies that have not two.
DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

_stores = sa.table(
    "stores",
    *map(sa.column, ("id", "name", "currency", "version")),
    sa.column("negative_stock", sa.Boolean),
)
_items = sa.table(
    "items",
    *map(sa.column, ("id", "store_id", "name", "price_minor", "sku", "barcode", "description", "tags", "stock")),
    *map(sa.column, ("archived_at", "image", "updated_at", "version")),
)


class Renamed(NamedTuple):
    """What has another name now. `store` is the name of an item's store."""

    kind: str
    id: int
    store: str | None
    old: str
    new: str

    def __str__(self) -> str:
        place = f" of the store {self.store!r}" if self.store else ""
        return f"{self.kind} {self.id}{place}: {self.old!r} is now {self.new!r}"


def upgrade() -> None:
    conn = op.get_bind()
    renamed = [*_rename_stores(conn), *_rename_items(conn)]
    if renamed:
        _tell(renamed)


def _rename_stores(conn: sa.Connection) -> Iterator[Renamed]:
    wrong = conn.execute(sa.select(_stores).where(_is_wrong(_stores.c.name)).order_by(_stores.c.id))
    for row, name in _new_names(conn, _stores, sa.true(), list(wrong), "store"):
        values = {"name": name, "version": row.version + 1}
        conn.execute(sa.update(_stores).where(_stores.c.id == row.id).values(values))
        now = {**row._mapping, **values}
        told = {key: now[key] for key in ("id", "name", "currency", "negative_stock", "version")}
        _note(conn, "store", row.id, row, {key: json.dumps(value, ensure_ascii=False) for key, value in told.items()})
        yield Renamed("store", row.id, None, row.name, name)


def _rename_items(conn: sa.Connection) -> Iterator[Renamed]:
    by_store: dict[int, list[Any]] = defaultdict(list)
    for row in conn.execute(sa.select(_items).where(_is_wrong(_items.c.name)).order_by(_items.c.id)):
        by_store[row.store_id].append(row)
    for store_id, wrong in sorted(by_store.items()):
        of = conn.execute(sa.select(_stores).where(_stores.c.id == store_id)).one()
        for row, name in _new_names(conn, _items, _items.c.store_id == store_id, wrong, "item"):
            values = {"name": name, "version": row.version + 1, "updated_at": int(time.time())}
            conn.execute(sa.update(_items).where(_items.c.id == row.id).values(values))
            now = {**row._mapping, **values}
            _index(conn, now)
            _note(conn, "item", store_id, row, _item(now, of.currency))
            yield Renamed("item", row.id, of.name, row.name, name)


def _is_wrong(name: sa.ColumnClause[Any]) -> sa.ColumnElement[bool]:
    first, last = sa.func.substr(name, 1, 1), sa.func.substr(name, sa.func.length(name), 1)
    return sa.or_(first.in_(list(WHITE_SPACE)), last.in_(list(WHITE_SPACE)), name.in_(NAMELESS))


def _new_names(
    conn: sa.Connection, table: sa.TableClause, scope: sa.ColumnElement[bool], wrong: list[Any], kind: str
) -> Iterator[tuple[Any, str]]:
    """Each row that is to be renamed, with its name: in an order in which no name is given while another has it."""

    def find(name: str) -> list[Any]:
        return list(conn.execute(sa.select(table).where(scope, table.c.name == name)))

    wishes: dict[str, list[Any]] = defaultdict(list)
    for row in wrong:
        name = row.name.strip(WHITE_SPACE)
        wishes[f"{kind}-{row.id}" if name in NAMELESS else name].append(row)
    taken = set(wishes)
    for name, rows in wishes.items():
        first, *later = sorted([*rows, *find(name)], key=lambda row: row.id)
        number = 2
        for row in later:
            while (numbered := _numbered(name, number)) in taken or find(numbered):
                number += 1
            taken.add(numbered)
            yield row, numbered
        if first.name != name:
            yield first, name


def _numbered(name: str, number: int) -> str:
    ending = f" ({number})"
    return name[: LENGTH - len(ending)].rstrip(WHITE_SPACE) + ending


# The journal


def _item(now: dict[str, Any], currency: str) -> dict[str, str]:
    """The members of an item as the API shows it, in JSON: a price has all the digits of its currency."""
    digits = next((digits for digits, codes in DIGITS.items() if currency in codes), 2)
    whole, part = divmod(now["price_minor"], 10**digits)
    told = {
        "id": now["id"],
        "name": now["name"],
        "price": None,
        "store_id": now["store_id"],
        "currency": currency,
        "sku": now["sku"],
        "barcode": now["barcode"],
        "description": now["description"],
        "tags": now["tags"].split(";") if now["tags"] else [],
        "stock": now["stock"],
        "archived": now["archived_at"] is not None,
        "image": f"/images/{now['image']}" if now["image"] else None,
        "updated_at": now["updated_at"],
        "version": now["version"],
    }
    members = {key: json.dumps(value, ensure_ascii=False) for key, value in told.items()}
    return members | {"price": f"{whole}.{part:0{digits}}" if digits else str(whole)}


def _note(conn: sa.Connection, kind: str, store_id: int, before: Any, after: dict[str, str]) -> None:
    values = {
        "at": int(time.time()),
        "author_kind": "server",
        "request": "",
        "kind": kind,
        "action": "update",
        "store_id": store_id,
        "subject_id": before.id,
        "version": before.version + 1,
        "before": json.dumps({"name": before.name}, ensure_ascii=False, separators=(",", ":")),
        "after": "{" + ",".join(f'"{key}":{value}' for key, value in after.items()) + "}",
    }
    if conn.dialect.name == "postgresql":
        lock = "SELECT pg_advisory_xact_lock_shared(:lock + last_value - (NOT is_called)::int) FROM changes_id_seq"
        conn.execute(sa.text(lock), {"lock": LOCK})
    conn.execute(sa.insert(sa.table("changes", *map(sa.column, values))).values(values))


# The index of words: what `storekeeper.words` and `models.search` did when this was written

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_CJK = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def _index(conn: sa.Connection, item: dict[str, Any]) -> None:
    title = _words(" ".join(filter(None, (item["name"], item["sku"], item["barcode"]))))
    marks = [f"\xa7t{tag.encode().hex()}" for tag in item["tags"].split(";")] if item["tags"] else []
    body = [*_words(f"{item['description']} {item['tags']}"), f"\xa7s{item['store_id']}", *marks]
    if conn.dialect.name == "sqlite":
        values = {"id": item["id"], "title": " ".join(title), "body": " ".join(body)}
        statement = "INSERT OR REPLACE INTO item_search (rowid, title, body) VALUES (:id, :title, :body)"
    else:
        document = " ".join(f"'{word}'" for word in (*(f"\xb6{word}" for word in title), *body))
        values = {"id": item["id"], "document": document}
        statement = "UPDATE item_search SET document = CAST(:document AS tsvector) WHERE rowid = :id"
    conn.execute(sa.text(statement), values)


def _words(text: str) -> list[str]:
    plain = (char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char)[0] != "M")
    return [word[:100] for word in _WORD.findall("".join(plain).casefold().translate(_LETTERS))]


def _tell(renamed: list[Renamed]) -> None:
    config = op.get_context().config
    assert config
    notices = config.attributes["notices"]
    notices.append(
        "Names of stores and items have no white space at their ends any more, and are neither '.' nor '..'. "
        f"Renamed, also in the journal: {len(renamed):,}."
    )
    notices += map(str, renamed[:MAX_LISTED])
    if len(renamed) > MAX_LISTED:
        notices.append(f"And {len(renamed) - MAX_LISTED:,} more, which `storekeeper audit` lists.")
