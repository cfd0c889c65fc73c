"""The cast, each at a browser."""

import pytest
import sqlalchemy as sa
from falcon import testing

from tests.support.console_browser import Browser


@pytest.fixture
def alices(client: testing.TestClient, engine: sa.Engine) -> Browser:
    return Browser(client, "alice")


@pytest.fixture
def bobs(client: testing.TestClient, engine: sa.Engine) -> Browser:
    return Browser(client, "bob")


@pytest.fixture
def roots(client: testing.TestClient, engine: sa.Engine) -> Browser:
    return Browser(client, "root")
