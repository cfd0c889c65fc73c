"""Middleware of the pages: whose session is it, does a form come from a page of ours, and has it come before?"""

from typing import Any

from falcon.asgi import Response

from storekeeper.console import cookies, forms
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.errors import Forbidden, TokenMissing, TokenNotFresh
from storekeeper.http import operation
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Access, Declarations
from storekeeper.http.request import split_url
from storekeeper.security.tokens import Tokens

SAFE = ("GET", "HEAD", "OPTIONS")
PAGE_UNITS = 10  # of the limits: a page takes several queries, and a millisecond or two to be put together


class SameOrigin:
    """Refuses a change that another site's page has sent with our cookie.

    `Sec-Fetch-Site` is the browser's own word for it; where there is none, as over plain HTTP, `Origin` is. Who sends
    neither is no browser that is in use, and has the API.
    """

    async def process_request(self, req: ConsoleRequest, _resp: Response) -> None:
        if req.method not in SAFE and not _is_ours(req):
            raise Forbidden("form_of_another_site")


def _is_ours(req: ConsoleRequest) -> bool:
    site = req.get_header("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = split_url(req.get_header("Origin") or "")
    return origin.scheme in ("http", "https") and origin.netloc.lower() == (req.get_header("Host") or "").lower()


class SessionCookie:
    """Reads the cookie's token, enforces the responder's mark as far as that needs no database, and counts."""

    def __init__(self, tokens: Tokens, guard: Guard) -> None:
        self._tokens = tokens
        self._guard = guard
        self._operations = Declarations()

    async def process_resource(
        self, req: ConsoleRequest, _resp: Response, resource: object, _params: dict[str, Any]
    ) -> None:
        req.view = resource
        req.operation = self._operations[resource, req.method]
        if req.operation.access is not Access.PUBLIC:
            token = cookies.find_token(req)
            if not token:
                raise TokenMissing
            claims = self._tokens.read(token, ("console",))
            if req.operation.needs_fresh and not self._tokens.is_fresh(claims):
                raise TokenNotFresh
            req.claims = claims
            req.request_context.user_id = claims.user_id
        units = PAGE_UNITS if isinstance(resource, View) else req.operation.units
        if units and not self._guard.limits.admit(req.request_context, units):
            await self._guard.refuse(req, units)


class FormReading:
    """Reads the form that is sent, and sees to it that it counts once."""

    async def process_resource(
        self, req: ConsoleRequest, _resp: Response, resource: object, _params: dict[str, Any]
    ) -> None:
        if req.method != "POST" or req.operation is operation.NONE or not isinstance(resource, View):
            return
        if not resource.takes_file:
            resource.take_form(req, await forms.read(req, resource.max_bytes))
