"""docs/architecture.md: each step of the paths that it shows is taken, in that order."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa
from falcon import testing

import storekeeper
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support.cast import PASSWORD
from tests.support.console_browser import Browser
from tests.support.imports import bring
from tests.support.markdown import ROOT
from tests.support.webhook_receiver import Receive
from tests.support.webhook_senders import add, sell, send, told

PACKAGE = Path(storekeeper.__file__).parent
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
STEP = re.compile(r"^\| `([\w/]+\.py)` \| `([\w.]+)` \|", re.M)


class Trace:
    """The functions of the package that were called, in the order of the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        path = frame.f_code.co_filename
        if event == "call" and path.startswith(f"{PACKAGE}/"):
            self.calls.append((path.removeprefix(f"{PACKAGE}/"), frame.f_code.co_qualname))


@contextmanager
def traced() -> Iterator[Trace]:
    """Also in threads that begin meanwhile, as the database's do at their first job."""
    trace = Trace()
    threading.setprofile(trace.note)
    sys.setprofile(trace.note)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def steps(heading: str) -> list[tuple[str, str]]:
    """The steps below a heading of the document: a file, and a function in it."""
    _, found, section = DOCUMENT.partition(f"\n### {heading}\n")
    assert found, f"docs/architecture.md has no heading '{heading}'."
    return STEP.findall(section.partition("\n### ")[0].partition("\n## ")[0])


def is_taken(heading: str, trace: Trace) -> None:
    expected = steps(heading)
    assert len(expected) > 5
    missing = [step for step in expected if step not in trace.calls]
    assert not missing, f"{heading}: not called: {missing}"
    calls = iter(trace.calls)
    late = next((step for step in expected if step not in calls), None)  # looks on from where the last one was found
    assert late is None, f"{heading}: not called after those before it: {late}"


def test_an_item_is_read(alice: Person) -> None:
    with traced() as trace:
        alice.log_in()
        trace.calls.clear()
        assert alice.get("/item/chair").json["price"] == 15.99
    is_taken("Read an item", trace)


def test_somebody_logs_in(client: testing.TestClient, engine: sa.Engine) -> None:
    with traced() as trace:
        answer = client.simulate_post("/login", json={"username": "alice", "password": PASSWORD})
    assert answer.status_code == 200, engine
    is_taken("Log in", trace)


def test_a_price_is_changed_in_the_console(client: testing.TestClient, alice: Person) -> None:
    with traced() as trace:
        browser = Browser(client, "alice")
        browser.get("/console/store/ikea")
        form = {"price.1": "17.50", "was-price.1": "15.99", "back": "/console/store/ikea"}
        trace.calls.clear()
        assert browser.post("/console/store/ikea", form).status_code == 303
    assert alice.get("/item/chair").json["price"] == 17.5
    is_taken("Change a price in the console", trace)


def test_a_file_is_imported(alice: Person, settings: Settings) -> None:
    with traced() as trace:
        alice.log_in()
        trace.calls.clear()
        assert bring(alice, settings, "name,price\nlamp,5\n")["state"] == "done"
    is_taken("Import a file", trace)


def test_a_message_is_delivered(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive()
    add(engine, receiver.url)
    with traced() as trace:
        sell(engine)
        send(engine, lambda: any(each.state == "delivered" for each in told(engine)))
    is_taken("Deliver a webhook", trace)
