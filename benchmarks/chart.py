"""The chart: requests per second as bars with their numbers, in one SVG that needs no colour to be read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from benchmarks import candidates, operations
from benchmarks.report import DATABASES, describe
from benchmarks.results import Results

WIDTH, PANEL, LABEL, LONGEST = 860, 430, 156, 184  # of the whole, of one column, of a name, of the longest bar
TOP, HEAD, ROW, GAP = 84, 22, 19, 14

WHITE, HATCHED, DARK = "white", "url(#hatched)", "#333"  # told apart by shade and texture; the names stand beside
PATTERN = (
    '<pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="white"/><rect width="2" height="6" fill="#333"/></pattern>'
)


class Bar(NamedTuple):
    title: str
    fill: str


class Group(NamedTuple):
    """The bars of one operation on one database."""

    title: str
    database: str
    operation: str


class Column(NamedTuple):
    title: str
    groups: Sequence[Group]


FILLS = {"course": WHITE, "bare": HATCHED, "storekeeper": DARK}
BARS = {name: Bar(candidate.title, FILLS[name]) for name, candidate in candidates.ALL.items()}


def draw(results: Results) -> str:
    """The three of `benchmarks.run`: a column for each database."""
    measured = [operations.ALL[name] for name in results.connections]
    columns = [
        Column(DATABASES[database], [Group(each.title, database, each.name) for each in measured])
        for database in dict.fromkeys(m.database for m in results.measurements)
    ]
    return draw_columns(results, columns, BARS)


def draw_columns(results: Results, columns: Sequence[Column], bars: Mapping[str, Bar]) -> str:
    """All groups have a line for each bar, so that those in one row stand side by side."""
    return "\n".join(_lines(results, columns, bars)) + "\n"


def _lines(results: Results, columns: Sequence[Column], bars: Mapping[str, Bar]) -> Iterator[str]:
    step = HEAD + len(bars) * ROW + GAP
    height = TOP + max(len(column.groups) for column in columns) * step
    font = 'font-family="sans-serif" font-size="13"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {font}>'
    yield f'<defs>{PATTERN}</defs><rect width="{WIDTH}" height="{height}" fill="white"/>'
    yield _text(16, 26, "Requests per second on one core (each group of bars has its own scale)", 'font-size="16"')
    yield _text(16, 46, describe(results.machine), 'font-size="11"')
    for column, (title, groups) in enumerate(columns):
        left = 16 + column * PANEL
        yield _text(left, TOP - 10, title, 'font-weight="bold"')
        for number, group in enumerate(groups):
            yield from _group(results, group, bars, left, TOP + number * step)

    yield "</svg>"


def _group(results: Results, group: Group, bars: Mapping[str, Bar], left: int, top: int) -> Iterator[str]:
    found = [results.find(group.database, group.operation, candidate) for candidate in bars]
    rates = {each.candidate: each.median.requests_per_second for each in found if each}
    yield _text(left, top + 15, group.title, 'font-style="italic"')
    for number, (candidate, rate) in enumerate(rates.items()):
        yield from _bar(bars[candidate], rate, rate / max(rates.values()), left, top + HEAD + number * ROW)


def _bar(bar: Bar, rate: float, share: float, left: int, top: int) -> Iterator[str]:
    start, length = left + LABEL, max(1, round(share * LONGEST))
    yield _text(left + 12, top + 12, bar.title)
    yield f'<rect x="{start}" y="{top}" width="{length}" height="{ROW - 4}" fill="{bar.fill}" stroke="#333"/>'
    yield _text(start + length + 6, top + 12, f"{rate:,.0f}")


def _text(x: int, y: int, text: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="#111" {more}>{escape(text)}</text>'
