"""Changes of the journal as sentences."""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from markupsafe import Markup

from storekeeper.console.templating import as_told, count, money, url
from storekeeper.models.item_fields import ITEM_FIELDS, ItemField
from storekeeper.models.journal_feed import Entry
from storekeeper.models.store import STORE_FIELDS, StoreField

Fields = Mapping[str, Any]
Phrase = Callable[[Fields, Fields], Markup | str]

LONGEST = 60  # characters of what is quoted


class ActivityLine(msgspec.Struct, frozen=True):
    """A change in words. `what` has a sentence's end for each of the things that were done at once."""

    id: int
    at: int
    who: str
    what: list[Markup]
    can_undo: bool


def describe(entry: Entry, stores: Mapping[int, str] | None = None, *, is_of_one_store: bool = False) -> ActivityLine:
    """With the names of stores, the sentences say of what they are, and lead there; without, it is known.

    Where all is of one store, it need not be said each time.
    """
    before, after = _decoded(entry.before), _decoded(entry.after)
    subject = None if stores is None else _subject(entry, before, after, stores, is_of_one_store)
    phrases = [_about(phrase, subject) for phrase in _phrases(entry, before, after)]
    can_undo = entry.kind == "item" and entry.action == "update" and bool(before)
    return ActivityLine(entry.id, entry.at, _author(entry), phrases or [_about("changed nothing", subject)], can_undo)


def _decoded(raw: msgspec.Raw | None) -> dict[str, Any]:
    """Prices with all their digits."""
    return json.loads(bytes(raw), parse_float=Decimal) if raw else {}


def _author(entry: Entry) -> str:
    if entry.author_kind in ("operator", "server"):
        return f"The {entry.author_kind}"
    return entry.username or f"User {entry.user_id}, who was deleted,"


def _subject(entry: Entry, before: Fields, after: Fields, stores: Mapping[int, str], is_of_one_store: bool) -> Markup:
    """What the change is of, as a link where there is something to see."""
    known = {**before, **after}
    name = known.get("name") or known.get("username") or str(entry.subject_id)
    store = stores.get(entry.store_id or 0)
    if store is None or entry.kind == "user":
        return Markup("<b>{}</b>").format(name)
    place = ["store", store, *(["item", name] if entry.kind == "item" else [])]
    if entry.kind == "member":
        place.append("members")
    form = "<b>{1}</b>" if entry.action == "delete" else '<a href="{0}">{1}</a>'
    link = Markup(form).format(url(*place), name)  # noqa: S704
    if entry.kind == "store" or is_of_one_store:
        return link
    return link + Markup(' in <a href="{}">{}</a>').format(url("store", store), store)


def _about(phrase: Markup | str, subject: Markup | None) -> Markup:
    """`~` stands for the thing itself, `^` for `of the thing`."""
    text = Markup.escape(phrase)
    return text.replace("~", subject or Markup("it")).replace("^", Markup(" of ") + subject if subject else "")


def _phrases(entry: Entry, before: Fields, after: Fields) -> Iterable[Markup | str]:
    if entry.kind == "item":
        return _of_item(entry, before, after)
    if entry.kind == "member":
        return [_of_member(entry, before, after)]
    return _of_store(entry, before, after) if entry.kind == "store" else _of_user(entry, before, after)


def _of_item(entry: Entry, before: Fields, after: Fields) -> Iterable[Markup | str]:
    if entry.action == "create":
        return [_form("added ~ at {}", _price(after["price"], after))]
    if entry.action == "delete":
        return [_form("deleted ~, which cost {}", _price(before["price"], before))]
    return [phrase(before, after) for field, phrase in _ITEM.items() if field in before]


def _of_store(entry: Entry, before: Fields, after: Fields) -> Iterable[Markup | str]:
    if entry.action != "update":
        return ["created ~" if entry.action == "create" else "deleted ~"]
    return [phrase(before, after) for field, phrase in _STORE.items() if field in before]


def _of_member(entry: Entry, before: Fields, after: Fields) -> str:
    if entry.action == "delete":
        return "removed ~ from the store"
    role = "an owner" if after["role"] == "owner" else "a clerk"
    return f"added ~ as {role}" if entry.action == "create" else f"made ~ {role}"


def _of_user(entry: Entry, before: Fields, after: Fields) -> Iterable[Markup | str]:
    if entry.action != "update":
        return [
            {"create": "opened the account ~", "delete": "deleted the account ~", "password": "changed the password^"}[
                entry.action
            ]
        ]
    return [phrase(before, after) for field, phrase in _USER.items() if field in before]


def _form(form: str, *values: object) -> Markup:
    return Markup(form).format(*(_safe(value) for value in values))  # noqa: S704


def _safe(value: object) -> object:
    """A value must not be taken for the thing that the sentence is about."""
    if isinstance(value, Markup):
        return value
    return Markup.escape(value).replace("~", Markup("&#126;")).replace("^", Markup("&#94;"))


def _price(amount: Any, fields: Fields) -> Markup:
    return money(Decimal(amount), fields["currency"])


def _quoted(text: str | None) -> Markup | str:
    if not text:
        return "nothing"
    return _form("“{}”", text if len(text) <= LONGEST else text[:LONGEST] + "…")


def _price_phrase(before: Fields, after: Fields) -> Markup:
    verb = "raised" if Decimal(after["price"]) > Decimal(before["price"]) else "lowered"
    return _form(verb + " the price^ from {} to {}", _price(before["price"], after), _price(after["price"], after))


def _stock_phrase(before: Fields, after: Fields) -> Markup:
    delta, form = after["stock"] - before["stock"], "{} {} {} the stock^: {} on hand"
    verb, side = ("added", "to") if delta > 0 else ("took", "from")
    return _form(form, verb, count(abs(delta)), side, count(after["stock"]))


def _usual_phrase(field: ItemField | StoreField) -> Phrase:
    name, form = field.name, f"changed the {field.label}^ from {{}} to {{}}"
    return lambda before, after: _form(form, _named(before[name]), _named(after[name]))


def _named(value: object) -> Markup | str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return _quoted(value) if value is None or isinstance(value, str) else as_told(value)


# What is not told like the others: that a field was changed, from what to what.
_ITEM_PHRASES: dict[str, Phrase] = {
    "name": lambda before, after: _form("renamed {} to {}", _quoted(before["name"]), _quoted(after["name"])),
    "price": _price_phrase,
    "stock": _stock_phrase,
    "archived": lambda _, after: "archived ~" if after["archived"] else "put ~ back on sale",
    "image": lambda _, after: "gave ~ a picture" if after["image"] else "removed the picture^",
}
_ITEM = {field.name: _usual_phrase(field) for field in ITEM_FIELDS} | _ITEM_PHRASES
_STORE_PHRASES: dict[str, Phrase] = {
    "name": lambda before, after: _form("renamed the store {} to {}", _quoted(before["name"]), _quoted(after["name"])),
    "negative_stock": lambda _, after: (
        "allowed negative stock^" if after["negative_stock"] else "forbade negative stock^"
    ),
}
_STORE = {field.name: _usual_phrase(field) for field in STORE_FIELDS} | _STORE_PHRASES
_USER: dict[str, Phrase] = {
    "is_admin": lambda _, after: "made ~ an administrator" if after["is_admin"] else "made ~ an ordinary user",
    "is_active": lambda _, after: "activated ~" if after["is_active"] else "deactivated ~",
    "must_change_password": lambda _, after: (
        "required a new password of ~" if after["must_change_password"] else "let ~ keep their password"
    ),
    "username": lambda before, after: _form("renamed {} to {}", before["username"], after["username"]),
}
