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
from storekeeper.console import middleware as gate
from storekeeper.console.form_keys import FormKeys
from storekeeper.console.page import ConsoleRequest, Kit
from storekeeper.console.templating import Templates
from storekeeper.errors import StorekeeperError
from storekeeper.http import request
from storekeeper.http.routing import Router


def create_pages(kit: Kit) -> dict[str, object]:
    """Every URL, and the page behind it."""
    return {
        "/console": overview.Overview(kit),
        "/console/set-up": sign_in.SetUp(kit),
        "/console/sign-in": sign_in.SignIn(kit),
        "/console/new-password": sign_in.NewPassword(kit),
        "/console/sign-out": sign_in.SignOut(kit),
        "/console/confirm": sign_in.Confirm(kit),
        "/console/account": account.Account(kit),
        "/console/account/password": account.Password(kit),
        "/console/account/sessions": account.SessionsEnd(kit),
        "/console/account/sessions/{session_id:id}": account.SessionEnd(kit),
        "/console/items": store.Items(kit),
        "/console/new-store": store_settings.NewStore(kit),
        "/console/store/{name:name}": store.Store(kit),
        "/console/store/{name:name}/selection": bulk_edit.Selection(kit),
        "/console/store/{name:name}/settings": store_settings.Settings(kit),
        "/console/store/{name:name}/delete": store_settings.Deletion(kit),
        "/console/store/{name:name}/members": members.Members(kit),
        "/console/store/{name:name}/members/{username:username}/remove": members.MemberRemoval(kit),
        "/console/store/{name:name}/new-item": item.NewItem(kit),
        "/console/store/{name:name}/item/{item_name:name}": item.ItemPage(kit),
        "/console/store/{name:name}/item/{item_name:name}/archive": item.Archiving(kit),
        "/console/store/{name:name}/item/{item_name:name}/image": item.Picture(kit),
        "/console/store/{name:name}/item/{item_name:name}/image/remove": item.PictureRemoval(kit),
        "/console/store/{name:name}/item/{item_name:name}/delete": item.Deletion(kit),
        "/console/store/{name:name}/item/{item_name:name}/undo": activity.Undoing(kit),
        "/console/store/{name:name}/activity": activity.StoreActivity(kit),
        "/console/activity": activity.Activity(kit),
        "/console/store/{name:name}/import": imports.StoreImports(kit),
        "/console/store/{name:name}/export": exports.Export(kit),
        "/console/store/{name:name}/export/{format}": exports.ExportFile(kit),
        "/console/import/{import_id:id}": imports.ImportPage(kit),
        "/console/import/{import_id:id}/cancel": imports.ImportEnd(kit),
        "/console/import/{import_id:id}/refused.csv": imports.Refused(kit),
        "/console/store/{name:name}/webhooks": webhooks.StoreWebhooks(kit),
        "/console/webhooks": webhooks.Webhooks(kit),
        "/console/webhooks/{webhook_id:id}": webhooks.WebhookPage(kit),
        "/console/webhooks/{webhook_id:id}/state": webhooks.Activation(kit),
        "/console/webhooks/{webhook_id:id}/test": webhooks.Ping(kit),
        "/console/webhooks/{webhook_id:id}/replay": webhooks.Replay(kit),
        "/console/webhooks/{webhook_id:id}/deliveries/{delivery_id:id}/replay": webhooks.DeliveryReplay(kit),
        "/console/webhooks/{webhook_id:id}/verify": webhooks.Verification(kit),
        "/console/webhooks/{webhook_id:id}/takeover": webhooks.Takeover(kit),
        "/console/webhooks/{webhook_id:id}/rotate": webhooks.Rotation(kit),
        "/console/webhooks/{webhook_id:id}/delete": webhooks.Deletion(kit),
        "/console/users": users.Users(kit),
        "/console/new-user": users.NewUser(kit),
        "/console/users/{user_id:id}": users.UserPage(kit),
        "/console/users/{user_id:id}/roles": users.Roles(kit),
        "/console/users/{user_id:id}/sessions": users.SessionsEnd(kit),
        "/console/users/{user_id:id}/password": users.PasswordReset(kit),
        "/console/users/{user_id:id}/delete": users.Deletion(kit),
        "/console/system": system.System(kit),
        "/console/static/{name}": static_files.StaticFile(),
    }


def create_kit(components: Components) -> Kit:
    form_keys = FormKeys(components.parts.keys)
    return Kit(**msgspec.structs.asdict(components), form_keys=form_keys, views=Templates(form_keys))


def create_console(components: Components) -> falcon.asgi.App[ConsoleRequest, Response]:
    """The application that answers below /console."""
    kit = create_kit(components)
    kept = saved_forms.KeptForms(kit.guard, kit.form_keys)
    middleware: list[Any] = [gate.SameOrigin(), gate.SessionCookie(kit.tokens, kit.guard), gate.FormReading(), kept]
    app = falcon.asgi.App(
        media_type=falcon.MEDIA_HTML, request_type=ConsoleRequest, middleware=middleware, router=Router()
    )
    app.router_options.converters.update({"name": request.Name, "username": request.Username, "id": request.Id})
    render = error_pages.ErrorPages(kit.views, kept)
    app.add_error_handler(Exception, render.render_bug)
    app.add_error_handler(falcon.HTTPError, render.render_http)
    app.add_error_handler(StorekeeperError, render.render)
    for template, page in create_pages(kit).items():
        app.add_route(template, page)
    return app
