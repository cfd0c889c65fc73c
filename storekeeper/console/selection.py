"""/console/store/{name}/selection: one change for all the items that are ticked in the table"""

from decimal import Decimal, InvalidOperation

from falcon.asgi import Response

from storekeeper.console import forms
from storekeeper.console.failures import safe_place
from storekeeper.console.forms import Form
from storekeeper.console.page import PageRequest
from storekeeper.console.store import MOST_BYTES, Store
from storekeeper.errors import Invalid
from storekeeper.models import selection
from storekeeper.models.selection import Change


class Selection(Store):
    """/console/store/{name}/selection"""

    async def on_post(self, req: PageRequest, resp: Response, name: str) -> None:
        """Change all that is ticked."""
        req.typed = form = await forms.read(req, MOST_BYTES)
        ids = [forms.whole(each, "item") for each in form.all("item")]
        if not ids:
            raise Invalid("Tick the items that are to be changed.", "value")
        changed = await self._do(req, selection.change, req.caller.user_id, name, ids, _change(form))
        self._tell(req, resp, f"Changed: {len(changed)} of {len(ids)} items.")
        self._lead(resp, safe_place(form["back"]))


def _change(form: Form) -> Change:
    value = form["value"].strip()
    match form["action"]:
        case "percent":
            return Change("percent", percent=_percent(value))
        case "price":
            return Change("price", price=forms.price(value, "value"))
        case "tag":
            return Change("tag", tag=value)
        case "untag":
            return Change("untag", tag=value)
        case "archive":
            return Change("archive")
        case "restore":
            return Change("restore")
    raise Invalid("Choose what is to be done.", "value")


def _percent(text: str) -> Decimal:
    try:
        percent = Decimal(text.removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite():
        raise Invalid("How many percent? 10 raises the prices by a tenth, -10 lowers them.", "value")
    return percent
