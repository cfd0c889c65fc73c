"""/item/{name}/image and /store/{name}/item/{item_name}/image, and /images/{key}/{size}"""

import re

import falcon
from falcon.asgi import Response

from storekeeper.errors import AmbiguousName, Forbidden, ImageSpaceFull, NotFound
from storekeeper.files.images import BYTES, MEDIA_TYPES, SIZES, Images
from storekeeper.http.guard import Guard
from storekeeper.http.operation import accepts, conditional, public, responds
from storekeeper.http.parsing import or_none
from storekeeper.http.request import Request, Upload
from storekeeper.models import item
from storekeeper.resources.etags import answer_change, is_known, read
from storekeeper.resources.item import ItemQuery
from storekeeper.services.file_transfers import ImageUploads

KEY = re.compile(r"[0-9a-f]{64}")
CACHING = "public, max-age=86400, must-revalidate"  # a day, as it may be taken away


class ItemImageResource:
    """/item/{name}/image and /store/{name}/item/{item_name}/image"""

    tag = "items"

    def __init__(self, guard: Guard, uploads: ImageUploads) -> None:
        self._guard = guard
        self._uploads = uploads

    @accepts(*MEDIA_TYPES, max_bytes=BYTES)
    @conditional
    @responds(
        item.Item,
        headers=("ETag",),
        errors=(Forbidden, NotFound, AmbiguousName, ImageSpaceFull),
        operation_id="putItemImage",
    )
    async def on_put(self, req: Request, resp: Response, name: str, query: ItemQuery, upload: Upload) -> None:
        """Set the image of an item.

        The server converts it to two sizes and removes its metadata.
        """
        target = item.ItemRef(name, or_none(query.store_id), read(req))
        answer_change(resp, await self._uploads.put(req, upload.read, target))

    @accepts(*MEDIA_TYPES, max_bytes=BYTES)
    @conditional
    @responds(
        item.Item, headers=("ETag",), errors=(Forbidden, NotFound, ImageSpaceFull), operation_id="putItemImageInStore"
    )
    async def on_put_in_store(self, req: Request, resp: Response, name: str, item_name: str, upload: Upload) -> None:
        """Set the image of an item of this store.

        The server converts it to two sizes and removes its metadata.
        """
        target = item.ItemRef(item_name, name, read(req))
        answer_change(resp, await self._uploads.put(req, upload.read, target))

    @conditional
    @responds(item.Item, headers=("ETag",), errors=(Forbidden, NotFound, AmbiguousName), operation_id="deleteItemImage")
    async def on_delete(self, req: Request, resp: Response, name: str, query: ItemQuery) -> None:
        """Remove the image of an item."""
        target = item.ItemRef(name, or_none(query.store_id), read(req))
        answer_change(resp, await self._guard.write(req, item.set_image, req.caller.user_id, target, None))

    @conditional
    @responds(item.Item, headers=("ETag",), errors=(Forbidden, NotFound), operation_id="deleteItemImageInStore")
    async def on_delete_in_store(self, req: Request, resp: Response, name: str, item_name: str) -> None:
        """Remove the image of an item of this store."""
        target = item.ItemRef(item_name, name, read(req))
        answer_change(resp, await self._guard.write(req, item.set_image, req.caller.user_id, target, None))


class ImageFileResource:
    """/images/{key}/{size}"""

    tag = "items"

    def __init__(self, guard: Guard, images: Images) -> None:
        self._guard = guard
        self._images = images

    @public
    @responds(formats=("image/webp",), headers=("ETag",), errors=(NotFound,), operation_id="getImage")
    async def on_get(self, req: Request, resp: Response, key: str, size: str) -> None:
        """Read an image, in the size `full` or `small`. 404 if no item has it any more."""
        is_named = KEY.fullmatch(key) and size in SIZES and await self._guard.read(req, item.has_image, key)
        if not is_named:
            raise NotFound("image_not_found")
        tag = f"{key[:32]}-{size}"
        if is_known(req, tag):
            resp.status = falcon.HTTP_NOT_MODIFIED
        else:
            resp.data, resp.content_type = await self._images.get(key, size), "image/webp"
        resp.set_header("ETag", f'"{tag}"')
        resp.set_header("Cache-Control", CACHING)
        resp.set_header("Cross-Origin-Resource-Policy", "cross-origin")  # it is for the pages of any web shop
