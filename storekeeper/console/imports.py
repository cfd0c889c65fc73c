"""/console/store/{name}/import and /console/import/{import_id}"""

from functools import partial
from typing import Literal

import msgspec
from falcon.asgi import Response

from storekeeper.console import forms
from storekeeper.console.forms import FileForm, Form
from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.http.operation import BODY_BYTES
from storekeeper.models import import_job, store_member
from storekeeper.models.import_job import Import, ImportRequest, Refusal
from storekeeper.models.item_batch import Key
from storekeeper.models.item_export import Piece
from storekeeper.models.paging import MAX_PAGE_SIZE, Page, PageRequest
from storekeeper.models.store_member import StoreAccess
from storekeeper.tabular import cells, sheet

MAX_BYTES = 256 * 2**20
SHOWN = 20


class StoreImportsView(View):
    """/console/store/{name}/import"""

    takes_file = True
    max_bytes = MAX_BYTES

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """The form for a file, and what was imported before."""
        access, jobs = await self._read(req, _list_imports, req.caller.user_id, name)
        self._render(req, resp, "imports.html", access=access, store=access.store, jobs=jobs)

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """Take a file in, and make the plan."""
        await self._read(req, store_member.require_clerk, req.caller.user_id, name)
        upload = FileForm(req, self.max_bytes)
        self.take_form(req, await upload.fields())
        order = _order(req.typed, name, upload.file_name)
        min_bytes = max(1, (req.content_length or 0) - BODY_BYTES)  # without what is around the file
        job = await self._components.import_uploads.start(req, order, upload, min_bytes)
        self._flash(req, resp, "The file is uploaded.")
        self._redirect(resp, url("import", job.id))


class ImportView(View):
    """/console/import/{import_id}"""

    async def on_get(self, req: ConsoleRequest, resp: Response, import_id: int) -> None:
        """How far it is, what it would do or has done, and what is refused."""
        job, access, refusals = await self._read(
            req, _look, req.caller.user_id, import_id, req.get_param("after") or ""
        )
        values = {"store": access.store, "access": access, "refusals": refusals}
        self._render(req, resp, "import.html", job=job, is_alive=job.state in import_job.ALIVE, **values)

    async def on_post(self, req: ConsoleRequest, resp: Response, import_id: int) -> None:
        """Carry the plan out."""
        skips = req.typed["skip_refused"] == "yes"
        await self._write(req, import_job.confirm, req.caller.user_id, import_id, skips)
        self._components.parts.importer.start_if_idle()
        self._flash(req, resp, "The import runs in the background.")
        self._redirect(resp, url("import", import_id))


class ImportCancelView(ImportView):
    """/console/import/{import_id}/cancel"""

    async def on_post(self, req: ConsoleRequest, resp: Response, import_id: int) -> None:
        """End it. What it has imported stays."""
        _, file = await self._write(req, import_job.cancel, req.caller.user_id, import_id)
        await self._components.parts.storage.delete(file)
        self._flash(req, resp, "The import is cancelled.")
        self._redirect(resp, url("import", import_id))


class RefusedRowsView(View):
    """/console/import/{import_id}/refused.csv"""

    async def on_get(self, req: ConsoleRequest, resp: Response, import_id: int) -> None:
        """The lines that were refused, as a file. There are some ten thousand at the most."""
        read = partial(_read_refusals, user_id=req.caller.user_id, import_id=import_id)
        await self._components.exports.send(self._read, req, resp, read, f"refused-{import_id}.csv")


class ImportForm(msgspec.Struct, frozen=True):
    """How a file is to be read; what is left out shows itself."""

    match: Key = "name"
    decimal: cells.DecimalMark = "auto"
    encoding: Literal["auto", "utf-8", "utf-16", "windows-1252"] = "auto"


def _order(form: Form, store: str, file_name: str) -> ImportRequest:
    """First only the plan is made."""
    given = forms.convert({name: form[name] for name in ImportForm.__struct_fields__ if form[name]}, ImportForm)
    columns = sheet.read_columns(form["columns"])
    options = sheet.Options(encoding=given.encoding, decimal=given.decimal, columns=columns)
    return ImportRequest(store=store, file_name=file_name[:200], options=options, match=given.match, is_dry_run=True)


def _list_imports(conn: Connection, user_id: int, name: str) -> tuple[StoreAccess, list[Import]]:
    jobs = import_job.page(conn, user_id, name, PageRequest(SHOWN, sort="-id"))
    return store_member.get_access(conn, user_id, name), jobs.rows


def _look(conn: Connection, user_id: int, import_id: int, after: str) -> tuple[Import, StoreAccess, Page[Refusal]]:
    job = import_job.get(conn, user_id, import_id)
    refusals = import_job.page_refusals(conn, user_id, import_id, PageRequest(SHOWN, after, "line"))
    return job, store_member.get_access(conn, user_id, job.store), refusals


def _read_refusals(conn: Connection, cursor: str | None, user_id: int, import_id: int) -> Piece[str]:
    page = import_job.page_refusals(conn, user_id, import_id, PageRequest(MAX_PAGE_SIZE, cursor or "", "line"))
    head = b"line,field,reason\r\n" if cursor is None else b""
    lines = (cells.csv_row((each.line, each.field, each.message)) for each in page.rows)
    return Piece(head + b"".join(lines), page.cursor)
