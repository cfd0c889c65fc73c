"""The router, and CORS."""

from typing import Any

import falcon
from falcon.responders import create_default_options
from falcon.routing import CompiledRouter


class Router(CompiledRouter):
    """Knows that HEAD is answered wherever GET is, which `RootApp` sees to: `Allow` lists it, and OPTIONS too.

    A path with an empty segment leads nowhere. Falcon would take `//audit` for `/audit`, while the rules of a proxy
    do not: a rule that keeps strangers from the one would let them through by the other.
    """

    def find(self, uri: str, req: Any = None) -> Any:
        return None if "//" in uri or (uri.endswith("/") and uri != "/") else super().find(uri, req)

    def map_http_methods(self, resource: object, **kwargs: Any) -> Any:
        methods: Any = super().map_http_methods(resource, **kwargs)
        if "GET" in methods:
            methods["HEAD"] = methods["GET"]
        methods["OPTIONS"] = create_default_options(sorted([*methods, "OPTIONS"]), asgi=True)
        return methods


class Cors(falcon.CORSMiddleware[Any, Any]):
    """CORS; answers differ by origin, so `Vary` tells caches."""

    def process_response(self, req: Any, resp: Any, resource: object, req_succeeded: bool) -> None:
        super().process_response(req, resp, resource, req_succeeded)
        resp.append_header("Vary", "Origin")
