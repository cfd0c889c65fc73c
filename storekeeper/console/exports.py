"""/console/store/{name}/export"""

from falcon.asgi import Response

from storekeeper.console import item_list_query
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.errors import NotFound
from storekeeper.models import store_member
from storekeeper.models.item_export import Format
from storekeeper.services import file_transfers


class ExportView(View):
    """/console/store/{name}/export"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """What can be taken out."""
        access = await self._read(req, store_member.get_access, req.caller.user_id, name)
        self._render(req, resp, "export.html", access=access, store=access.store)


class ExportFileView(View):
    """/console/store/{name}/export/{format}"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str, format: Format) -> None:
        """The items as a file: those that a list of ours would show, whole."""
        if format not in file_transfers.MEDIA_TYPES:
            raise NotFound
        await self._components.exports.send_items(self._read, req, resp, item_list_query.read(req).filter(name), format)
