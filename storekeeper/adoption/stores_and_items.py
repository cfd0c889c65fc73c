"""The course's stores, items and tags: which are taken over, under which names and at which prices."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import msgspec

from storekeeper.adoption import prices, renaming
from storekeeper.adoption.decision import Decision, shown
from storekeeper.adoption.renaming import NewName
from storekeeper.adoption.source import Source
from storekeeper.domain import money, names
from storekeeper.errors import Invalid
from storekeeper.messages import ErrorMessage
from storekeeper.models import item_fields


class NewItem(msgspec.Struct, frozen=True):
    """The columns of the table, as it has them."""

    name: str
    price_minor: int
    tags: str
    description: str


class NewStore(msgspec.Struct, frozen=True):
    name: str
    items: list[NewItem]


class _Found(msgspec.Struct, frozen=True):
    """An item that is taken over; its name is still the course's."""

    id: Any
    name: Any
    price_minor: int
    tags: str
    description: str


class _Places(msgspec.Struct, frozen=True):
    """Where in the list of stores that of an item stands, by the course's id; and the one for items that have none."""

    by_id: dict[Any, int]
    lost: int | None
    lost_store: str | None

    def get(self, store_id: Any) -> int:
        place = self.by_id.get(store_id, self.lost)
        if place is None:
            raise Invalid(message=self.problem(store_id))
        return place

    def problem(self, store_id: Any) -> ErrorMessage | None:
        """What is wrong, if anything is."""
        if store_id is None:
            return ErrorMessage("adoption_store_missing")
        return None if store_id in self.by_id else ErrorMessage("adoption_store_gone", store=shown(store_id))


def plan_stores(
    source: Source, taken: Collection[str], currency: str, lost_store: str | None, decisions: list[Decision]
) -> list[NewStore]:
    """`lost_store` is the name of the store for items that have none."""
    given = renaming.assign_names(source.stores, renaming.STORES, taken)
    for (id, old), (name, reason) in zip(source.stores, given, strict=True):
        if reason:
            decisions.append(Decision("store_renamed", id, shown(old), name, reason))
    store_names = [each.name for each in given]
    by_id = {id: place for place, (id, _) in reversed([*enumerate(source.stores)])}  # the first of an id counts
    places = _Places(by_id, _lost_place(store_names, taken, lost_store), lost_store)
    items_by_place = _items_by_place(source, currency, places, decisions)
    held = [NewStore(name, _named(items_by_place[place], decisions)) for place, name in enumerate(store_names)]
    return [each for place, each in enumerate(held) if each.items or place < len(given)]


def _lost_place(store_names: list[str], taken: Collection[str], lost_store: str | None) -> int | None:
    """The place of the store for what has none: one of the course's, or one more."""
    if lost_store is None:
        return None
    name = names.of_thing(lost_store)
    if name in taken:
        raise Invalid("adoption_store_taken", name=name)
    if name not in store_names:
        store_names.append(name)
    return store_names.index(name)


def _items_by_place(
    source: Source, currency: str, places: _Places, decisions: list[Decision]
) -> dict[int, list[_Found]]:
    """The items that are taken over, by the place of their store."""
    corrected = {id: renaming.correct_name(id, old, renaming.TAGS) for id, old in source.tags}
    tags = _tags(source, corrected, decisions)
    items_by_place = defaultdict(list)
    for id, name, price, store_id, description in source.items:
        try:
            place, exact = places.get(store_id), prices.read(price, currency)
        except Invalid as error:
            told = "" if price is None else f" (price: {shown(price)!r})"
            decisions.append(Decision("item_not_taken", id, shown(name), None, f"{error}{told}"))
            continue
        if reason := places.problem(store_id):
            decisions.append(Decision("item_moved", id, shown(name), places.lost_store, str(reason)))
        if not exact.is_certain:
            amount = f"{money.from_minor(exact.minor, currency)} {currency}"
            decisions.append(Decision("price_rounded", id, price, amount, f"The price of {shown(name)!r}."))
        text = _description(id, description, decisions)
        items_by_place[place].append(_Found(id, name, exact.minor, tags.get(id, ""), text))
    _report_tags(source, corrected, {each.id for found in items_by_place.values() for each in found}, decisions)
    return items_by_place


def _description(id: Any, old: Any, decisions: list[Decision]) -> str:
    text, reason = renaming.correct_description(old)
    if reason:
        decisions.append(Decision("description_changed", id, shown(old), text, reason))
    return text


def _named(found: list[_Found], decisions: list[Decision]) -> list[NewItem]:
    """The items of a store under their names; those that are the same in everything, once."""
    single = _merged(found, decisions)
    given = renaming.assign_names([(each.id, each.name) for each in single], renaming.ITEMS)
    for each, (name, reason) in zip(single, given, strict=True):
        if reason:
            decisions.append(Decision("item_renamed", each.id, shown(each.name), name, reason))
    return [
        NewItem(name, each.price_minor, each.tags, each.description)
        for each, (name, _) in zip(single, given, strict=True)
    ]


def _merged(found: list[_Found], decisions: list[Decision]) -> list[_Found]:
    known: dict[Any, _Found] = {}
    for each in found:
        name = renaming.correct_name(each.id, each.name, renaming.ITEMS).name
        first = known.setdefault((name, each.price_minor, each.tags, each.description), each)
        if first is not each:
            reason = f"The same name, price, store, tags and description as item {first.id!r}."
            decisions.append(Decision("item_merged", each.id, shown(each.name), None, reason))
    return list(known.values())


def _tags(source: Source, corrected: dict[Any, NewName], decisions: list[Decision]) -> dict[Any, str]:
    """By the item's id, as the table has them."""
    found = defaultdict(set)
    for item_id, tag_id in source.items_tags:
        if tag_id in corrected:
            found[item_id].add(corrected[tag_id].name)
    return {item_id: _bounded(item_id, sorted(tags), decisions) for item_id, tags in found.items()}


def _report_tags(source: Source, corrected: dict[Any, NewName], taken: set[Any], decisions: list[Decision]) -> None:
    """`taken` are the ids of the items that are taken over: a tag is nothing of its own in Storekeeper."""
    used = {tag_id for item_id, tag_id in source.items_tags if item_id in taken}
    for id, old in source.tags:
        name, reason = corrected[id]
        if id not in used:
            decisions.append(Decision("tag_not_taken", id, shown(old), None, "No item that is taken over has it."))
        elif reason:
            decisions.append(Decision("tag_renamed", id, shown(old), name, reason))


def _bounded(item_id: Any, tags: list[str], decisions: list[Decision]) -> str:
    for tag in tags[item_fields.MAX_TAGS :]:
        reason = f"An item has at most {item_fields.MAX_TAGS} tags."
        decisions.append(Decision("tag_not_taken", item_id, tag, None, reason))
    return item_fields.tags(tags[: item_fields.MAX_TAGS])
