"""A database of an older version, before and after it was brought up to this one. README.md tells what is in it."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from falcon import testing

from storekeeper.database.engine import create_engine
from storekeeper.settings import Settings
from tests.older import dumps


class Older:
    """As the older version left it. Nothing has looked at it since."""

    def __init__(self, version: str, url: str, data: Path) -> None:
        self.version = version
        self.kind = sa.make_url(url).get_backend_name()
        self.facts = dumps.facts(version, self.kind)
        # The receiver of its webhooks was on this machine.
        networks = ("127.0.0.0/8",)
        self.settings = Settings(data=str(data), database_url=url, webhook_networks=networks)
        dumps.restore(version, url, data)
        self.engine = create_engine(url)


class Upgraded:
    """The same with the tables of this version, and this version's application on it."""

    def __init__(self, older: Older, client: testing.TestClient) -> None:
        self.version = older.version
        self.facts = older.facts
        self.settings = older.settings
        self.engine = older.engine
        self.client = client

    def get(self, path: str, session: str = "root") -> Any:
        """What a live session of then is answered: by default the administrator's."""
        answer = self.ask("GET", path, self.facts["sessions"][session]["access"])
        assert answer.status_code == 200, answer.text
        return answer.json

    def ask(self, method: str, path: str, token: str, **more: Any) -> testing.Result:
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        return self.client.simulate_request(method, path, headers=headers, **more)

    def log_in(self, username: str) -> testing.Result:
        password = self.facts["users"][username]["password"]
        return self.client.simulate_post("/login", json={"username": username, "password": password})
