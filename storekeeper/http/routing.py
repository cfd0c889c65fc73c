"""The router, and CORS."""

from typing import Any

import falcon
from falcon.responders import create_default_options
from falcon.routing import CompiledRouter, map_http_methods


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


class InStore:
    """A resource at its URL below a store, where its responders with the suffix answer: `on_get_in_store` and so on.

    Falcon has an argument of `add_route` for that. This is a resource: a table of URLs needs no third column, and what
    reads the declarations of responders no suffix.
    """

    def __init__(self, resource: Any) -> None:
        self.tag = resource.tag
        for method, responder in map_http_methods(resource, suffix="in_store").items():
            setattr(self, f"on_{method.lower()}", responder)


class Cors(falcon.CORSMiddleware[Any, Any]):
    """CORS; answers differ by origin, so `Vary` tells caches."""

    def process_response(self, req: Any, resp: Any, resource: object, req_succeeded: bool) -> None:
        super().process_response(req, resp, resource, req_succeeded)
        resp.append_header("Vary", "Origin")
