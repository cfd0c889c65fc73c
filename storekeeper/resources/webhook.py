"""/webhooks: who is told of changes, and what became of each message"""

from typing import Annotated, Any

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import names
from storekeeper.domain.webhook_url import LENGTH, PATTERN
from storekeeper.errors import (
    Forbidden,
    NotFound,
    ResyncRequired,
    TooManyTests,
    TooManyWebhooks,
    WebhookInactive,
    WebhookOrphaned,
    WebhookPending,
)
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Message, fresh_token, responds
from storekeeper.http.parsing import or_none
from storekeeper.http.request import MAX_ID, Request, path
from storekeeper.messages import ErrorMessage
from storekeeper.models import webhook, webhook_delivery
from storekeeper.models.paging import USUAL, PageRequest
from storekeeper.models.webhook import NewSecret
from storekeeper.models.webhook_delivery import Delivery, State
from storekeeper.openapi import schemas
from storekeeper.resources.pagination import Cursor, Limit, PageQuery, link_next
from storekeeper.services.webhooks import WebhookService

Url = Annotated[
    str,
    Meta(
        max_length=LENGTH,
        pattern=f"^{PATTERN}$",
        description="The URL of the receiver: `http` or `https`, without a user.",
        extra={"form": ErrorMessage("expected_webhook_url")},
    ),
]
StoreName = Annotated[
    str,
    Meta(max_length=names.LENGTH, extra_json_schema=schemas.NAME | {"description": "Without it, of all stores."}),
]


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: Url
    store: StoreName | None = None


class WebhookChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays as it is."""

    url: Url | UnsetType = UNSET
    is_active: Annotated[bool, Meta(description="Whether messages are sent.")] | UnsetType = UNSET


class VerifyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    challenge: (
        Annotated[str, Meta(max_length=100, description="The challenge of the message `webhook.challenge`.")]
        | UnsetType
    ) = UNSET


class ReplayBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=0, le=MAX_ID, description="Send all changes after this cursor.")]


class DeliveriesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: Limit = USUAL
    cursor: Cursor = ""
    state: Annotated[State, Meta(description="Filter by state.")] | UnsetType = UNSET


class WebhookPage(msgspec.Struct, frozen=True):
    webhooks: list[webhook.Webhook]
    next: str | UnsetType = UNSET


class DeliveryPage(msgspec.Struct, frozen=True):
    """Messages of a webhook, newest first."""

    deliveries: list[Delivery]
    next: str | UnsetType = UNSET


class WebhookListResource:
    """/webhooks"""

    tag = "webhooks"

    def __init__(self, guard: Guard, dispatch: WebhookService) -> None:
        self._guard = guard
        self._dispatch = dispatch

    @fresh_token
    @responds(
        (201, NewSecret),
        headers=("Location",),
        errors=(Forbidden, NotFound, TooManyWebhooks),
        operation_id="createWebhook",
    )
    async def on_post(self, req: Request, resp: Response, body: WebhookBody) -> None:
        """Add a webhook, which sends the changes of a store that you own to a URL.

        Without `store`, it sends the changes of all stores, for administrators. Only this answer has the secret. The
        webhook sends nothing but a `webhook.challenge` until its receiver answers that, or you verify the webhook.
        """
        await self._dispatch.require_creation(req)
        store = None if body.store is None else names.of_thing(body.store, "store")
        args = req.caller.user_id, self._dispatch.check(body.url), store
        added = await self._guard.write(req, webhook.add, *args)
        await self._dispatch.wake(req)
        resp.media, resp.status = added, falcon.HTTP_CREATED
        resp.location = path("webhooks", str(added.id))
        req.log("webhook_added", webhook=added.id, store_id=added.store_id)

    @responds(WebhookPage, operation_id="listWebhooks")
    async def on_get(self, req: Request, resp: Response, query: PageQuery) -> None:
        """List the webhooks of the stores that you own; for administrators, all."""
        page = await self._guard.read_list(req, webhook.page, req.caller.user_id, query.page_request())
        resp.media = WebhookPage(page.rows, link_next(req, resp, query, page.cursor))


class WebhookResource:
    """/webhooks/{webhook_id}"""

    tag = "webhooks"

    def __init__(self, guard: Guard, dispatch: WebhookService) -> None:
        self._guard = guard
        self._dispatch = dispatch

    @responds(webhook.Webhook, errors=(NotFound,), operation_id="getWebhook")
    async def on_get(self, req: Request, resp: Response, webhook_id: int) -> None:
        """Read a webhook of a store that you own."""
        resp.media = await self._guard.read(req, webhook.get, req.caller.user_id, webhook_id)

    @responds(webhook.Webhook, errors=(NotFound, WebhookOrphaned), operation_id="updateWebhook")
    async def on_patch(self, req: Request, resp: Response, webhook_id: int, body: WebhookChange) -> None:
        """Change a webhook, or pause it.

        A paused webhook continues where it stopped. Another host or port must be verified again.
        """
        url = None if isinstance(body.url, UnsetType) else self._dispatch.check(body.url)
        if url is not None:
            await self._dispatch.require_creation(req)
        is_active = or_none(body.is_active)
        args: Any = req.caller.user_id, webhook_id, url, is_active
        resp.media = await self._guard.write(req, webhook.change, *args)
        await self._dispatch.wake(req)
        req.log("webhook_changed", webhook=webhook_id, is_active=is_active)

    @responds(Message, errors=(NotFound,), operation_id="deleteWebhook")
    async def on_delete(self, req: Request, resp: Response, webhook_id: int) -> None:
        """Delete a webhook, with its unsent messages."""
        await self._guard.write(req, webhook.delete, req.caller.user_id, webhook_id)
        resp.media = Message("Webhook deleted.")
        req.log("webhook_deleted", webhook=webhook_id)


class WebhookRotationResource:
    """/webhooks/{webhook_id}/rotate"""

    tag = "webhooks"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @fresh_token
    @responds(NewSecret, errors=(NotFound,), operation_id="rotateWebhookSecret")
    async def on_post(self, req: Request, resp: Response, webhook_id: int) -> None:
        """Replace the secret of a webhook.

        For a day, messages are signed with both. Only this answer has the new one.
        """
        resp.media = await self._guard.write(req, webhook.rotate, req.caller.user_id, webhook_id)
        req.log("webhook_changed", webhook=webhook_id, is_rotated=True)


class WebhookTakeoverResource:
    """/webhooks/{webhook_id}/takeover"""

    tag = "webhooks"

    def __init__(self, guard: Guard, dispatch: WebhookService) -> None:
        self._guard = guard
        self._dispatch = dispatch

    @fresh_token
    @responds(NewSecret, errors=(NotFound, TooManyWebhooks), operation_id="takeOverWebhook")
    async def on_post(self, req: Request, resp: Response, webhook_id: int) -> None:
        """Take over a webhook of a store that you own, and activate it.

        It continues where it stopped, with a new secret, which only this answer has. The former secrets become invalid,
        as somebody else knows them.
        """
        await self._dispatch.require_creation(req)
        resp.media = await self._guard.write(req, webhook.take_over, req.caller.user_id, webhook_id)
        await self._dispatch.wake(req)
        req.log("webhook_taken_over", webhook=webhook_id)


class WebhookVerificationResource:
    """/webhooks/{webhook_id}/verify"""

    tag = "webhooks"

    def __init__(self, guard: Guard, dispatch: WebhookService) -> None:
        self._guard = guard
        self._dispatch = dispatch

    @responds(webhook.Webhook, errors=(NotFound, TooManyTests), operation_id="verifyWebhook")
    async def on_post(self, req: Request, resp: Response, webhook_id: int, body: VerifyBody | None) -> None:
        """Verify a pending webhook by the `challenge` of its `webhook.challenge`.

        A receiver that does not answer it has it in its log. Without `challenge`, the message is sent again.
        """
        nonce = None if body is None or isinstance(body.challenge, UnsetType) else body.challenge
        args = req.caller.user_id, webhook_id, nonce
        verified = resp.media = await self._guard.write(req, webhook.verify, *args)
        await self._dispatch.wake(req)
        req.log("webhook_verified" if verified.is_active else "webhook_challenged", webhook=webhook_id)


class WebhookTestResource:
    """/webhooks/{webhook_id}/test"""

    tag = "webhooks"

    def __init__(self, guard: Guard, dispatch: WebhookService) -> None:
        self._guard = guard
        self._dispatch = dispatch

    @responds(
        (202, Delivery),
        errors=(NotFound, TooManyTests, WebhookInactive, WebhookPending),
        operation_id="testWebhook",
    )
    async def on_post(self, req: Request, resp: Response, webhook_id: int) -> None:
        """Send a `ping`, to see whether messages arrive."""
        resp.media = await self._guard.write(req, webhook_delivery.ping, req.caller.user_id, webhook_id)
        resp.status = falcon.HTTP_ACCEPTED
        await self._dispatch.wake(req)


class WebhookReplayResource:
    """/webhooks/{webhook_id}/replay"""

    tag = "webhooks"

    def __init__(self, guard: Guard, dispatch: WebhookService) -> None:
        self._guard = guard
        self._dispatch = dispatch

    @responds(
        (202, webhook.Webhook),
        errors=(NotFound, ResyncRequired, WebhookInactive, WebhookPending),
        operation_id="replayWebhook",
    )
    async def on_post(self, req: Request, resp: Response, webhook_id: int, body: ReplayBody) -> None:
        """Send all changes after a cursor again, with the original message ids."""
        args = req.caller.user_id, webhook_id, body.after
        resp.media = await self._guard.write(req, webhook.go_back, *args)
        resp.status = falcon.HTTP_ACCEPTED
        await self._dispatch.wake(req)


class DeliveryListResource:
    """/webhooks/{webhook_id}/deliveries"""

    tag = "webhooks"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(DeliveryPage, errors=(NotFound,), operation_id="listWebhookDeliveries")
    async def on_get(self, req: Request, resp: Response, webhook_id: int, query: DeliveriesQuery) -> None:
        """List the sent and waiting messages of a webhook, newest first."""
        state = None if isinstance(query.state, UnsetType) else query.state
        asked = PageRequest(query.limit, query.cursor, "-id")
        page = await self._guard.read_list(req, webhook_delivery.page, req.caller.user_id, webhook_id, state, asked)
        resp.media = DeliveryPage(page.rows, link_next(req, resp, query, page.cursor))


class DeliveryReplayResource:
    """/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"""

    tag = "webhooks"

    def __init__(self, guard: Guard, dispatch: WebhookService) -> None:
        self._guard = guard
        self._dispatch = dispatch

    @responds((202, Delivery), errors=(NotFound, WebhookInactive, WebhookPending), operation_id="replayWebhookDelivery")
    async def on_post(self, req: Request, resp: Response, webhook_id: int, delivery_id: int) -> None:
        """Send a message again, with its original id."""
        args = req.caller.user_id, webhook_id, delivery_id
        resp.media = await self._guard.write(req, webhook_delivery.replay, *args)
        resp.status = falcon.HTTP_ACCEPTED
        await self._dispatch.wake(req)
