"""/imports: bring a file's items into a store, first as a plan"""

from collections.abc import Sequence
from typing import Annotated, Literal

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.concurrency.background_process import BackgroundProcess
from storekeeper.domain import names
from storekeeper.errors import Forbidden, ImportIsOver, ImportSpaceFull, NotFound, TooManyImports
from storekeeper.files.storage import Storage
from storekeeper.http.guard import Guard
from storekeeper.http.operation import accepts, responds
from storekeeper.http.request import Request, Upload, path
from storekeeper.messages import ErrorMessage
from storekeeper.models import import_job
from storekeeper.models.import_job import Import, ImportRequest, Refusal
from storekeeper.models.item_batch import Key
from storekeeper.models.paging import USUAL, PageRequest
from storekeeper.openapi import schemas
from storekeeper.resources.pagination import Cursor, Limit, link_next
from storekeeper.services.file_transfers import ImportUploads
from storekeeper.tabular import sheet as sheets

MAX_BYTES = 256 * 2**20
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = ("text/csv", "application/jsonl", "application/x-ndjson", XLSX, "application/octet-stream")

NAME = schemas.NAME | {"description": "The name of the store."}
StoreName = Annotated[str, Meta(max_length=names.LENGTH, extra_json_schema=NAME)]
NO_CONTROLS = "^[^\\x00-\\x1f]*$"
MATCH = "Field that matches rows of the file to existing items."


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    store: StoreName
    match: Annotated[Key, Meta(description=MATCH)] = "name"
    dry_run: Annotated[bool, Meta(description="Stop after the plan; `POST /imports/{id}` carries it out.")] = False
    skip_refused: Annotated[bool, Meta(description="Skip refused lines and import the others.")] = False
    format: Annotated[Literal["auto", "csv", "jsonl", "xlsx"], Meta(description="The format of the file.")] = "auto"
    encoding: Annotated[
        Literal["auto", "utf-8", "utf-16", "windows-1252"], Meta(description="The encoding of a CSV file.")
    ] = "auto"
    delimiter: Annotated[
        Literal["auto", "comma", "semicolon", "tab", "pipe"],
        Meta(description="The delimiter between the cells of a CSV file."),
    ] = "auto"
    decimal: Annotated[Literal["auto", "point", "comma"], Meta(description="The decimal mark of prices.")] = "auto"
    columns: Annotated[
        str,
        Meta(
            max_length=1000,
            description="Maps columns to fields, such as `Artikel:name;Preis:price`; an empty field ignores a column.",
        ),
    ] = ""
    sheet: Annotated[str, Meta(max_length=100, description="The worksheet; by default the first one.")] = ""
    file_name: Annotated[
        str,
        Meta(
            max_length=200,
            pattern=NO_CONTROLS,
            description="The name of the file, for the list of imports.",
            extra={"form": ErrorMessage("expected_without_control_characters")},
        ),
    ] = ""

    def options(self) -> sheets.Options:
        return sheets.Options(
            format=self.format,
            encoding=self.encoding,
            delimiter=sheets.DELIMITERS[self.delimiter],
            decimal=self.decimal,
            columns=sheets.read_columns(self.columns),
            sheet=self.sheet or None,
        )


class ImportsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    store: StoreName
    limit: Limit = USUAL
    cursor: Cursor = ""


class RefusalsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = USUAL
    cursor: Cursor = ""


class ConfirmQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    skip_refused: Annotated[bool, Meta(description="Skip refused lines and import the others.")] = False


class ImportPage(msgspec.Struct, frozen=True):
    imports: Sequence[Import]
    next: str | UnsetType = UNSET


class RefusalPage(msgspec.Struct, frozen=True):
    """Lines that were refused, each with the field at fault, if there is one, and the reason."""

    refusals: Sequence[Refusal]
    next: str | UnsetType = UNSET


class ImportListResource:
    """/imports"""

    tag = "imports"

    def __init__(self, guard: Guard, uploads: ImportUploads) -> None:
        self._guard = guard
        self._uploads = uploads

    @accepts(*TYPES, max_bytes=MAX_BYTES, gzip=True)
    @responds(
        (202, Import),
        headers=("Location",),
        errors=(Forbidden, NotFound, TooManyImports, ImportSpaceFull),
        operation_id="startImport",
    )
    async def on_post(self, req: Request, resp: Response, query: ImportQuery, upload: Upload) -> None:
        """Import a file of items into a store, as a member of it.

        The answer comes at once; the import runs in the background, and `GET /imports/{id}` shows its progress. If a
        line is refused, nothing is imported, unless `skip_refused` is true.
        """
        order = ImportRequest(
            store=names.of_thing(query.store, "store"),
            file_name=query.file_name,
            options=query.options(),
            match=query.match,
            is_dry_run=query.dry_run,
            skips_refused=query.skip_refused,
        )
        _answer_accepted(resp, await self._uploads.start(req, order, upload, req.content_length or 1))

    @responds(ImportPage, errors=(Forbidden, NotFound), operation_id="listImports")
    async def on_get(self, req: Request, resp: Response, query: ImportsQuery) -> None:
        """List the imports of a store, newest first, for members."""
        asked = PageRequest(query.limit, query.cursor, "-id")
        store = names.of_thing(query.store, "store")
        page = await self._guard.read_list(req, import_job.page, req.caller.user_id, store, asked)
        resp.media = ImportPage(page.rows, link_next(req, resp, query, page.cursor))


class ImportResource:
    """/imports/{import_id}"""

    tag = "imports"

    def __init__(self, guard: Guard, storage: Storage, runner: BackgroundProcess) -> None:
        self._guard = guard
        self._storage = storage
        self._runner = runner

    @responds(Import, errors=(NotFound,), operation_id="getImport")
    async def on_get(self, req: Request, resp: Response, import_id: int) -> None:
        """Read the progress and the result, or the plan, of an import."""
        resp.media = await self._guard.read(req, import_job.get, req.caller.user_id, import_id)

    @responds(
        (202, Import),
        headers=("Location",),
        errors=(ImportIsOver, NotFound, TooManyImports),
        operation_id="confirmImport",
    )
    async def on_post(self, req: Request, resp: Response, import_id: int, query: ConfirmQuery) -> None:
        """Carry out an import that is planned, or that has refused lines."""
        args = req.caller.user_id, import_id, query.skip_refused
        confirmed = await self._guard.write(req, import_job.confirm, *args)
        self._runner.start_if_idle()
        _answer_accepted(resp, confirmed)

    @responds(Import, errors=(ImportIsOver, NotFound), operation_id="cancelImport")
    async def on_delete(self, req: Request, resp: Response, import_id: int) -> None:
        """Cancel an import that has not ended. The items that it has imported stay."""
        resp.media, file = await self._guard.write(req, import_job.cancel, req.caller.user_id, import_id)
        await self._storage.delete(file)


class ImportRefusalsResource:
    """/imports/{import_id}/refusals"""

    tag = "imports"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(RefusalPage, errors=(NotFound,), operation_id="listImportRefusals")
    async def on_get(self, req: Request, resp: Response, import_id: int, query: RefusalsQuery) -> None:
        """List the refused lines, each with its reason."""
        asked = PageRequest(query.limit, query.cursor, "line")
        page = await self._guard.read_list(req, import_job.page_refusals, req.caller.user_id, import_id, asked)
        resp.media = RefusalPage(page.rows, link_next(req, resp, query, page.cursor))


def _answer_accepted(resp: Response, job: Import) -> None:
    resp.media, resp.status = job, falcon.HTTP_ACCEPTED
    resp.location = path("imports", str(job.id))
