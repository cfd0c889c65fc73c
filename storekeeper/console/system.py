"""/console/system: the server itself, for administrators"""

import platform
import time

from falcon.asgi import Response

from storekeeper import __version__
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database import schema_version
from storekeeper.database.engine import Connection
from storekeeper.errors import StorekeeperError
from storekeeper.http.operation import admin_only
from storekeeper.models import import_queue, periodic_task, store_member, system
from storekeeper.models.system import Facts

CONDITIONS = {
    "database": "This process can read",
    "changes": "This process can make changes",
    "keys": "It has the signing keys of the other nodes",
    "storage": "It shares the storage of the other nodes",
    "disk": "Its disk has space for files",
}


class SystemView(View):
    """/console/system"""

    @admin_only
    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """Its version, its database, and whether all that it needs is there."""
        facts, backed_up_at, checks, tasks = await self._read(req, _look)
        ownerless = await self._read(req, store_member.without_owner)
        checks["The storage answers"] = await self._reaches_files()
        self._render(
            req,
            resp,
            "system.html",
            facts=facts,
            checks=checks,
            conditions={CONDITIONS[each.name]: each for each in self._components.parts.health.conditions},
            tasks=tasks,
            ownerless=ownerless,
            now=time.time(),
            backed_up_at=backed_up_at,
            schema=schema_version.HEAD,
            python=platform.python_version(),
            server=__version__,
            storage="a bucket" if self._components.settings.storage_url else "a folder",
            registration=self._components.settings.registration,
        )

    async def _reaches_files(self) -> bool:
        try:
            await self._components.parts.storage.find("health")
        except StorekeeperError:
            return False
        return True


def _look(conn: Connection) -> tuple[Facts, int | None, dict[str, bool], list[periodic_task.Report]]:
    checks = {
        "The database answers": True,
        "The schema is of this version": schema_version.is_current(conn),
        "No import is waiting": not import_queue.is_waiting(conn),
    }
    return system.describe(conn), system.last_backup(conn), checks, periodic_task.reports(conn)
