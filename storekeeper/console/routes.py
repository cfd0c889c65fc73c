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
from storekeeper.console.view import ConsoleRequest, Kit
from storekeeper.errors import StorekeeperError
from storekeeper.http import request
from storekeeper.http.routing import Router


def create_routes(kit: Kit) -> dict[str, object]:
    """Every URL, and the view behind it."""
    return {
        "/console": overview.OverviewView(kit),
        "/console/set-up": sign_in.SetUpView(kit),
        "/console/sign-in": sign_in.SignInView(kit),
        "/console/new-password": sign_in.NewPasswordView(kit),
        "/console/sign-out": sign_in.SignOutView(kit),
        "/console/confirm": sign_in.PasswordConfirmView(kit),
        "/console/account": account.AccountView(kit),
        "/console/account/password": account.PasswordChangeView(kit),
        "/console/account/sessions": account.OtherSessionsEndView(kit),
        "/console/account/sessions/{session_id:id}": account.SessionEndView(kit),
        "/console/items": store.ItemListView(kit),
        "/console/new-store": store_settings.StoreCreateView(kit),
        "/console/store/{name:name}": store.StoreView(kit),
        "/console/store/{name:name}/selection": bulk_edit.SelectionView(kit),
        "/console/store/{name:name}/settings": store_settings.StoreSettingsView(kit),
        "/console/store/{name:name}/delete": store_settings.StoreDeleteView(kit),
        "/console/store/{name:name}/members": members.MemberListView(kit),
        "/console/store/{name:name}/members/{username:username}/remove": members.MemberRemoveView(kit),
        "/console/store/{name:name}/new-item": item.ItemCreateView(kit),
        "/console/store/{name:name}/item/{item_name:name}": item.ItemView(kit),
        "/console/store/{name:name}/item/{item_name:name}/archive": item.ItemArchiveView(kit),
        "/console/store/{name:name}/item/{item_name:name}/image": item.ItemImageView(kit),
        "/console/store/{name:name}/item/{item_name:name}/image/remove": item.ItemImageRemoveView(kit),
        "/console/store/{name:name}/item/{item_name:name}/delete": item.ItemDeleteView(kit),
        "/console/store/{name:name}/item/{item_name:name}/undo": activity.ChangeUndoView(kit),
        "/console/store/{name:name}/activity": activity.StoreActivityView(kit),
        "/console/activity": activity.ActivityView(kit),
        "/console/store/{name:name}/import": imports.StoreImportsView(kit),
        "/console/store/{name:name}/export": exports.ExportView(kit),
        "/console/store/{name:name}/export/{format}": exports.ExportFileView(kit),
        "/console/import/{import_id:id}": imports.ImportView(kit),
        "/console/import/{import_id:id}/cancel": imports.ImportCancelView(kit),
        "/console/import/{import_id:id}/refused.csv": imports.RefusedRowsView(kit),
        "/console/store/{name:name}/webhooks": webhooks.StoreWebhookListView(kit),
        "/console/webhooks": webhooks.WebhookListView(kit),
        "/console/webhooks/{webhook_id:id}": webhooks.WebhookView(kit),
        "/console/webhooks/{webhook_id:id}/state": webhooks.WebhookStateView(kit),
        "/console/webhooks/{webhook_id:id}/test": webhooks.WebhookPingView(kit),
        "/console/webhooks/{webhook_id:id}/replay": webhooks.WebhookReplayView(kit),
        "/console/webhooks/{webhook_id:id}/deliveries/{delivery_id:id}/replay": webhooks.DeliveryReplayView(kit),
        "/console/webhooks/{webhook_id:id}/verify": webhooks.WebhookVerifyView(kit),
        "/console/webhooks/{webhook_id:id}/takeover": webhooks.WebhookTakeoverView(kit),
        "/console/webhooks/{webhook_id:id}/rotate": webhooks.WebhookRotateView(kit),
        "/console/webhooks/{webhook_id:id}/delete": webhooks.WebhookDeleteView(kit),
        "/console/users": users.UserListView(kit),
        "/console/new-user": users.UserCreateView(kit),
        "/console/users/{user_id:id}": users.UserView(kit),
        "/console/users/{user_id:id}/roles": users.UserRolesView(kit),
        "/console/users/{user_id:id}/sessions": users.UserSessionsEndView(kit),
        "/console/users/{user_id:id}/password": users.PasswordResetView(kit),
        "/console/users/{user_id:id}/delete": users.UserDeleteView(kit),
        "/console/system": system.SystemView(kit),
        "/console/static/{name}": static_files.StaticFileView(),
    }


def create_kit(components: Components) -> Kit:
    form_keys = FormKeys(components.parts.keys)
    return Kit(**msgspec.structs.asdict(components), form_keys=form_keys, templates=Templates(form_keys))


def create_console(components: Components) -> falcon.asgi.App[ConsoleRequest, Response]:
    """The application that answers below /console."""
    kit = create_kit(components)
    kept = saved_forms.KeptForms(kit.guard, kit.form_keys)
    chain: list[Any] = [
        middleware.SameOrigin(),
        middleware.SessionCookie(kit.tokens, kit.guard),
        middleware.FormReading(),
        kept,
    ]
    app = falcon.asgi.App(media_type=falcon.MEDIA_HTML, request_type=ConsoleRequest, middleware=chain, router=Router())
    app.router_options.converters.update(
        {"name": request.NameConverter, "username": request.UsernameConverter, "id": request.IdConverter}
    )
    render = error_pages.ErrorPages(kit.templates, kept)
    app.add_error_handler(Exception, render.render_bug)
    app.add_error_handler(falcon.HTTPError, render.render_http)
    app.add_error_handler(StorekeeperError, render.render)
    for template, view in create_routes(kit).items():
        app.add_route(template, view)
    return app
