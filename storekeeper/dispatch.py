"""What both doors need for webhooks: which URLs may be meant, and the process that sends."""

from storekeeper import endpoint
from storekeeper.auth import Guard
from storekeeper.endpoint import Networks
from storekeeper.http import Request
from storekeeper.models import outbox
from storekeeper.runner import Runner


class Dispatch:
    """The way to the data, and to the process that sends."""

    def __init__(self, guard: Guard, sender: Runner, networks: Networks) -> None:
        self.guard = guard
        self._sender = sender
        self._networks = networks

    def check(self, url: str) -> str:
        """The URL, if it may be meant."""
        self._networks.check(endpoint.read(url))
        return url

    async def wake(self, req: Request) -> None:
        """See to it that somebody sends."""
        if await self.guard.read(req, outbox.is_waiting):
            self._sender.wake()
