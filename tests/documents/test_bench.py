"""What the benchmarks reckon without a server."""

from benchmarks.peers import sizes
from benchmarks.speech import Ask


def test_an_ask_is_filled_in_as_the_load_does_it() -> None:
    ask = Ask("PUT", "/items/{padded}?store={store}", '{"price": {price}, "name": "item{number}", "by": "{token}"}')
    filled = ask.about(42, "secret")
    assert filled.path == "/items/00000000042?store=3"
    assert filled.body == '{"price": 12.34, "name": "item42", "by": "secret"}'


def test_a_size_counts_what_a_package_brings_but_no_extra_that_was_not_asked_for() -> None:
    assert sizes.closure(["pyjwt"]) == {"pyjwt"}
    assert {"pynacl", "cffi", "pycparser"} == sizes.closure(["pynacl"])
    assert "psycopg-binary" not in sizes.closure(["psycopg"])
    assert "psycopg-binary" in sizes.closure(["psycopg[binary]"])
