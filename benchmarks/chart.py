"""The chart: requests per second as bars with their numbers, in one SVG that needs no colour to be read."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from benchmarks import candidates, operations
from benchmarks.operations import Operation
from benchmarks.report import DATABASES, describe
from benchmarks.results import Results

WIDTH, PANEL, LABEL, LONGEST = 860, 430, 156, 184  # of the whole, of one database, of a name, of the longest bar
TOP, HEAD, ROW, GAP = 84, 22, 19, 14

# Told apart by their shade and their texture; the names stand beside them.
FILLS = {"course": "white", "bare": "url(#hatched)", "storekeeper": "#333"}
HATCHED = (
    '<pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="white"/><rect width="2" height="6" fill="#333"/></pattern>'
)


def draw(results: Results) -> str:
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    measured = [operations.ALL[name] for name in results.connections]
    height = TOP + len(measured) * _group_height()
    font = 'font-family="sans-serif" font-size="13"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {font}>'
    yield f'<defs>{HATCHED}</defs><rect width="{WIDTH}" height="{height}" fill="white"/>'
    yield _text(16, 26, "Requests per second on one core (each group of bars has its own scale)", 'font-size="16"')
    yield _text(16, 46, describe(results.machine), 'font-size="11"')
    for column, database in enumerate(dict.fromkeys(m.database for m in results.measurements)):
        left = 16 + column * PANEL
        yield _text(left, TOP - 10, DATABASES[database], 'font-weight="bold"')
        for number, operation in enumerate(measured):
            yield from _group(results, database, operation, left, TOP + number * _group_height())
    yield "</svg>"


def _group(results: Results, database: str, operation: Operation, left: int, top: int) -> Iterator[str]:
    found = [results.find(database, operation.name, candidate) for candidate in candidates.ALL]
    rates = {each.candidate: each.median.requests_per_second for each in found if each}
    yield _text(left, top + 15, operation.title, 'font-style="italic"')
    for number, (candidate, rate) in enumerate(rates.items()):
        yield from _bar(candidate, rate, rate / max(rates.values()), left, top + HEAD + number * ROW)


def _bar(candidate: str, rate: float, share: float, left: int, top: int) -> Iterator[str]:
    start, length = left + LABEL, max(1, round(share * LONGEST))
    yield _text(left + 12, top + 12, candidates.ALL[candidate].title)
    yield f'<rect x="{start}" y="{top}" width="{length}" height="{ROW - 4}" fill="{FILLS[candidate]}" stroke="#333"/>'
    yield _text(start + length + 6, top + 12, f"{rate:,.0f}")


def _group_height() -> int:
    return HEAD + len(candidates.ALL) * ROW + GAP


def _text(x: int, y: int, text: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="#111" {more}>{escape(text)}</text>'
