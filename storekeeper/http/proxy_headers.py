"""The client's address and scheme behind a proxy (X-Forwarded-For, X-Forwarded-Proto)."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from storekeeper.http.request_context import FROM_PROXY
from storekeeper.http.untrusted_peers import HEADERS, UntrustedPeers


def behind_proxies(app: Any, proxies: Sequence[str], peers: UntrustedPeers) -> Any:
    """`app`, told the client's address and scheme by X-Forwarded-For and -Proto, if one of `proxies` sends them.

    Each proxy adds on the right whom it has heard from, so the right-most address that is no trusted proxy counts:
    what is left of it is hearsay. Of others that send such headers, `peers` takes note.
    """
    return Proxies(app, [str(ip_network(proxy, strict=False)) for proxy in proxies], peers)


class Proxies(ProxyHeadersMiddleware):
    """Notes as well which requests a trusted proxy has sent: their `X-Request-ID` is the proxy's, and so believed."""

    def __init__(self, app: Any, trusted: list[str], peers: UntrustedPeers) -> None:
        super().__init__(app, trusted_hosts=trusted)
        self._trusts = bool(trusted)
        self._peers = peers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        client = scope.get("client")
        if client and self._trusts and client[0] in self.trusted_hosts:
            scope[FROM_PROXY] = True
            await super().__call__(scope, receive, send)
            return
        if client and not HEADERS.isdisjoint([name for name, _ in scope["headers"]]):
            self._peers.note(client[0])
        await self.app(scope, receive, send)
