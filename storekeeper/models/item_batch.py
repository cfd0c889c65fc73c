"""Many items of a store at once: what it would do, and doing it. For bulk requests and for imports.

`plan` compares drafts with what is there and says for each whether it would be added, changed or left, or why it is
refused; `apply` does what is planned, by the fastest way that each database has.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from storekeeper.database import dialects, records
from storekeeper.errors import Conflict, Invalid
from storekeeper.messages import ErrorMessage
from storekeeper.models import item, item_fields, item_search, journal, store
from storekeeper.models.item import SEARCHED, ItemRow, items
from storekeeper.models.item_fields import BY_NAME, REQUIRED
from storekeeper.models.store import Store

Key = Literal["name", "sku", "barcode"]

KEYS: tuple[Key, ...] = get_args(Key)

_NEW = item_fields.DEFAULTS | {"image": None, "version": 1}


class GivenRow(msgspec.Struct, frozen=True):
    """What one row says of an item, by field. `line` tells the rows apart, for whoever sent them."""

    line: int
    fields: Mapping[str, Any]


class RefusedRow(msgspec.Struct, frozen=True):
    """Why a row cannot be taken."""

    line: int
    field: str | None
    message: ErrorMessage


class CheckedRow(msgspec.Struct, frozen=True):
    """The checked fields of one row: columns with their values."""

    line: int
    values: dict[str, Any]


class PlannedChange(msgspec.Struct, frozen=True):
    """What is to change of an item: its row as it is, and the columns that differ."""

    line: int
    now: ItemRow
    values: dict[str, Any]


class BatchPlan(msgspec.Struct, frozen=True):
    adds: list[CheckedRow]
    changes: list[PlannedChange]
    unchanged: list[PlannedChange]
    refusals: list[RefusedRow]


# Of a field, and rows that have it: those that are not the first to have their value, and the line that is.
First = Callable[[Key, Sequence[CheckedRow]], Mapping[int, int]]


def plan(
    conn: Connection, store: Store, drafts: Iterable[GivenRow], key: Key = "name", *, is_final: bool = False
) -> BatchPlan:
    """What these drafts would do to the store's items: see `compare`."""
    refusals: list[RefusedRow] = []
    made = compare(conn, store, list(_checked(drafts, store, refusals)), key, is_final=is_final)
    refusals += made.refusals
    return msgspec.structs.replace(made, refusals=sorted(refusals, key=lambda refusal: refusal.line))


def _checked(drafts: Iterable[GivenRow], store: Store, refusals: list[RefusedRow]) -> Iterable[CheckedRow]:
    """The drafts as columns, without those that are refused by themselves."""
    for each in drafts:
        try:
            yield CheckedRow(each.line, item_fields.columns(each.fields, store))
        except Invalid as error:
            refusals += [RefusedRow(each.line, flaw.field, flaw.message) for flaw in error.fields]


def compare(
    conn: Connection,
    target_store: Store,
    rows: Sequence[CheckedRow],
    key: Key = "name",
    *,
    first: First | None = None,
    is_final: bool = False,
) -> BatchPlan:
    """What these rows would do to the store's items. An item is known by its `key`.

    No two rows may have one name, SKU or barcode, nor one that another item has now, even if it is to give that up.
    `first` remembers those of all plans that belong together. If the plan `is_final`, the items are locked until the
    transaction ends, and no other final plan for the store is made before.
    """
    if is_final:
        store.take_turns(conn, target_store)
    made = BatchPlan([], [], [], [])
    rows = _unrepeated(_known(rows, key, made.refusals), first or _first, made.refusals)
    holders = _find_holders(conn, target_store, rows, is_final=is_final)
    for row in rows:
        now = holders[key].get(row.values[key])
        values = row.values if now is None else now.differences(row.values)
        if refusal := _conflict(row, now, holders) or _forbidden(row, now, target_store):
            made.refusals.append(refusal)
        elif now is None:
            made.adds.append(row)
        elif values:
            made.changes.append(PlannedChange(row.line, now, values))
        else:
            made.unchanged.append(PlannedChange(row.line, now, {}))
    made.refusals.sort(key=lambda refusal: refusal.line)
    return made


def _known(rows: Iterable[CheckedRow], key: Key, refusals: list[RefusedRow]) -> list[CheckedRow]:
    """The rows that say which item they mean."""
    message = ErrorMessage("row_key_missing", label=BY_NAME[key].label)
    refusals += [RefusedRow(row.line, key, message) for row in rows if row.values.get(key) is None]
    return [row for row in rows if row.values.get(key) is not None]


def _unrepeated(rows: Sequence[CheckedRow], first: First, refusals: list[RefusedRow]) -> list[CheckedRow]:
    """The rows without those that have what an earlier one has: nobody could say which is meant."""
    repeated: set[int] = set()
    for field in KEYS:
        having = [row for row in rows if row.values.get(field) is not None]
        for line, earlier in first(field, having).items():
            message = ErrorMessage("row_repeats", line=earlier, label=BY_NAME[field].label)
            refusals.append(RefusedRow(line, field, message))
            repeated.add(line)
    return [row for row in rows if row.line not in repeated]


def _first(field: Key, rows: Sequence[CheckedRow]) -> dict[int, int]:
    seen: dict[str, int] = {}
    lines = {row.line: seen.setdefault(row.values[field], row.line) for row in rows}
    return {line: earlier for line, earlier in lines.items() if line != earlier}


Holders = Mapping[str, Mapping[str, ItemRow]]


def _find_holders(conn: Connection, store: Store, rows: Sequence[CheckedRow], *, is_final: bool) -> Holders:
    """The store's items that have one of these names, SKUs or barcodes, by each of the three."""
    holders: dict[str, dict[str, ItemRow]] = {}
    for field in KEYS:
        wanted = [value for row in rows if (value := row.values.get(field)) is not None]
        query = _query_holders(conn, store, field, wanted)
        query = query.with_for_update(of=items) if is_final else query
        found = records.fetch_all(conn, query, ItemRow) if wanted else ()
        holders[field] = {getattr(row, field): row for row in found}
    return holders


def _query_holders(conn: Connection, store: Store, field: str, wanted: list[str]) -> sa.Select[Any]:
    values = dialects.column_of(conn, wanted)
    is_held = sa.and_(items.c.store_id == store.id, items.c[field] == values.c.value)
    if conn.dialect.name == "postgresql":
        return sa.select(items).join(values, is_held)
    # An outer join, as that keeps SQLite's planner from reading the whole store; and only of the ids, as it has a row
    # for each value.
    found = sa.select(items.c.id).select_from(values).join(items, is_held, isouter=True)
    return sa.select(items).where(items.c.id.in_(found))


def _conflict(row: CheckedRow, current: ItemRow | None, holders: Holders) -> RefusedRow | None:
    if current is None:
        for field in REQUIRED:
            if field.column not in row.values:
                return RefusedRow(row.line, field.name, ErrorMessage("row_incomplete", label=field.label))
    for key in KEYS:
        holder = holders[key].get(row.values.get(key, ""))
        if holder is not None and (current is None or holder.id != current.id):
            label, value = BY_NAME[key].label, row.values[key]
            message = ErrorMessage("item_value_taken", name=holder.name, label=label, value=value)
            return RefusedRow(row.line, key, message)
    return None


def _forbidden(row: CheckedRow, current: ItemRow | None, store: Store) -> RefusedRow | None:
    try:
        item_fields.check_stock(row.values, store, current.stock if current else 0)
    except Invalid as error:
        return RefusedRow(row.line, "stock", error.message)
    return None


def apply(conn: Connection, store: Store, plan: BatchPlan) -> list[int]:
    """Add and change what is planned. Conflict where somebody was faster. Returns the ids of what was added."""
    now = int(time.time())
    try:
        _change(conn, store, plan.changes, now)
        return _add(conn, store, plan.adds, now)
    except IntegrityError as error:
        raise Conflict from error


def _change(conn: Connection, store: Store, changes: Sequence[PlannedChange], now: int) -> None:
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    rows: list[ItemRow] = []
    for each in changes:
        values = each.values | {"updated_at": now, "version": each.now.version + 1}
        by_columns.setdefault(tuple(values), []).append({f"new_{name}": value for name, value in values.items()})
        by_columns[tuple(values)][-1]["wanted"] = each.now.id
        rows.append(each.now._replace(**values))
    for columns, alike in by_columns.items():
        statement = sa.update(items).where(items.c.id == sa.bindparam("wanted"))
        conn.execute(statement.values({column: sa.bindparam(f"new_{column}") for column in columns}), alike)
    pairs = list(zip(changes, rows, strict=True))
    item_search.index(conn, [item.search_entry(row) for each, row in pairs if SEARCHED & each.values.keys()])
    journal.append(conn, *(item.changed(store, each.now, row) for each, row in pairs))


def _add(conn: Connection, store: Store, adds: Sequence[CheckedRow], now: int) -> list[int]:
    ids = _next_ids(conn, len(adds))
    always = _NEW | {"store_id": store.id, "updated_at": now}
    values = [always | each.values | {"id": id} for id, each in zip(ids, adds, strict=True)]
    if values:
        dialects.insert_many(conn, items.name, values)
        rows = [ItemRow(**each) for each in values]
        item_search.add(conn, [item.search_entry(row) for row in rows])
        journal.append(conn, *(item.added(store, row) for row in rows))
    return ids


def _next_ids(conn: Connection, count: int) -> list[int]:
    if not count:
        return []
    if conn.dialect.name == "sqlite":  # nobody else writes now
        last = conn.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'items'")) or 0
        return list(range(last + 1, last + 1 + count))
    sequence = sa.func.nextval(sa.func.pg_get_serial_sequence("items", "id"))
    return list(conn.scalars(sa.select(sequence).select_from(sa.func.generate_series(1, count))))
