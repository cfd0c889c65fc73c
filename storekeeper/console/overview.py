"""/console: a summary of the stores"""

import time

from falcon.asgi import Response

from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.models import store_summary
from storekeeper.models.paging import Page, PageRequest
from storekeeper.models.store_summary import StoreSummary

ROWS = 50
DAY = 86_400


class OverviewView(View):
    """/console"""

    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """The stores where one works, or all."""
        which = req.get_param("stores") or ""
        asked = PageRequest(ROWS, req.get_param("after") or "", "name")
        is_mine, page = await self._read(req, _list, req.caller.user_id, asked, which)
        self._render(req, resp, "overview.html", glances=page.rows, following=page.cursor, is_mine=is_mine, which=which)


def _list(conn: Connection, user_id: int, page_request: PageRequest, which: str) -> tuple[bool, Page[StoreSummary]]:
    """Unless one says which: one's own, or all where there are none."""
    since = int(time.time()) - DAY
    if which != "all":
        mine = store_summary.page(conn, user_id, page_request, since, is_mine=True)
        if mine.rows or which == "mine":
            return True, mine
    return False, store_summary.page(conn, user_id, page_request, since, is_mine=False)
