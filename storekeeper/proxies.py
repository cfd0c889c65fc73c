"""Who the client is when a proxy stands in between."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from storekeeper.visit import FROM_PROXY


def behind_proxies(app: Any, proxies: Sequence[str]) -> Any:
    """`app`, told the client's address and scheme by X-Forwarded-For and -Proto, if one of `proxies` sends them.

    Each proxy adds on the right whom it has heard from, so the right-most address that is no trusted proxy counts:
    what is left of it is hearsay.
    """
    if not proxies:
        return app
    networks = [str(ip_network(proxy, strict=False)) for proxy in proxies]
    return TrustedProxies(app, trusted_hosts=networks)


class TrustedProxies(ProxyHeadersMiddleware):
    """Notes as well which requests a trusted proxy has sent: their `X-Request-ID` is the proxy's, and so believed."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        client = scope.get("client")
        if client and client[0] in self.trusted_hosts:
            scope[FROM_PROXY] = True
        await super().__call__(scope, receive, send)
