"""Somebody at a browser, as far as the server can tell: keeps cookies, follows redirects and fills in forms."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlencode

from falcon import testing

from storekeeper.console.form_keys import FIELD
from tests.support.cast import PASSWORD

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
BOUNDARY = "----boundary"


class Browser:
    def __init__(self, client: testing.TestClient, username: str = "", password: str = PASSWORD) -> None:
        self.client = client
        self.cookies: dict[str, str] = {}
        self.place = "/console"
        self.form_key: str | None = None  # for all that is sent without one
        if username:
            self.sign_in(username, password)

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        answer = self.post("/console/sign-in", {"username": username, "password": password, "next": ""})
        assert answer.status_code == 303, answer.text

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> testing.Result:
        return self._ask("GET", path, dict(headers or {}), None)

    def post(
        self,
        path: str,
        form: Any = (),
        headers: Mapping[str, str] | None = None,
        *,
        file: tuple[str, bytes] | None = None,
    ) -> testing.Result:
        """Send a form: pairs or a mapping; with a file, its name and its bytes. A key is added if it has none."""
        pairs = list(form.items() if isinstance(form, Mapping) else form)
        if FIELD not in dict(pairs) and (key := self.form_key or self.new_key()):
            pairs.insert(0, (FIELD, key))
        if file is None:
            kind, body = "application/x-www-form-urlencoded", urlencode(pairs).encode()
        else:
            kind, body = f"multipart/form-data; boundary={BOUNDARY}", multipart(dict(pairs), *file)
        given = SAME_ORIGIN | {"Content-Type": kind, "Referer": f"http://falconframework.org{self.place}"}
        return self._ask("POST", path, given | dict(headers or {}), body)

    def new_key(self) -> str | None:
        """The key of a form that is shown to whoever is signed in here; None for nobody."""
        answer = self.client.simulate_get("/console/confirm", headers=self._cookie())
        found = re.search(rf'name="{FIELD}" value="([^"]*)"', answer.text)
        return found[1] if found else None

    def follow(self, answer: testing.Result) -> testing.Result:
        """The page that a form that was taken leads to."""
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> testing.Result:
        answer = self.client.simulate_request(method, path, headers=headers | self._cookie(), body=body)
        for name, cookie in answer.cookies.items():
            if cookie.value:
                self.cookies[name] = cookie.value
            else:
                self.cookies.pop(name, None)
        if method == "GET":
            self.place = path
        return answer

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}


def multipart(fields: Mapping[str, str], name: str, data: bytes) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return "".join([*parts, head]).encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def said(page: testing.Result) -> str:
    """The text of a page, without its tags, in one line."""
    main = page.text.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", "<" + main)).split())


def values(page: testing.Result) -> dict[str, str]:
    """What stands in the fields of a page, by name."""
    found = re.findall(r'<input[^>]* name="([^"]*)"[^>]*? value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in found}


def fields(page: testing.Result) -> dict[str, str]:
    """What stands in the inputs of the first form that changes something and is not in the page's bar."""
    form = page.text.partition("<main")[2].partition('<form method="post"')[2].partition("</form>")[0]
    return dict(re.findall(r'<input[^>]* name="([^"]*)"[^>]*? value="([^"]*)"', form))


def wrong(page: testing.Result) -> dict[str, str]:
    """What is said beside the fields."""
    found = re.findall(r'<p class="error" id="error-([^"]*)">(.*?)</p>', page.text, re.DOTALL)
    return {name: unescape(re.sub(r"<[^>]*>", "", text)) for name, text in found}
