"""How a server is talked to: what is asked for each operation, and where its answers have what matters."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from benchmarks import data
from benchmarks.client import Client, Json

PAGE = 20
ACCESS, REFRESH = "access_token", "refresh_token"
EXAMPLE = 42  # the item that is looked at before the load
NEW_PRICE = 12.34
CREDENTIALS = f'{{"username": "{data.USERNAME}", "password": "{data.PASSWORD}"}}'


class Ask(NamedTuple):
    """A request. wrk.lua fills in {number}, {padded}, {store}, {price}, {word} and {token}."""

    method: str
    path: str
    body: str = ""
    signs: bool = True  # whether the token goes into the header
    headers: Mapping[str, str] = {}  # others

    def about(self, number: int, token: str) -> "Ask":
        """As wrk would send it for this item."""
        values = {"number": str(number), "padded": f"{number:011d}", "store": str(number % data.STORES + 1)}
        values |= {"price": str(NEW_PRICE), "token": token}
        return self._replace(path=_fill(self.path, values), body=_fill(self.body, values))


class Speech(NamedTuple):
    asks: Mapping[str, Ask]  # by the operation's name; what a server does not have is left out
    item: Callable[[Any], Json] = lambda answer: answer  # in the answer to a read
    items: Callable[[Any], list[Json]] = lambda answer: answer["items"]  # in the answer to a list
    tokens: Callable[[Any], Json] = lambda answer: answer  # `access_token` and `refresh_token`, in that to a login
    total: Callable[[Any], int] = lambda answer: answer["total"]  # in that to a list that is counted
    rotates: bool = False  # whether a refresh token is good for one refresh only


class Speaker:
    """Asks one server what wrk will ask it, one request at a time."""

    def __init__(self, speech: Speech, port: int) -> None:
        self.speech = speech
        self._client = Client(port)

    def ask(self, operation: str, token: str = "") -> Any:
        ask = self.speech.asks[operation]
        filled = ask.about(EXAMPLE, token)
        return self._client.ask(ask.method, filled.path, filled.body, token if ask.signs else "", ask.headers)

    def read(self, token: str) -> Json:
        return self.speech.item(self.ask("read", token))

    def list(self, operation: str, token: str) -> list[Json]:
        return self.speech.items(self.ask(operation, token))

    def sign_in(self) -> Json:
        return self.speech.tokens(self.ask("login"))


def _fill(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template


# What the course's app, the bare function and Storekeeper have in common.
STORES = Speech(
    {
        "read": Ask("GET", "/item/item{number}"),
        "list": Ask("GET", f"/items?limit={PAGE}"),
        "counted": Ask("GET", f"/items?limit={PAGE}", headers={"Prefer": "count=exact"}),  # Storekeeper alone
        "find": Ask("GET", f"/items?limit={PAGE}&q=item{{number}}"),  # the same
        "update": Ask("PUT", "/item/item{number}", '{"price": {price}, "store_id": {store}}'),
        "login": Ask("POST", "/login", CREDENTIALS, signs=False),
        "refresh": Ask("POST", "/refresh"),
        "page": Ask("GET", f"/store/store{{store}}/items?sort=price&limit={PAGE}"),
        "search": Ask("GET", f"/items?limit={PAGE}&q={{word}}"),
    }
)
