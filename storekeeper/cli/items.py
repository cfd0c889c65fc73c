"""The command line of the catalogue: find and export items, and delete unused images."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
from sqlalchemy import Connection, Engine

from storekeeper.cli import terminal
from storekeeper.cli.database_access import all_pages
from storekeeper.database import schema_version
from storekeeper.domain import times
from storekeeper.domain.money import PriceInput
from storekeeper.errors import Invalid
from storekeeper.files.storage import create_storage
from storekeeper.models import item_export, item_list, paging, store
from storekeeper.models.item_export import BEGIN, Format, Line, Place
from storekeeper.models.item_list import Filter, Sort
from storekeeper.models.item_queries import Archived
from storekeeper.services import image_retention
from storekeeper.settings import read_settings
from storekeeper.tabular import cells

F = TypeVar("F", bound=Callable[..., Any])

COLUMNS = ("id", "store", "name", "price", "currency", "stock", "sku", "barcode", "tags", "archived")
NUMBERS = ("id", "price", "stock")


class _Amount(click.ParamType[PriceInput]):
    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PriceInput:
        try:
            return PriceInput.read(value)
        except ValueError:
            self.fail("An amount is written like 15.99.", param, ctx)


class _Moment(click.ParamType[int]):
    """A time as the API accepts it, or without a zone, which means UTC, as in exports."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        with suppress(ValueError):
            given = datetime.fromisoformat(value)
            value = given.isoformat() if given.tzinfo else given.replace(tzinfo=UTC).isoformat()
        try:
            return times.read(value, "updated_since")
        except Invalid as error:
            self.fail(str(error), param, ctx)


def filtered(archived: Archived) -> Callable[[F], F]:
    """The options that filter items, as the parameters of `GET /items` do. `archived` is the default of --archived."""
    options = (
        click.argument("words", nargs=-1),
        click.option("--store", type=terminal.NameParamType(), help="Only the items of this store."),
        click.option("--tag", "tags", multiple=True, help="Only items with this tag. May be given several times."),
        click.option("--sku", help="Only the item with exactly this SKU."),
        click.option("--barcode", help="Only the item with exactly this barcode."),
        click.option(
            "--price-min", type=_Amount(), help="The lowest price; requires --store, which determines the currency."
        ),
        click.option("--price-max", type=_Amount(), help="The highest price; requires --store."),
        terminal.pair("--in-stock/--out-of-stock", "in_stock", "Only items in stock, or only items out of stock."),
        click.option(
            "--updated-since", type=_Moment(), help="Only items changed since this time, such as 2026-01-31T18:00:00Z."
        ),
        click.option(
            "--archived",
            type=click.Choice(get_args(Archived)),
            default=archived,
            help=f"Whether to include archived items. Default: {archived}.",
        ),
    )

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _wanted(words: tuple[str, ...], tags: tuple[str, ...], store: str | None, **given: Any) -> Filter:
    # What is not UTF-8 among arguments comes as halves of surrogate pairs, which no database takes.
    q = " ".join(words).encode(errors="replace").decode() if words else None
    return Filter(q=q, tag=";".join(tags) if tags else None, store=store, **given)


@click.command()
@filtered(archived="no")
@click.option(
    "--sort",
    type=click.Choice(get_args(Sort)),
    help=(
        "The order; a minus reverses it. price and stock require --store, rank requires "
        "WORDS. Default: rank with WORDS, otherwise id."
    ),
)
@click.option(
    "--limit",
    type=click.IntRange(1, terminal.MAX_INTEGER),
    default=paging.USUAL,
    help=f"The maximum number of items. Default: {paging.USUAL}.",
)
@click.option(
    "--format",
    type=click.Choice(["table", "tsv", "jsonl"]),
    help="The output format. Default: table on a terminal, otherwise tsv, without headings.",
)
def find(sort: Sort | None, limit: int, format: str | None, **given: Any) -> None:
    """List items that have all WORDS, or words that begin so, in name, SKU, barcode, description or tags.

    Accents and case do not matter. Without WORDS, all items match. Archived items are left out by default: see
    --archived.
    """
    wanted = _wanted(**given)
    engine = schema_version.open_engine(read_settings().database)
    order = sort or ("rank" if wanted.q is not None else "id")
    most = min(limit, paging.MAX_PAGE_SIZE)
    found = all_pages(engine, lambda conn, cursor: _find(conn, wanted, paging.PageRequest(most, cursor, order)))
    _show(islice(found, limit), format or ("table" if sys.stdout.isatty() else "tsv"))
    if next(found, None):
        click.echo(f"There are more than {limit:,}: --limit takes another number.", err=True)


def _find(conn: Connection, item_filter: Filter, page_request: paging.PageRequest) -> paging.Page[Line]:
    page = item_list.page(conn, item_filter, page_request)
    stores = {id: store.get(conn, id).name for id in {each.store_id for each in page.rows}}
    return paging.Page([item_export.line(each, stores[each.store_id]) for each in page.rows], page.cursor)


def _show(found: Iterator[Line], format: str) -> None:
    if format == "jsonl":
        sys.stdout.buffer.writelines(map(cells.json_line, found))
    elif format == "tsv":
        for line in found:
            click.echo("\t".join(_row(line)))
    elif rows := [_row(line) for line in found]:
        click.echo("\n".join(terminal.table(COLUMNS, rows, NUMBERS)))
    else:
        click.echo("No items are found.", err=True)


def _row(line: Line) -> list[str]:
    values = (getattr(line, column) for column in COLUMNS)
    return [terminal.printable(_text(value)) for value in values]


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else ""
        case list():
            return ";".join(value)
        case None:
            return ""
        case _:
            return str(value)


@click.command("export")
@filtered(archived="any")
@click.option("--format", type=click.Choice(["csv", "jsonl"]), default="csv", help="CSV or JSON Lines. Default: csv.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="The output file. Default: standard output."
)
def export_(format: Format, output: Path | None, **given: Any) -> None:
    """Export items, in a form that `storekeeper import` reads.

    Without WORDS and options, all items are exported, including archived ones. The options are those of `storekeeper
    find`.
    """
    wanted = _wanted(**given)
    pieces = _pieces(schema_version.open_engine(read_settings().database), wanted, format)
    first = next(pieces)  # an unknown store leaves the file as it was
    if output:
        with output.open("wb") as file:
            file.writelines(chain([first], pieces))
    else:
        sys.stdout.buffer.writelines(chain([first], pieces))


def _pieces(engine: Engine, item_filter: Filter, format: Format) -> Iterator[bytes]:
    place: Place | None = BEGIN
    while place is not None:
        with engine.connect() as conn:
            piece = item_export.piece(conn, place, item_filter, format)
        yield piece.data
        place = piece.following


@click.group("images")
def images_group() -> None:
    """Delete stored images that are not used any more."""


NOT_OURS = (
    "Nothing was deleted, as these files may be another database's. A server that starts notes where its files are; "
    "if they have moved since, `storekeeper accept-node` says that these are the right ones."
)


@images_group.command("prune")
def prune_images() -> None:
    """Delete the images that no item has had for 30 days, as servers do by themselves.

    Deletes nothing while it is unknown whether the files belong to this database.
    """
    settings = read_settings()
    count = image_retention.prune(schema_version.open_engine(settings.database), create_storage(settings))
    if count is None:
        raise click.ClickException(NOT_OURS)
    click.echo(f"Images deleted: {count}.")
