"""Many items in one request, of several stores: each row adds an item, or changes the one of its name."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from storekeeper.errors import FieldError, Forbidden, Invalid, InvalidField, NotFound, StorekeeperError
from storekeeper.models import item, item_batch, store_member
from storekeeper.models.item import Item
from storekeeper.models.item_batch import BatchPlan, GivenRow


class UpsertRow(msgspec.Struct, frozen=True):
    """What a row says of an item, by field; its name is among them."""

    store_id: int
    fields: Mapping[str, Any]


# Stored answers have the tags of these two, whatever the classes are called.
class Accepted(msgspec.Struct, frozen=True, tag="Accepted"):
    """What became of a row: the item as it is now, and whether it is new."""

    item: Item
    is_new: bool


class Refused(msgspec.Struct, frozen=True, tag="Refused"):
    """Why a row was not taken: what the error says that the row alone would have had."""

    status: int
    code: str
    message: str
    errors: list[FieldError]


Outcome = Accepted | StorekeeperError


def put(
    conn: Connection, user_id: int, rows: Sequence[UpsertRow | StorekeeperError], is_lenient: bool
) -> list[Accepted | Refused]:
    """All rows, in their order. Unless `is_lenient`, the first error is raised, and nothing is done."""
    outcomes: dict[int, Outcome] = {}
    by_store: dict[int, list[GivenRow]] = {}
    for number, row in enumerate(rows):
        if isinstance(row, UpsertRow):
            by_store.setdefault(row.store_id, []).append(GivenRow(number, row.fields))
        else:
            outcomes[number] = row
    for store_id, drafts in sorted(by_store.items()):  # in one order, so that two requests do not wait for each other
        outcomes |= _put_into(conn, user_id, store_id, drafts)
    if not is_lenient:
        _raise_flaws(outcomes)
    return [_told(outcomes[number]) for number in range(len(rows))]


def _put_into(conn: Connection, user_id: int, store_id: int, drafts: list[GivenRow]) -> dict[int, Outcome]:
    try:
        of = store_member.require_clerk(conn, user_id, store_id)
    except (Forbidden, NotFound) as error:
        return {each.line: error for each in drafts}
    made = item_batch.plan(conn, of, drafts, is_final=True)
    ids = _ids(made, item_batch.apply(conn, of, made))
    return {**_refused(made), **_done(conn, made, ids)}


def _refused(plan: BatchPlan) -> dict[int, Outcome]:
    """What is wrong with each row that cannot be taken."""
    fields: dict[int, list[InvalidField]] = {}
    for each in plan.refusals:
        fields.setdefault(each.line, []).append(InvalidField(each.field or "", each.message))
    return {line: Invalid(message=found[0].message, fields=found) for line, found in fields.items()}


def _ids(plan: BatchPlan, added: Sequence[int]) -> dict[int, int]:
    """The item of each row."""
    new = {each.line: id for each, id in zip(plan.adds, added, strict=True)}
    return new | {each.line: each.now.id for each in (*plan.changes, *plan.unchanged)}


def _done(conn: Connection, plan: BatchPlan, ids: Mapping[int, int]) -> dict[int, Outcome]:
    found = {each.id: each for each in item.find_all(conn, list(ids.values()))} if ids else {}
    new = {each.line for each in plan.adds}
    return {line: Accepted(found[id], line in new) for line, id in ids.items()}


def _told(outcome: Outcome) -> Accepted | Refused:
    if isinstance(outcome, Accepted):
        return outcome
    errors = outcome.field_errors() if isinstance(outcome, Invalid) else []
    return Refused(outcome.status, outcome.code, str(outcome), errors)


def _raise_flaws(outcomes: Mapping[int, Outcome]) -> None:
    """The first that is no fault of a field, or else all that are."""
    fields: list[InvalidField] = []
    for number, outcome in sorted(outcomes.items()):
        if isinstance(outcome, Invalid):
            own = [InvalidField(f"{number}.{each.field}", each.message) for each in outcome.fields]
            fields += own or [InvalidField(str(number), outcome.message)]
        elif isinstance(outcome, StorekeeperError):
            raise outcome
    if fields:
        raise Invalid("rows_refused", first=fields[0].message, fields=fields)
