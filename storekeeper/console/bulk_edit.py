"""/console/store/{name}/selection: one change for all the items that are ticked in the table"""

from decimal import Decimal, InvalidOperation

from falcon.asgi import Response

from storekeeper.console import forms
from storekeeper.console.edit_form import SEEN
from storekeeper.console.error_pages import safe_redirect
from storekeeper.console.forms import Form
from storekeeper.console.store import StoreView
from storekeeper.console.view import ConsoleRequest
from storekeeper.errors import Invalid
from storekeeper.models import item_bulk_edit, store_member
from storekeeper.models.item_bulk_edit import BulkEdit, Chosen, ConfirmationNeeded


class SelectionView(StoreView):
    """/console/store/{name}/selection"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """The store's items; or if some prices have to be looked at first, these."""
        if not isinstance(req.failure, ConfirmationNeeded):
            await super().on_get(req, resp, name)
            return
        access = await self._read(req, store_member.get_access, req.caller.user_id, name)
        prices = req.failure.prices
        told = {each.item_id for each in prices}
        values = {
            "store": access.store,
            "prices": prices,
            "others": [each for each in _chosen(req.typed) if each.item_id not in told],
            "back": safe_redirect(req.typed["back"]),
        }
        self._render(req, resp, "selection-check.html", **values)

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """Change all that is ticked."""
        form, chosen = req.typed, _chosen(req.typed)
        if not chosen:
            raise Invalid("form_no_items", field="value")
        by, is_confirmed = _change(form), form["confirmed"] == "yes"
        changed = await self._write(req, item_bulk_edit.change, req.caller.user_id, name, chosen, by, is_confirmed)
        self._flash(req, resp, f"Changed: {len(changed)} of {len(chosen)} items.")
        self._redirect(resp, safe_redirect(form["back"]))


def _chosen(form: Form) -> list[Chosen]:
    """The ticked items, each with the price that was seen."""
    ids = dict.fromkeys(forms.whole(each, "item") for each in form.all("item"))
    return [Chosen(id, _seen(form, f"{SEEN}price.{id}")) for id in ids]


def _seen(form: Form, name: str) -> Decimal | None:
    return Decimal(forms.price(form[name], name)) if name in form else None


def _change(form: Form) -> BulkEdit:
    value = form["value"].strip()
    match form["action"]:
        case "percent":
            return BulkEdit("percent", percent=_percent(value))
        case "price":
            return BulkEdit("price", price=forms.price(value, "value"))
        case "tag":
            return BulkEdit("tag", tag=value)
        case "untag":
            return BulkEdit("untag", tag=value)
        case "archive":
            return BulkEdit("archive")
        case "restore":
            return BulkEdit("restore")
    raise Invalid("form_no_action", field="value")


def _percent(text: str) -> Decimal:
    try:
        percent = Decimal(text.removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite():
        raise Invalid("form_percent_unreadable", field="value")
    return percent
