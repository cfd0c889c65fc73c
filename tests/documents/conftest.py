"""The server that a document's commands are sent to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server_process import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path)
    yield server.wait()
    server.put_away()
