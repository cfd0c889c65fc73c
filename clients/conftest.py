"""A real server's answers, recorded once, and a folder to make clients in. `make test-clients` runs what is here."""

from collections.abc import Iterator

import pytest

from clients.generating import Workshop
from clients.recording import Exchange, record
from tests.support.response_contract import Json
from tests.support.server_process import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path_factory.mktemp("server")).wait()
    yield server
    server.put_away()


@pytest.fixture(scope="session")
def document(server: Server) -> Json:
    told: Json = server.get("/openapi.json").json
    return told


@pytest.fixture(scope="session")
def exchanges(server: Server, document: Json) -> list[Exchange]:
    return record(server, document)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, document: Json) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("clients"), document)
