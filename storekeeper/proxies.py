"""Who the client is when a proxy stands in between."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


def behind_proxies(app: Any, proxies: Sequence[str]) -> Any:
    """`app`, told the client's address and scheme by X-Forwarded-For and -Proto, if one of `proxies` sends them.

    Each proxy adds on the right whom it has heard from, so the right-most address that is no trusted proxy counts:
    what is left of it is hearsay.
    """
    if not proxies:
        return app
    networks = [str(ip_network(proxy, strict=False)) for proxy in proxies]
    return ProxyHeadersMiddleware(app, trusted_hosts=networks)
