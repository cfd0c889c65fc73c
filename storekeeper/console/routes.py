"""The pages' URLs, in one table, and the application that serves them."""

from typing import Any

import falcon
import falcon.asgi
import msgspec
from falcon.asgi import Response

from storekeeper.components import Components
from storekeeper.console import (
    account,
    activity,
    bulk_edit,
    error_pages,
    exports,
    imports,
    item,
    members,
    middleware,
    overview,
    saved_forms,
    sign_in,
    static_files,
    store,
    store_settings,
    system,
    users,
    webhooks,
)
from storekeeper.console.form_keys import FormKeys
from storekeeper.console.templating import Templates
from storekeeper.console.view import ConsoleComponents, ConsoleRequest
from storekeeper.errors import StorekeeperError
from storekeeper.http import request
from storekeeper.http.routing import Router


def create_routes(components: ConsoleComponents) -> dict[str, object]:
    """Every URL, and the view behind it."""
    return {
        "/console": overview.OverviewView(components),
        "/console/set-up": sign_in.SetUpView(components),
        "/console/sign-in": sign_in.SignInView(components),
        "/console/new-password": sign_in.NewPasswordView(components),
        "/console/sign-out": sign_in.SignOutView(components),
        "/console/confirm": sign_in.PasswordConfirmView(components),
        "/console/account": account.AccountView(components),
        "/console/account/password": account.PasswordChangeView(components),
        "/console/account/sessions": account.OtherSessionsEndView(components),
        "/console/account/sessions/{session_id:id}": account.SessionEndView(components),
        "/console/items": store.ItemListView(components),
        "/console/new-store": store_settings.StoreCreateView(components),
        "/console/store/{name:name}": store.StoreView(components),
        "/console/store/{name:name}/selection": bulk_edit.SelectionView(components),
        "/console/store/{name:name}/settings": store_settings.StoreSettingsView(components),
        "/console/store/{name:name}/delete": store_settings.StoreDeleteView(components),
        "/console/store/{name:name}/members": members.MemberListView(components),
        "/console/store/{name:name}/members/{username:username}/remove": members.MemberRemoveView(components),
        "/console/store/{name:name}/new-item": item.ItemCreateView(components),
        "/console/store/{name:name}/item/{item_name:name}": item.ItemView(components),
        "/console/store/{name:name}/item/{item_name:name}/archive": item.ItemArchiveView(components),
        "/console/store/{name:name}/item/{item_name:name}/image": item.ItemImageView(components),
        "/console/store/{name:name}/item/{item_name:name}/image/remove": item.ItemImageRemoveView(components),
        "/console/store/{name:name}/item/{item_name:name}/delete": item.ItemDeleteView(components),
        "/console/store/{name:name}/item/{item_name:name}/undo": activity.ChangeUndoView(components),
        "/console/store/{name:name}/activity": activity.StoreActivityView(components),
        "/console/activity": activity.ActivityView(components),
        "/console/store/{name:name}/import": imports.StoreImportsView(components),
        "/console/store/{name:name}/export": exports.ExportView(components),
        "/console/store/{name:name}/export/{format}": exports.ExportFileView(components),
        "/console/import/{import_id:id}": imports.ImportView(components),
        "/console/import/{import_id:id}/cancel": imports.ImportCancelView(components),
        "/console/import/{import_id:id}/refused.csv": imports.RefusedRowsView(components),
        "/console/store/{name:name}/webhooks": webhooks.StoreWebhookListView(components),
        "/console/webhooks": webhooks.WebhookListView(components),
        "/console/webhooks/{webhook_id:id}": webhooks.WebhookView(components),
        "/console/webhooks/{webhook_id:id}/state": webhooks.WebhookStateView(components),
        "/console/webhooks/{webhook_id:id}/test": webhooks.WebhookPingView(components),
        "/console/webhooks/{webhook_id:id}/replay": webhooks.WebhookReplayView(components),
        "/console/webhooks/{webhook_id:id}/deliveries/{delivery_id:id}/replay": webhooks.DeliveryReplayView(components),
        "/console/webhooks/{webhook_id:id}/verify": webhooks.WebhookVerifyView(components),
        "/console/webhooks/{webhook_id:id}/takeover": webhooks.WebhookTakeoverView(components),
        "/console/webhooks/{webhook_id:id}/rotate": webhooks.WebhookRotateView(components),
        "/console/webhooks/{webhook_id:id}/delete": webhooks.WebhookDeleteView(components),
        "/console/users": users.UserListView(components),
        "/console/new-user": users.UserCreateView(components),
        "/console/users/{user_id:id}": users.UserView(components),
        "/console/users/{user_id:id}/roles": users.UserRolesView(components),
        "/console/users/{user_id:id}/sessions": users.UserSessionsEndView(components),
        "/console/users/{user_id:id}/password": users.PasswordResetView(components),
        "/console/users/{user_id:id}/delete": users.UserDeleteView(components),
        "/console/system": system.SystemView(components),
        "/console/static/{name}": static_files.StaticFileView(components.compression),
    }


def create_console_components(components: Components) -> ConsoleComponents:
    form_keys = FormKeys(components.parts.keys)
    return ConsoleComponents(**msgspec.structs.asdict(components), form_keys=form_keys, templates=Templates(form_keys))


def create_console(components: Components) -> falcon.asgi.App[ConsoleRequest, Response]:
    """The application that answers below /console."""
    console = create_console_components(components)
    kept = saved_forms.KeptForms(console.guard, console.form_keys)
    chain: list[Any] = [
        middleware.SameOrigin(),
        middleware.SessionCookie(console.tokens, console.guard),
        middleware.FormReading(),
        kept,
    ]
    app = falcon.asgi.App(media_type=falcon.MEDIA_HTML, request_type=ConsoleRequest, middleware=chain, router=Router())
    app.router_options.converters.update(
        {"name": request.NameConverter, "username": request.UsernameConverter, "id": request.IdConverter}
    )
    render = error_pages.ErrorPages(console.templates, kept)
    app.add_error_handler(Exception, render.render_bug)
    app.add_error_handler(falcon.HTTPError, render.render_http)
    app.add_error_handler(StorekeeperError, render.render)
    for template, view in create_routes(console).items():
        app.add_route(template, view)
    return app
