"""The ASGI application: every URL of the API, its middleware and its errors, in one place."""

from functools import partial
from typing import Any

import falcon
import falcon.asgi
from falcon.asgi import Response

from storekeeper.components import Components, Parts, create_components, create_parts
from storekeeper.errors import StorekeeperError
from storekeeper.http import request, responses
from storekeeper.http.asgi_types import App
from storekeeper.http.authentication import Authentication
from storekeeper.http.proxy_headers import behind_proxies
from storekeeper.http.request import Request
from storekeeper.http.response_headers import EXPOSED_HEADERS
from storekeeper.http.root_app import LazyApp, RootApp
from storekeeper.http.routing import Cors, InStore, Router
from storekeeper.maintenance import Lifespan
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
from storekeeper.settings import Settings, read_settings


def create_app(settings: Settings | None = None, parts: Parts | None = None) -> App:
    """Build the server. Uvicorn calls this without arguments."""
    settings = settings or read_settings()
    components = create_components(settings, parts or create_parts(settings))
    root = RootApp(create_api(components), LazyApp(partial(_create_pages, components)), settings.body_seconds)
    served: App = behind_proxies(root, settings.trusted_proxies, components.parts.untrusted_peers)
    return served


def create_api(components: Components) -> falcon.asgi.App[Request, Response]:
    app = falcon.asgi.App(request_type=Request, middleware=_create_middleware(components), router=Router())
    app.router_options.converters.update(
        {"name": request.NameConverter, "username": request.UsernameConverter, "id": request.IdConverter}
    )
    app.add_error_handler(Exception, responses.render_bug)
    app.add_error_handler(falcon.HTTPError, responses.render_http_error)
    app.add_error_handler(StorekeeperError, responses.render_error)
    routes = create_routes(components)
    for template, resource in routes.items():
        app.add_route(template, resource)
    app.add_route("/openapi.json", docs.OpenApiResource(partial(_describe, routes), components.compression))
    return app


def _describe(routes: dict[str, object]) -> dict[str, Any]:
    """What it takes is loaded when somebody asks for it."""
    from storekeeper.openapi import document  # noqa: PLC0415

    return document.describe(routes)


def create_routes(components: Components) -> dict[str, object]:
    """Every URL of the API, and the resource behind it. Those of the pages are in `console.routes`."""
    settings, parts, guard, tokens = components.settings, components.parts, components.guard, components.tokens
    check, accounts, dispatch = components.password_check, components.accounts, components.dispatch
    image_uploads, import_uploads, quotas = components.image_uploads, components.import_uploads, components.quotas
    conditions = Conditions(settings.require_if_match)
    return {
        "/register": user.RegisterResource(accounts),
        "/login": session.LoginResource(check, tokens),
        "/login/password": session.LoginPasswordResource(check, tokens),
        "/login/fresh": session.FreshLoginResource(guard, check, tokens),
        "/refresh": session.RefreshResource(guard, tokens, settings.refresh_grace_seconds),
        "/logout": session.LogoutResource(guard),
        "/sessions": session.SessionListResource(guard, tokens.lifetimes.idle),
        "/sessions/{session_id:id}": session.SessionResource(guard),
        "/user/{user_id:id}": user.UserResource(guard),
        "/user/{user_id:id}/password": user.PasswordResource(guard, accounts),
        "/users": user.UserListResource(guard),
        "/store/{name:name}": store.StoreResource(guard, settings.currency, conditions, quotas.stores),
        "/stores": store.StoreListResource(guard),
        "/store/{name:name}/members": member.MemberListResource(guard),
        "/store/{name:name}/members/{username:username}": member.MemberResource(guard),
        "/store/{name:name}/items": InStore(item_list.ItemListResource(guard, components.exports)),
        "/store/{name:name}/item/{item_name:name}": InStore(item.ItemResource(guard, conditions)),
        "/store/{name:name}/item/{item_name:name}/stock": InStore(item.StockResource(guard)),
        "/item/{name:name}": item.ItemResource(guard, conditions),
        "/item/{name:name}/stock": item.StockResource(guard),
        "/store/{name:name}/item/{item_name:name}/image": InStore(item_image.ItemImageResource(guard, image_uploads)),
        "/item/{name:name}/image": item_image.ItemImageResource(guard, image_uploads),
        "/images/{key}/{size}": item_image.ImageFileResource(guard, parts.images),
        "/item/{name:name}/history": history.ItemHistoryResource(guard),
        "/item/{name:name}/price": history.ItemPriceResource(guard),
        "/store/{name:name}/item/{item_name:name}/history": InStore(history.ItemHistoryResource(guard)),
        "/store/{name:name}/item/{item_name:name}/price": InStore(history.ItemPriceResource(guard)),
        "/store/{name:name}/history": history.StoreHistoryResource(guard),
        "/changes": changes.ChangesResource(guard, quotas.streams),
        "/audit": history.AuditResource(guard),
        "/items": item_list.ItemListResource(guard, components.exports),
        "/items/bulk": item_bulk.ItemBulkResource(guard),
        "/imports": imports.ImportListResource(guard, import_uploads),
        "/imports/{import_id:id}": imports.ImportResource(guard, parts.storage, parts.importer),
        "/imports/{import_id:id}/refusals": imports.ImportRefusalsResource(guard),
        "/webhooks": webhook.WebhookListResource(guard, dispatch),
        "/webhooks/{webhook_id:id}": webhook.WebhookResource(guard, dispatch),
        "/webhooks/{webhook_id:id}/rotate": webhook.WebhookRotationResource(guard),
        "/webhooks/{webhook_id:id}/takeover": webhook.WebhookTakeoverResource(guard, dispatch),
        "/webhooks/{webhook_id:id}/verify": webhook.WebhookVerificationResource(guard, dispatch),
        "/webhooks/{webhook_id:id}/test": webhook.WebhookTestResource(guard, dispatch),
        "/webhooks/{webhook_id:id}/replay": webhook.WebhookReplayResource(guard, dispatch),
        "/webhooks/{webhook_id:id}/deliveries": webhook.DeliveryListResource(guard),
        "/webhooks/{webhook_id:id}/deliveries/{delivery_id:id}/replay": webhook.DeliveryReplayResource(guard, dispatch),
        "/": docs.HomeResource(),
        "/docs": docs.DocsPageResource(),
        "/docs/{name}": docs.DocsAssetResource(components.compression),
        "/livez": health.LivenessResource(),
        "/readyz": health.ReadinessResource(guard, parts.health),
    }


def _create_pages(components: Components) -> App:
    """With Jinja, 3 MiB, and a tenth of the start: only a server whose pages are asked for needs them."""
    from storekeeper.console.routes import create_console  # noqa: PLC0415

    pages: App = create_console(components)
    return pages


def _create_middleware(components: Components) -> list[Any]:
    guard, origins = components.guard, components.settings.cors_origins
    chain = [
        Authentication(components.tokens, guard),
        request.RequestValidation(),
        responses.ResponseEncoding(guard.limits, components.compression),
        Lifespan(components),
    ]
    if origins:
        chain.insert(0, Cors(origins, list(EXPOSED_HEADERS)))
    return chain
