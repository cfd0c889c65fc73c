"""/console/new-store, /console/store/{name}/settings and /console/store/{name}/delete"""

from falcon.asgi import Response

from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.domain import money, names
from storekeeper.errors import Forbidden, Invalid, StoreNotEmpty
from storekeeper.models import store, store_items, store_member, store_summary
from storekeeper.models.store_member import StoreAccess
from storekeeper.models.store_summary import StoreTotals


class StoreCreateView(View):
    """/console/new-store"""

    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """The form for a new store."""
        await self.load_viewer(req)
        self._render(
            req, resp, "new-store.html", currency=self._components.settings.currency, currencies=sorted(money.DIGITS)
        )

    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        form = req.typed
        name, currency = names.of_thing(form["name"]), form["currency"].strip().upper()
        await self._write(
            req, store_member.create_store, req.caller.user_id, name, currency, self._components.quotas.stores
        )
        self._flash(req, resp, f"{name} is created, and you own it.")
        self._redirect(resp, url("store", name))


class StoreSettingsView(View):
    """/console/store/{name}/settings"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """What a store says of itself. For its owner."""
        access = await self._read(req, _stand_as_owner, req.caller.user_id, name)
        self._render(req, resp, "settings.html", access=access, store=access.store, currencies=sorted(money.DIGITS))

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        form = req.typed
        typed = {"name": form["name"], "currency": form["currency"], "negative_stock": form["negative_stock"] == "yes"}
        settings = store.check_settings(typed)
        try:
            changed = await self._write(req, store_items.change_settings, req.caller.user_id, name, settings)
        except StoreNotEmpty as error:
            raise Invalid(message=error.message, field="currency") from None
        self._flash(req, resp, "Saved.")
        self._redirect(resp, url("store", changed.name, "settings"))


class StoreDeleteView(View):
    """/console/store/{name}/delete"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """Ask before a store goes, and say what goes with it."""
        access, sums = await self._read(req, _sum_up, req.caller.user_id, name)
        self._render(req, resp, "delete-store.html", access=access, store=access.store, sums=sums)

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        form = req.typed
        if not form["name"].strip() or names.of_thing(form["name"]) != name:
            raise Invalid("store_name_not_typed", field="name")
        await self._write(req, store_items.delete_store, req.caller.user_id, name, True)
        self._flash(req, resp, f"{name} is deleted.")
        self._redirect(resp, url())


def _stand_as_owner(conn: Connection, user_id: int, name: str) -> StoreAccess:
    access = store_member.get_access(conn, user_id, name)
    if not access.is_owner:
        raise Forbidden("owners_only")
    return access


def _sum_up(conn: Connection, user_id: int, name: str) -> tuple[StoreAccess, StoreTotals]:
    access = _stand_as_owner(conn, user_id, name)
    return access, store_summary.sums(conn, [access.store], 0)[access.store.id]
