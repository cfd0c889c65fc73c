"""/livez and /readyz: what a supervisor or a load balancer asks"""

import asyncio

from falcon.asgi import Response

from storekeeper import schema
from storekeeper.auth import Guard
from storekeeper.errors import StorekeeperError, Unavailable
from storekeeper.http import Request
from storekeeper.operation import Message, answers, public

READY_SECONDS = 1.0


class Live:
    """/livez"""

    tag = "health"

    @public
    @answers(Message, operation_id="getLiveness")
    async def on_get(self, req: Request, resp: Response) -> None:
        """Whether the process answers. Touches nothing else."""
        resp.media = Message("alive")


class Ready:
    """/readyz"""

    tag = "health"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @public
    @answers(Message, operation_id="getReadiness")
    async def on_get(self, req: Request, resp: Response) -> None:
        """Whether the database answers within a second, and has this version's tables."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                is_current = await self._guard.read(req, schema.is_current)
        except (TimeoutError, StorekeeperError):
            raise Unavailable("The database does not answer.") from None
        if not is_current:
            raise Unavailable("The database has the tables of another version.")
        resp.media = Message("ready")
