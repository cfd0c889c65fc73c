"""Webhooks, as the API and the console change them: checks the URL, and wakes the process that sends."""

from typing import Literal

from storekeeper.concurrency.background_process import BackgroundProcess
from storekeeper.domain import webhook_url
from storekeeper.domain.webhook_url import AllowedNetworks
from storekeeper.errors import Forbidden
from storekeeper.http.guard import Guard
from storekeeper.http.request import Request
from storekeeper.messages import ErrorMessage
from storekeeper.models import user, webhook_queue

Creation = Literal["owners", "administrators", "operator"]


class WebhookService:
    """Who may add webhooks and for which URLs, and the way to the process that sends."""

    def __init__(self, guard: Guard, sender: BackgroundProcess, networks: AllowedNetworks, creation: Creation) -> None:
        self._guard = guard
        self.creation = creation
        self._sender = sender
        self._networks = networks

    async def require_creation(self, req: Request) -> None:
        """Forbidden for whom the operator lets add no webhooks, lead none elsewhere and take none over."""
        if self.creation == "operator":
            raise Forbidden("webhook_creation_operator")
        if self.creation == "administrators":
            refusal = ErrorMessage("admins_add_webhooks")
            await self._guard.read(req, user.require_admin, req.caller.user_id, refusal)

    def check(self, url: str) -> str:
        """The URL, if it may be meant."""
        self._networks.check(webhook_url.read(url))
        return url

    async def wake(self, req: Request) -> None:
        """See to it that somebody sends."""
        if await self._guard.read(req, webhook_queue.is_waiting):
            self._sender.start_if_idle()
