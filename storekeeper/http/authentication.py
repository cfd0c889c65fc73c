"""Authentication by bearer token, and the responder's mark. Needs no database."""

from typing import Any

from falcon.asgi import Response

from storekeeper.errors import TokenMissing, TokenNotFresh
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Access, Declarations
from storekeeper.http.request import Request
from storekeeper.security.tokens import Tokens


class Authentication:
    """Middleware: verifies the token, enforces the responder's mark, and counts the request. Needs no database."""

    def __init__(self, tokens: Tokens, guard: Guard) -> None:
        self._tokens = tokens
        self._guard = guard
        self._operations = Declarations()

    async def process_resource(self, req: Request, _resp: Response, resource: object, _params: dict[str, Any]) -> None:
        req.operation = self._operations[resource, req.method]
        access = req.operation.access
        if access is not Access.PUBLIC and (access is not Access.OPTIONAL or req.auth):
            claims = self._tokens.read(bearer_token(req), access.kinds)
            if req.operation.needs_fresh and not self._tokens.is_fresh(claims):
                raise TokenNotFresh
            req.claims = claims
            req.request_context.user_id = claims.user_id
        units = req.operation.units
        if units and not self._guard.limits.admit(req.request_context, units):
            await self._guard.refuse(req, units)


def bearer_token(req: Request) -> str:
    """The token of the Authorization header (RFC 6750 section 2.1)."""
    scheme, _, rest = (req.auth or "").partition(" ")
    token = rest.strip(" ")  # any number of spaces may stand between
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing
    return token
