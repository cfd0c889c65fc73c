"""Webhooks: who is told of changes, of a store or of all, and what became of each message"""

from typing import Annotated, NamedTuple, get_args

import msgspec
from falcon.asgi import Response
from msgspec import Meta

from storekeeper.console import forms
from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.domain import names
from storekeeper.errors import Invalid, NotFound, ResyncRequired
from storekeeper.http.operation import fresh_token
from storekeeper.http.request import MAX_ID
from storekeeper.models import store_member, user, webhook, webhook_delivery
from storekeeper.models.paging import Page, PageRequest
from storekeeper.models.store_member import StoreAccess
from storekeeper.models.webhook import NewSecret, Webhook
from storekeeper.models.webhook_delivery import Delivery, State

ROWS = 50
MAX_NONCE = 100
STATES: dict[str, State] = {each: each for each in get_args(State)}


class Question(NamedTuple):
    """What a page asks before something is done to a webhook. The text may name its `{url}`."""

    step: str
    title: str
    text: str
    verb: str


ROTATION = Question(
    "rotate",
    "Replace the secret?",
    "Messages to {url} are signed with both for a day, and then with the new one alone. "
    "Give the new one to the receiver before that.",
    "Replace the secret",
)
TAKEOVER = Question(
    "takeover",
    "Take over this webhook?",
    "It becomes yours, and continues where it stopped. Messages to {url} are signed with a new secret, "
    "and no longer with the one that it had: what its receiver cannot check comes again for some three days.",
    "Take over",
)
DELETION = Question(
    "delete",
    "Delete this webhook?",
    "{url} gets no more messages, not even those that are waiting. You can pause a webhook instead.",
    "Delete the webhook",
)


class WebhookConfirmView(View):
    """A page that asks before something is done to a webhook."""

    async def _ask(self, req: ConsoleRequest, resp: Response, webhook_id: int, question: Question) -> None:
        hook = await self._read(req, webhook.get, req.caller.user_id, webhook_id)
        back = url("webhooks", webhook_id)
        values = {"title": question.title, "text": question.text.format(url=hook.url), "verb": question.verb}
        self._render(req, resp, "sure.html", action=f"{back}/{question.step}", back=back, **values)


class WebhookSecretView(View):
    """A page whose form makes a secret."""

    def _show_secret(self, req: ConsoleRequest, resp: Response, hook: NewSecret, *, is_rotated: bool = False) -> None:
        """At once: on the way to another page the secret would have to be kept somewhere. And once only."""
        if req.request_context.repeated_at is None:
            self._render(req, resp, "webhook-secret.html", hook=hook, is_rotated=is_rotated)
        else:
            self._flash(req, resp, "The secret was shown then, and is shown only once. Replace it if nobody has it.")
            self._redirect(resp, url("webhooks", hook.id))


class WebhookListView(WebhookSecretView):
    """/console/webhooks"""

    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """Those of one's stores, or for administrators all; and the form for another."""
        page = await self._read(req, webhook.page, req.caller.user_id, PageRequest(ROWS, req.get_param("after") or ""))
        self._list(req, resp, page, None)

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        form = req.typed
        store = form["store"].strip()
        await self._add(req, resp, names.of_thing(store, "store") if store else None)

    def _list(self, req: ConsoleRequest, resp: Response, page: Page[Webhook], access: StoreAccess | None) -> None:
        place = ("store", access.store.name, "webhooks") if access else ("webhooks",)
        values = {"hooks": page.rows, "following": page.cursor, "access": access, "place": place}
        values["creation"] = self._components.dispatch.creation
        self._render(req, resp, "webhooks.html", **values)

    async def _add(self, req: ConsoleRequest, resp: Response, store: str | None) -> None:
        await self._components.dispatch.require_creation(req)
        to = self._components.dispatch.check(req.typed["url"].strip())
        try:
            added = await self._write(req, webhook.add, req.caller.user_id, to, store)
        except NotFound as error:
            raise Invalid(message=error.message, field="store") from None
        await self._components.dispatch.wake(req)
        req.log("webhook_added", webhook=added.id, store_id=added.store_id)
        self._show_secret(req, resp, added)


class StoreWebhookListView(WebhookListView):
    """/console/store/{name}/webhooks"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:  # type: ignore[override]
        """Those of a store, for its owner."""
        access, page = await self._read(req, _of_store, req.caller.user_id, name, req.get_param("after") or "")
        self._list(req, resp, page, access)

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response, name: str) -> None:  # type: ignore[override]
        await self._add(req, resp, name)


class WebhookView(View):
    """/console/webhooks/{webhook_id}"""

    async def on_get(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """A webhook, and what was sent to it or is to be."""
        state = STATES.get(req.get_param("state") or "")
        asked = PageRequest(ROWS, req.get_param("after") or "", "-id")
        hook, owner, page = await self._read(req, _look, req.caller.user_id, webhook_id, state, asked)
        values = {"owner": owner, "deliveries": page.rows, "following": page.cursor, "state": state}
        self._render(req, resp, "webhook.html", hook=hook, **values)

    async def on_post(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """Send to another URL from now on."""
        form = req.typed
        await self._components.dispatch.require_creation(req)
        to = self._components.dispatch.check(form["url"].strip())
        changed = await self._write(req, webhook.change, req.caller.user_id, webhook_id, to, None)
        await self._components.dispatch.wake(req)
        req.log("webhook_changed", webhook=webhook_id, is_active=None)
        asks = " The receiver there is asked for its consent." if changed.state == "pending" else ""
        self._end(req, resp, webhook_id, f"Saved.{asks}")

    def _end(self, req: ConsoleRequest, resp: Response, webhook_id: int, text: str) -> None:
        self._flash(req, resp, text)
        self._redirect(resp, url("webhooks", webhook_id))


class WebhookStateView(WebhookView):
    """/console/webhooks/{webhook_id}/state"""

    async def on_post(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """Let it pause, or go on where it stood."""
        form = req.typed
        is_active = {"yes": True, "no": False}.get(form["is_active"])
        changed = await self._write(req, webhook.change, req.caller.user_id, webhook_id, None, is_active)
        await self._components.dispatch.wake(req)
        req.log("webhook_changed", webhook=webhook_id, is_active=is_active)
        self._end(
            req, resp, webhook_id, "It pauses." if changed.state == "paused" else "It continues where it stopped."
        )


class WebhookPingView(WebhookView):
    """/console/webhooks/{webhook_id}/test"""

    async def on_post(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """Send a message that only shows whether messages arrive."""
        await self._write(req, webhook_delivery.ping, req.caller.user_id, webhook_id)
        await self._components.dispatch.wake(req)
        self._end(req, resp, webhook_id, "A ping is on its way. Reload the page to see the result.")


class WebhookVerifyView(WebhookView):
    """/console/webhooks/{webhook_id}/verify"""

    async def on_post(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """Let a pending one send, by what the challenge said; without that, send the challenge again."""
        form = req.typed
        nonce = form["challenge"].strip()[:MAX_NONCE] or None
        verified = await self._write(req, webhook.verify, req.caller.user_id, webhook_id, nonce)
        await self._components.dispatch.wake(req)
        req.log("webhook_verified" if verified.is_active else "webhook_challenged", webhook=webhook_id)
        self._end(
            req, resp, webhook_id, "It sends from now on." if verified.is_active else "The challenge is sent again."
        )


class ReplayForm(msgspec.Struct, frozen=True):
    cursor: Annotated[int, Meta(ge=0, le=MAX_ID)]


class WebhookReplayView(WebhookView):
    """/console/webhooks/{webhook_id}/replay"""

    async def on_post(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """Send all changes after a cursor once more."""
        form = req.typed
        after = forms.convert({"cursor": form["cursor"].strip()}, ReplayForm).cursor
        try:
            await self._write(req, webhook.go_back, req.caller.user_id, webhook_id, after)
        except ResyncRequired:
            raise Invalid("webhook_cursor_forgotten", field="cursor") from None
        await self._components.dispatch.wake(req)
        self._end(req, resp, webhook_id, f"All changes after change {after} will be sent.")


class DeliveryReplayView(WebhookView):
    """/console/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"""

    async def on_get(  # type: ignore[override]
        self, req: ConsoleRequest, resp: Response, webhook_id: int, delivery_id: int
    ) -> None:
        await super().on_get(req, resp, webhook_id)

    async def on_post(  # type: ignore[override]
        self, req: ConsoleRequest, resp: Response, webhook_id: int, delivery_id: int
    ) -> None:
        """Send one message once more."""
        again = await self._write(req, webhook_delivery.replay, req.caller.user_id, webhook_id, delivery_id)
        await self._components.dispatch.wake(req)
        self._end(req, resp, webhook_id, f"{again.message_id} will be sent again.")


class WebhookRotateView(WebhookConfirmView, WebhookSecretView):
    """/console/webhooks/{webhook_id}/rotate"""

    @fresh_token
    async def on_get(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """Ask before the secret is replaced."""
        await self._ask(req, resp, webhook_id, ROTATION)

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        rotated = await self._write(req, webhook.rotate, req.caller.user_id, webhook_id)
        req.log("webhook_changed", webhook=webhook_id, is_rotated=True)
        self._show_secret(req, resp, rotated, is_rotated=True)


class WebhookTakeoverView(WebhookConfirmView, WebhookSecretView):
    """/console/webhooks/{webhook_id}/takeover"""

    @fresh_token
    async def on_get(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """Ask before it becomes one's own."""
        await self._ask(req, resp, webhook_id, TAKEOVER)

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        await self._components.dispatch.require_creation(req)
        taken = await self._write(req, webhook.take_over, req.caller.user_id, webhook_id)
        await self._components.dispatch.wake(req)
        req.log("webhook_taken_over", webhook=webhook_id)
        self._show_secret(req, resp, taken)


class WebhookDeleteView(WebhookConfirmView):
    """/console/webhooks/{webhook_id}/delete"""

    async def on_get(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        """Ask before a webhook goes."""
        await self._ask(req, resp, webhook_id, DELETION)

    async def on_post(self, req: ConsoleRequest, resp: Response, webhook_id: int) -> None:
        await self._write(req, webhook.delete, req.caller.user_id, webhook_id)
        req.log("webhook_deleted", webhook=webhook_id)
        self._flash(req, resp, "The webhook is deleted.")
        self._redirect(resp, url("webhooks"))


def _of_store(conn: Connection, user_id: int, name: str, after: str) -> tuple[StoreAccess, Page[Webhook]]:
    store = store_member.require_owner(conn, user_id, name)
    return store_member.get_access(conn, user_id, name), webhook.page(conn, user_id, PageRequest(ROWS, after), store.id)


def _look(
    conn: Connection, user_id: int, webhook_id: int, state: State | None, page_request: PageRequest
) -> tuple[Webhook, str | None, Page[Delivery]]:
    """A webhook, its owner's name, and a page of its messages."""
    hook = webhook.get(conn, user_id, webhook_id)
    owner = user.get(conn, hook.user_id).username if hook.user_id else None
    return hook, owner, webhook_delivery.page(conn, user_id, webhook_id, state, page_request)
