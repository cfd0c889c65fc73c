"""What a compiler would say of clients that none is here for: types that nothing defines, and what is defined twice."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
TEXT = re.compile(r'"""(?:.*?)"""|\$?@?"(?:\\.|[^"\\\n])*"', re.DOTALL)
NAME = re.compile(r"(?<![\w.@])[A-Z]\w*(?:\.[A-Z]\w*)*")

KOTLIN_KNOWN = "Any Boolean Call Factory File HttpUrl Int MutableMap String Suppress Unit"
CSHARP_KNOWN = """
ArgumentNullException CancellationToken DateTime Dictionary EventHandler Exception HttpClient
HttpRequestMessage HttpResponseMessage HttpStatusCode IEnumerable ILogger JsonElement JsonException
JsonSerializerOptions JsonTokenType List MediaTypeHeaderValue NameValueCollection NotImplementedException
Object Regex Stream StreamContent StringBuilder StringContent System Type UriBuilder Utf8JsonReader
Utf8JsonWriter ValidationContext ValidationResult
"""


class Language(NamedTuple):
    """`defines` finds the names of types, `outer` those that are in no other, `member` those of a type's members.

    `uses` finds where types stand; `known` are those of libraries.
    """

    suffix: str
    defines: re.Pattern[str]
    outer: re.Pattern[str]
    member: re.Pattern[str]
    uses: re.Pattern[str]
    known: frozenset[str]


KOTLIN = Language(
    suffix=".kt",
    defines=re.compile(r"\b(?:class|interface|object|typealias)\s+(\w+)"),
    outer=re.compile(r"^(?:[a-z]+ )*(?:class|interface|object|typealias)\s+(\w+)", re.MULTILINE),
    member=re.compile(r"^    val (\w+):", re.MULTILINE),
    uses=re.compile(
        r"(?:\w\s*:|\)\s*:|\b(?:as|is)\b)\s*([\w.<>?*, ]+)|import org\.openapitools\.client\.models\.(\w+)"
    ),
    known=frozenset(KOTLIN_KNOWN.split()),
)
CSHARP = Language(
    suffix=".cs",
    defines=re.compile(r"\b(?:class|interface|enum|struct)\s+(\w+)"),
    outer=re.compile(r"^    (?:[a-z]+ )+(?:class|interface|enum|struct)\s+(\w+)", re.MULTILINE),
    member=re.compile(r"^        public (?!class|enum|static|override)[\w<>?, .]+ (\w+) {", re.MULTILINE),
    uses=re.compile(r"<([\w<>?\[\], .]+)>|\b([A-Z]\w*)(?:<[\w<>?, .]*>)?\??\s+@?\w+\s*[,);={]|\bnew ([A-Z]\w*)"),
    known=frozenset(CSHARP_KNOWN.split()),
)


def undefined(folder: Path, language: Language) -> set[str]:
    sources = read(folder, language)
    defined = {name for text in sources.values() for name in language.defines.findall(text)} | language.known
    used = {name for text in of_ours(sources) for name in in_use(text, language)}
    return {name for name in used if name.rpartition(".")[2] not in defined}


def in_use(text: str, language: Language) -> Iterator[str]:
    for found in language.uses.finditer(text):
        yield from NAME.findall(" ".join(filter(None, found.groups())))


def doubled(folder: Path, language: Language) -> set[str]:
    """Types whose names differ in case at the most, as their files would, and members of one type with one name."""
    sources = read(folder, language)
    types = repeated(name.lower() for text in sources.values() for name in language.outer.findall(text))
    return types | {name for text in of_ours(sources) for name in repeated(language.member.findall(text))}


def of_ours(sources: dict[Path, str]) -> Iterator[str]:
    """What comes of the description; the rest is the same for all."""
    yield from (
        text for path, text in sources.items() if path.parent.name.lower() in ("model", "models", "api", "apis")
    )


def repeated(names: Iterable[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def read(folder: Path, language: Language) -> dict[Path, str]:
    """The code of each file, without comments and texts. Not that of tests."""
    paths = (path.relative_to(folder) for path in folder.rglob(f"*{language.suffix}"))
    return {
        path: COMMENT.sub("", TEXT.sub('""', (folder / path).read_text()))
        for path in paths
        if "test" not in str(path).lower()
    }
