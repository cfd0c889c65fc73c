"""Clients in Kotlin and C#, which nothing here compiles: they define each type that they name, and none twice."""

from pathlib import Path

import pytest

from clients.generating import Workshop
from clients.searching import CSHARP, KOTLIN, Language, doubled, in_use, of_ours, read, undefined
from tests.support.response_contract import Json

LANGUAGES = pytest.mark.parametrize(("name", "language"), [("kotlin", KOTLIN), ("csharp", CSHARP)])

WRONG = {
    "kotlin": """
data class Item (
    val id: kotlin.Long,
    val id: AnyOf?
)
data class ITEM (
)
""",
    "csharp": """
    public class Item
    {
        public long Id { get; set; }
        public AnyOf? Id { get; set; }
    }
    public class ITEM { }
""",
}


@LANGUAGES
def test_no_type_is_undefined_or_doubled(workshop: Workshop, document: Json, name: str, language: Language) -> None:
    folder = workshop.generate(name)
    assert (undefined(folder, language), doubled(folder, language)) == (set(), set())
    used = {each for text in of_ours(read(folder, language)) for each in in_use(text, language)}
    assert document["components"]["schemas"].keys() - {"Attributes"} <= used  # or nothing would have been looked at


@LANGUAGES
def test_what_is_wrong_is_found(tmp_path: Path, name: str, language: Language) -> None:
    (tmp_path / "Models").mkdir()
    (tmp_path / "Models" / f"Item{language.suffix}").write_text(WRONG[name])
    assert undefined(tmp_path, language) == {"AnyOf"}
    assert {each.lower() for each in doubled(tmp_path, language)} == {"item", "id"}
