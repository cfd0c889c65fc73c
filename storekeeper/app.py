"""The ASGI application: every URL of the API, its middleware and its errors, in one place."""

import asyncio
import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import falcon
import falcon.asgi
import msgspec
import structlog
from falcon.asgi import Response
from falcon.responders import create_default_options
from falcon.routing import CompiledRouter

from storekeeper.concurrency.background_process import End, Runner
from storekeeper.concurrency.periodic_tasks import Chore, Chores
from storekeeper.concurrency.slots import Places
from storekeeper.concurrency.user_counter import Tally
from storekeeper.database.engine import Database
from storekeeper.domain.webhook_url import Networks
from storekeeper.errors import MIB, StorekeeperError
from storekeeper.files.images import Images
from storekeeper.files.storage import Storage, create_storage
from storekeeper.http import request
from storekeeper.http.guard import Authentication, Guard
from storekeeper.http.proxy_headers import behind_proxies
from storekeeper.http.request import Request
from storekeeper.http.request_limits import RequestLimits
from storekeeper.http.response_headers import EXPOSED_HEADERS
from storekeeper.http.root_app import App, Door, Later
from storekeeper.http.untrusted_peers import UntrustedPeers
from storekeeper.models import import_queue, journal, periodic_task, saved_form, untrusted_peer, webhook_queue
from storekeeper.models.login_throttle import Limits
from storekeeper.models.quota import Quotas
from storekeeper.models.session import Terms
from storekeeper.resources import (
    changes,
    docs,
    health,
    history,
    imports,
    item,
    item_bulk,
    item_image,
    item_list,
    member,
    session,
    store,
    user,
    webhook,
)
from storekeeper.resources.etags import Conditions
from storekeeper.security.password_tickets import Tickets
from storekeeper.security.passwords import Passwords, create_passwords
from storekeeper.security.signing_keys import KeyRing
from storekeeper.security.tokens import Lifetimes, Tokens
from storekeeper.services import image_retention
from storekeeper.services.accounts import Accounts
from storekeeper.services.file_transfers import Exports, ImageDesk, ImportDesk
from storekeeper.services.health import Health
from storekeeper.services.login import PasswordCheck
from storekeeper.services.webhooks import Dispatch
from storekeeper.settings import Settings, read_settings

if TYPE_CHECKING:
    from storekeeper.console.page import Kit

CHORE_PAUSE = 60.0  # seconds
IMAGE_PAUSE, IMAGE_SECONDS = 21_600.0, 600.0  # it lists all files of images, which may be many
CLOSING_SECONDS = 2.5  # for what is to be written down at the end
DAY = 86_400


class Parts(msgspec.Struct, frozen=True):
    """What the resources are made of. The tests pass their own."""

    db: Database
    keys: KeyRing
    passwords: Passwords
    storage: Storage
    images: Images
    importer: Runner
    sender: Runner
    chores: Chores
    health: Health
    exports: Exports
    untrusted_peers: UntrustedPeers = msgspec.field(default_factory=UntrustedPeers)
    arriving: Tally = msgspec.field(default_factory=Tally)  # see ImportDesk


def create_app(settings: Settings | None = None, parts: Parts | None = None) -> App:
    """Build the server. Uvicorn calls this without arguments."""
    settings = settings or read_settings()
    parts = parts or create_parts(settings)
    limits = RequestLimits(settings.network_requests_per_minute, settings.user_requests_per_minute)
    guard = Guard(parts.db, limits, quotas(settings).answer_bytes)
    pages = Later(partial(_create_pages, settings, parts, guard))
    door = Door(create_api(settings, parts, guard), pages, settings.body_seconds)
    served: App = behind_proxies(door, settings.trusted_proxies, parts.untrusted_peers)
    return served


def create_parts(settings: Settings) -> Parts:
    db = Database(settings.database, limit=settings.database_queue, seconds=settings.database_seconds)
    storage = create_storage(settings)
    importer, sender = create_importer(db), create_sender(db)
    keys = KeyRing(settings.keys_path)
    chores = Chores()
    health = Health(db, chores, settings.keys_path, storage)
    exports = Exports(Places(settings.exports_at_once, settings.exports_per_user))
    passwords, images = create_passwords(settings), Images(storage)
    return Parts(db, keys, passwords, storage, images, importer, sender, chores, health, exports)


def create_importer(db: Database) -> Runner:
    async def settle(end: End) -> None:
        await db.write(import_queue.expire if end.has_died else import_queue.give_back, end.vitals.name)

    at_once, silent_seconds = import_queue.MAX_AT_ONCE, import_queue.DEAD_AFTER
    return Runner("imports", "run", "--supervised", limit=at_once, silent_seconds=silent_seconds, on_end=settle)


def create_sender(db: Database) -> Runner:
    async def settle(end: End) -> None:
        if not end.has_died:
            await db.write(webhook_queue.let_go, end.vitals.name)
            return
        for webhook_id in await db.write(webhook_queue.note_death, end.vitals.name, end.vitals.under_way):
            reason = "Sending its messages ended the sender again and again."
            structlog.get_logger().warning("webhook_stopped", webhook=webhook_id, reason=reason)

    command = ("webhooks", "run", "--beside", str(os.getpid()), "--supervised")
    return Runner(*command, silent_seconds=webhook_queue.DEAD_AFTER, on_end=settle)


def create_api(settings: Settings, parts: Parts, guard: Guard) -> falcon.asgi.App[Request, Response]:
    tokens = Tokens(parts.keys, lifetimes(settings))
    middleware = _middleware(settings, tokens, guard, parts)
    app = falcon.asgi.App(request_type=Request, middleware=middleware, router=Router())
    _configure(app)
    routes = create_routes(settings, parts, tokens, guard)
    for template, resource in routes.items():
        app.add_route(template, resource)
    app.add_route("/openapi.json", docs.Document(partial(_describe, routes)))
    return app


def _describe(routes: dict[str, object]) -> dict[str, Any]:
    """What it takes is loaded when somebody asks for it."""
    from storekeeper.openapi import document  # noqa: PLC0415

    return document.describe(routes)


def create_routes(settings: Settings, parts: Parts, tokens: Tokens, guard: Guard) -> dict[str, object]:
    """Every URL of the API, and the resource behind it. Those of the pages are in `console.routes`."""
    check, accounts = _create_accounts(settings, parts, guard)
    conditions = Conditions(settings.require_if_match)
    dispatch = _create_dispatch(settings, parts, guard)
    most, image_desk, import_desk = quotas(settings), *_create_desks(settings, parts, guard)
    return {
        "/register": user.Register(accounts),
        "/login": session.Login(check, tokens),
        "/login/password": session.LoginPassword(check, tokens),
        "/login/fresh": session.FreshLogin(guard, check, tokens),
        "/refresh": session.Refresh(guard, tokens, settings.refresh_grace_seconds),
        "/logout": session.Logout(guard),
        "/sessions": session.SessionList(guard, tokens.lifetimes.idle),
        "/sessions/{session_id:id}": session.Session(guard),
        "/user/{user_id:id}": user.User(guard),
        "/user/{user_id:id}/password": user.Password(guard, accounts),
        "/users": user.UserList(guard),
        "/store/{name:name}": store.Store(guard, settings.currency, conditions, most.stores),
        "/stores": store.StoreList(guard),
        "/store/{name:name}/members": member.MemberList(guard),
        "/store/{name:name}/members/{username:username}": member.Member(guard),
        "/store/{name:name}/items": item_list.StoreItemList(guard, parts.exports),
        "/store/{name:name}/item/{item_name:name}": item.ItemInStore(guard, conditions),
        "/store/{name:name}/item/{item_name:name}/stock": item.StockInStore(guard),
        "/item/{name:name}": item.Item(guard, conditions),
        "/item/{name:name}/stock": item.Stock(guard),
        "/store/{name:name}/item/{item_name:name}/image": item_image.ItemImageInStore(guard, image_desk),
        "/item/{name:name}/image": item_image.ItemImage(guard, image_desk),
        "/images/{key}/{size}": item_image.ImageFile(guard, parts.images),
        "/item/{name:name}/history": history.ItemHistory(guard),
        "/item/{name:name}/price": history.ItemPrice(guard),
        "/store/{name:name}/item/{item_name:name}/history": history.ItemHistoryInStore(guard),
        "/store/{name:name}/item/{item_name:name}/price": history.ItemPriceInStore(guard),
        "/store/{name:name}/history": history.StoreHistory(guard),
        "/changes": changes.Changes(guard, most.streams),
        "/audit": history.Audit(guard),
        "/items": item_list.ItemList(guard, parts.exports),
        "/items/bulk": item_bulk.Bulk(guard),
        "/imports": imports.ImportList(guard, import_desk),
        "/imports/{import_id:id}": imports.ImportJob(guard, parts.storage, parts.importer),
        "/imports/{import_id:id}/refusals": imports.ImportRefusals(guard),
        "/webhooks": webhook.WebhookList(dispatch),
        "/webhooks/{webhook_id:id}": webhook.Webhook(dispatch),
        "/webhooks/{webhook_id:id}/rotate": webhook.WebhookRotation(dispatch),
        "/webhooks/{webhook_id:id}/takeover": webhook.WebhookTakeover(dispatch),
        "/webhooks/{webhook_id:id}/verify": webhook.WebhookVerification(dispatch),
        "/webhooks/{webhook_id:id}/test": webhook.WebhookTest(dispatch),
        "/webhooks/{webhook_id:id}/replay": webhook.WebhookReplay(dispatch),
        "/webhooks/{webhook_id:id}/deliveries": webhook.DeliveryList(dispatch),
        "/webhooks/{webhook_id:id}/deliveries/{delivery_id:id}/replay": webhook.DeliveryReplay(dispatch),
        "/": docs.Home(),
        "/docs": docs.Page(),
        "/docs/{name}": docs.Asset(),
        "/livez": health.Live(),
        "/readyz": health.Ready(guard, parts.health),
    }


def _create_pages(settings: Settings, parts: Parts, guard: Guard) -> App:
    """With Jinja, 3 MiB, and a tenth of the start: only a server whose pages are asked for needs them."""
    from storekeeper.console.routes import create_console  # noqa: PLC0415

    pages: App = create_console(create_kit(settings, parts, guard), Router())
    return pages


def create_kit(settings: Settings, parts: Parts, guard: Guard) -> "Kit":
    """What the pages are made with."""
    from storekeeper.console.form_keys import FormKeys  # noqa: PLC0415
    from storekeeper.console.page import Kit  # noqa: PLC0415
    from storekeeper.console.templating import Views  # noqa: PLC0415

    check, accounts = _create_accounts(settings, parts, guard)
    form_keys = FormKeys(parts.keys)
    image_desk, import_desk = _create_desks(settings, parts, guard)
    return Kit(
        settings=settings,
        guard=guard,
        tokens=Tokens(parts.keys, lifetimes(settings)),
        password_check=check,
        passwords=parts.passwords,
        accounts=accounts,
        storage=parts.storage,
        images=parts.images,
        exports=parts.exports,
        runner=parts.importer,
        quotas=quotas(settings),
        image_desk=image_desk,
        import_desk=import_desk,
        dispatch=_create_dispatch(settings, parts, guard),
        health=parts.health,
        form_keys=form_keys,
        views=Views(form_keys),
    )


def _create_accounts(settings: Settings, parts: Parts, guard: Guard) -> tuple[PasswordCheck, Accounts]:
    limits = Limits(settings.login_failures, settings.login_failures_overall, settings.login_window_seconds)
    terms, tickets = Terms(lifetimes(settings).session, settings.sessions_per_user), Tickets(parts.keys)
    check = PasswordCheck(guard, parts.passwords, tickets, limits, terms, settings.logins_per_minute)
    is_open, rate = settings.registration == "open", settings.registrations_per_minute
    return check, Accounts(guard, parts.passwords, parts.keys, check, is_open, rate)


def _create_desks(settings: Settings, parts: Parts, guard: Guard) -> tuple[ImageDesk, ImportDesk]:
    most = quotas(settings)
    import_desk = ImportDesk(guard, parts.storage, parts.importer, parts.arriving, most.import_bytes)
    return ImageDesk(guard, parts.images, most.image_bytes), import_desk


def _create_dispatch(settings: Settings, parts: Parts, guard: Guard) -> Dispatch:
    return Dispatch(guard, parts.sender, Networks(settings.webhook_networks), settings.webhook_creation)


def _configure(app: falcon.asgi.App[Request, Response]) -> None:
    app.router_options.converters.update({"name": request.Name, "username": request.Username, "id": request.Id})
    app.add_error_handler(Exception, request.render_bug)
    app.add_error_handler(falcon.HTTPError, request.render_http_error)
    app.add_error_handler(StorekeeperError, request.render_error)


def _middleware(settings: Settings, tokens: Tokens, guard: Guard, parts: Parts) -> list[Any]:
    lifespan = Lifespan(guard, parts, settings.journal_days)
    chain = [Authentication(tokens, guard), request.Reading(), request.Writing(guard.limits), lifespan]
    if settings.cors_origins:
        chain.insert(0, Cors(settings.cors_origins, list(EXPOSED_HEADERS)))
    return chain


def quotas(settings: Settings) -> Quotas:
    return Quotas(
        stores=settings.stores_per_user,
        streams=settings.streams_per_user,
        import_bytes=settings.import_mib_per_user * MIB,
        answer_bytes=settings.answer_mib_per_user * MIB,
        image_bytes=settings.image_mib_per_store * MIB,
    )


def lifetimes(settings: Settings) -> Lifetimes:
    return Lifetimes(
        access=settings.access_minutes * 60,
        fresh=settings.fresh_minutes * 60,
        idle=settings.refresh_days * DAY,
        session=settings.session_days * DAY,
    )


class Router(CompiledRouter):
    """Knows that HEAD is answered wherever GET is, which is the door's doing: `Allow` lists it, and OPTIONS too.

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
    """Answers differ by origin: a cache has to know."""

    def process_response(self, req: Any, resp: Any, resource: object, req_succeeded: bool) -> None:
        super().process_response(req, resp, resource, req_succeeded)
        resp.append_header("Vary", "Origin")


class Lifespan:
    """Middleware: what goes on beside the requests, and what is put away when the server ends."""

    def __init__(self, guard: Guard, parts: Parts, journal_days: int) -> None:
        self._guard = guard
        self._parts = parts
        self._journal_days = journal_days

    async def process_startup(self, _scope: Any, _event: Any) -> None:
        for each in self._create_chores():
            self._parts.chores.start(each)

    async def process_shutdown(self, _scope: Any, _event: Any) -> None:
        await self._parts.chores.close()
        await asyncio.gather(self._parts.importer.close(), self._parts.sender.close(), self._note_end())
        self._parts.images.close()
        self._parts.passwords.close()
        self._parts.db.close()

    async def _note_end(self) -> None:
        with suppress(Exception):  # nobody is left to try again, and the rest is to be put away all the same
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._guard.flush()
                await self._parts.db.write(periodic_task.forget, self._parts.chores.server)

    def _create_chores(self) -> list[Chore]:
        """What this process does by itself. `chore_report` writes down how all of them are getting on."""
        chores = [
            Chore("imports", CHORE_PAUSE, self._wake_importer),
            Chore("webhooks", CHORE_PAUSE, self._wake_sender),
            Chore("session_use", CHORE_PAUSE, self._guard.flush),
            Chore("untrusted_peers", CHORE_PAUSE, self._report_peers),
            Chore("kept_forms", CHORE_PAUSE, self._forget_forms),
            Chore("image_retention", IMAGE_PAUSE, self._remove_images, IMAGE_SECONDS),
            Chore("chore_report", CHORE_PAUSE, self._parts.health.report_chores),
            *self._parts.health.chores(),
        ]
        if self._journal_days:
            chores.append(Chore("journal_retention", CHORE_PAUSE, self._forget_changes))
        return chores

    async def _wake_importer(self) -> None:
        if await self._parts.db.read(import_queue.is_waiting):
            self._parts.importer.wake()

    async def _wake_sender(self) -> None:
        if await self._parts.db.read(webhook_queue.is_waiting):
            self._parts.sender.wake()

    async def _report_peers(self) -> None:
        if requests := self._parts.untrusted_peers.take():
            await self._parts.db.write(untrusted_peer.report, requests)

    async def _forget_forms(self) -> None:
        await self._parts.db.write(saved_form.forget)

    async def _remove_images(self) -> None:
        await image_retention.apply(self._parts.db, self._parts.storage)

    async def _forget_changes(self) -> None:
        """Drop what the journal need not keep any longer, a little at a time."""
        await self._parts.db.write(journal.forget, int(time.time()) - self._journal_days * DAY)
