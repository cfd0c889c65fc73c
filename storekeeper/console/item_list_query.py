"""Lists of items as a reader asks for them: what stands in the address, and the addresses of the lists beside it."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from storekeeper.console import forms
from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest
from storekeeper.errors import Invalid
from storekeeper.models.item_list import Filter
from storekeeper.models.paging import PageRequest

ROWS = 50
SORTS = Literal["name", "-name", "price", "-price", "stock", "-stock", "updated", "-updated", "rank", ""]


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted; an empty field wants nothing. `after` and `before` are cursors."""

    q: str = ""
    tag: str = ""
    stock: Literal["in", "out", ""] = ""
    archived: Literal["no", "yes", "any", ""] = ""
    price_min: str = ""
    price_max: str = ""
    sort: SORTS = ""
    after: str = ""
    before: str = ""

    def filter(self, store: str | None) -> Filter:
        prices = {name: text for name in ("price_min", "price_max") if (text := getattr(self, name).strip())}
        read = {name: forms.price(text, name) for name, text in prices.items()}
        return Filter(
            store=store,
            q=self.q.strip() or None,
            tag=self.tag.strip() or None,
            in_stock={"in": True, "out": False}.get(self.stock),
            archived=self.archived or "no",
            price_min=read.get("price_min"),
            price_max=read.get("price_max"),
        )

    @property
    def order(self) -> str:
        """What is searched comes by rank, unless it is sorted otherwise. There is no rank without words."""
        if self.q.strip():
            return self.sort or "rank"
        return "name" if self.sort in ("", "rank") else self.sort

    def page_request(self) -> PageRequest:
        return PageRequest(ROWS, self.before or self.after, self.order)

    @property
    def is_filtered(self) -> bool:
        return any(getattr(self, name) for name in FILTERS)


FILTERS = ("q", "tag", "stock", "archived", "price_min", "price_max")


def read(req: ConsoleRequest) -> ListQuery:
    """Invalid for what no link or form of ours asks for."""
    given = {name: req.get_param(name) or "" for name in ListQuery.__struct_fields__}
    return forms.convert(given, ListQuery)


class ListLinks:
    """The list that is shown, and how to get to its neighbours."""

    def __init__(self, segments: tuple[str, ...], query: ListQuery) -> None:
        self.segments = segments
        self.query = query

    def to(self, **changes: Any) -> str:
        """The address of the list with these changes, from its first page on."""
        kept: Mapping[str, Any] = msgspec.structs.asdict(self.query) | {"after": "", "before": ""}
        return url(*self.segments, **(dict(kept) | changes))

    def export(self, format: str) -> str:
        """The address of all that is found, as a file."""
        return url(*self.segments, "export", format, **{name: getattr(self.query, name) for name in FILTERS})

    @property
    def here(self) -> str:
        return self.to(after=self.query.after, before=self.query.before)

    @property
    def first(self) -> str:
        return self.to()

    def sorted_by(self, key: str) -> str:
        """The list sorted by a column; by the one that it is sorted by already, the other way round."""
        return self.to(sort=f"-{key}" if self.query.order == key else key)

    def direction(self, key: str) -> str | None:
        """How the list is sorted by a column, as ARIA has it."""
        return {key: "ascending", f"-{key}": "descending"}.get(self.query.order)


def read_place(place: str) -> ListQuery:
    """What the list asked for whose address this is."""
    pairs = dict(parse_qsl(urlsplit(place).query))
    try:
        return forms.convert({name: pairs.get(name, "") for name in ListQuery.__struct_fields__}, ListQuery)
    except Invalid:
        return ListQuery()
