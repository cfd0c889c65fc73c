"""The base of every page: its viewer, access to the database, and the response."""

from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

import falcon
import msgspec
from falcon.asgi import Response

from storekeeper.components import Components
from storekeeper.console import cookies
from storekeeper.console.cookies import Notice
from storekeeper.console.form_keys import FIELD, FormKeys
from storekeeper.console.forms import EMPTY, Form
from storekeeper.console.templating import Templates
from storekeeper.database.engine import Connection
from storekeeper.errors import Invalid, KeyInUse, StorekeeperError, Unavailable
from storekeeper.http.operation import BODY_BYTES
from storekeeper.http.request import Request
from storekeeper.models import session
from storekeeper.models.session import Viewer
from storekeeper.security.tokens import Claims

KEY_SECONDS = 10.0  # for how long a form waits for its first sending, before it is shown again
UNCERTAIN = (KeyInUse, Unavailable)  # after these, nobody knows yet whether the form was carried out

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class ConsoleRequest(Request):
    """A request for a page, and what its session says of its sender.

    A form that was refused is shown again on its page: `typed` is what it held, `failure` what was wrong with it.
    """

    viewer: Viewer | None = None
    view: object = None
    typed: Form = EMPTY
    failure: StorekeeperError | None = None
    explanation: str = ""  # why a page that is loaded shows what was typed before

    @property
    def kept_key(self) -> str:
        """The key of a form that is shown again although it may have been carried out: it must not count twice."""
        return self.typed[FIELD] if self.explanation or isinstance(self.failure, UNCERTAIN) else ""

    @property
    def raw_path(self) -> str:
        """The path as it was asked for, in ASCII."""
        raw_path: bytes = self.scope["raw_path"]
        return raw_path.decode("latin-1")

    @property
    def place(self) -> str:
        """The path with its query, as it was asked for."""
        return self.raw_path + (f"?{self.query_string}" if self.query_string else "")


class ConsoleComponents(Components, frozen=True):
    """What pages are made of."""

    form_keys: FormKeys
    templates: Templates


class View:
    """Base of all pages. A page that takes a form shows it, too: what is refused comes back to `on_get`.

    `on_post` finds the form in `req.typed`. Only if the page `takes_file`, which need not fit into the memory, it reads
    the form by itself, and hands what stands before the file to `take_form`.
    """

    max_bytes = BODY_BYTES
    takes_file = False
    is_worth_keeping = True  # whether what was typed is kept while its sender signs in

    def __init__(self, components: ConsoleComponents) -> None:
        self._components = components

    async def load_viewer(self, req: ConsoleRequest) -> None:
        """Look up who looks, for pages that show nothing else."""
        await self._read(req, _nothing)

    async def _read(self, req: ConsoleRequest, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a query for whoever looks, if their session is live and in use."""
        idle = self._components.tokens.lifetimes.idle
        result: T
        req.viewer, result = await self._components.guard.read_list(req, _served, req.caller, idle, function, args)
        return result

    def take_form(self, req: ConsoleRequest, form: Form) -> None:
        """Keep what was typed, and see to it that it counts once. Invalid for a form without a key of the sender's."""
        req.typed = form
        if req.claims is None:  # a page for whoever is not signed in: nothing there is done twice
            return
        user_id = self._components.form_keys.find_user_id(form[FIELD])
        if user_id is None:
            raise Invalid("form_without_key")
        if user_id != req.caller.user_id:
            req.typed = EMPTY
            raise Invalid("form_of_another_user")
        req.request_context.key_seconds = KEY_SECONDS
        req.request_context.take_key(form[FIELD], f"POST {req.path}?{req.query_string}\n", hashes_body=False)
        req.request_context.digest.update(msgspec.json.encode(form.pairs))

    async def _write(self, req: ConsoleRequest, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a change, likewise: committed when it returns, rolled back when it raises. For a form that has come
        before, nothing is changed, and it returns what it returned then.
        """
        if req.viewer is None:
            await self.load_viewer(req)
        return await self._components.guard.write(req, function, *args)

    def _render(self, req: ConsoleRequest, resp: Response, template: str, **values: Any) -> None:
        """Answer with a page. After a form that was refused, `resp` has its status already."""
        known = {"viewer": req.viewer, "typed": req.typed, "explanation": req.explanation, "failure": req.failure}
        self._components.templates.render(req, resp, template, form_key=req.kept_key, **known, **values)

    def _redirect(self, resp: Response, to: str) -> None:
        """Answer a form that was taken: what the browser asks for next is a page that can be loaded again."""
        resp.status, resp.location = falcon.HTTP_SEE_OTHER, to

    def _flash(self, req: ConsoleRequest, resp: Response, text: str) -> None:
        """Say something on the page that is shown next; and of a form that has come before, when it was carried out."""
        cookies.give_notice(req, resp, Notice(text, req.request_context.repeated_at))
        cookies.drop_kept_form(req, resp)


def _nothing(_conn: Connection) -> None:
    pass


def _served(
    conn: Connection, claims: Claims, idle: int, function: Callable[..., T], args: tuple[Any, ...]
) -> tuple[Viewer, T]:
    return session.get_viewer(conn, claims.sid, idle), function(conn, *args)
