"""/livez and /readyz: what a supervisor or a load balancer asks"""

from typing import Annotated, Any, Literal

import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.errors import NotReady, Unavailable
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Message, authentication_optional, counts, public, responds
from storekeeper.http.request import Request
from storekeeper.models.system import Condition, Status
from storekeeper.services.health import Health

FOR = "With `writes`, the answer is 503 also while only changes fail."


class ReadyQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    purpose: Annotated[Literal["writes"], Meta(description=FOR)] | UnsetType = msgspec.field(default=UNSET, name="for")


class Readiness(msgspec.Struct, frozen=True):
    """`status` is `read_only` while changes fail. `conditions` are told to administrators: what was found, and why."""

    message: str
    status: Status
    conditions: list[Condition] | UnsetType = UNSET


class LivenessResource:
    """/livez"""

    tag = "health"

    @public
    @counts(0)
    @responds(Message, operation_id="getLiveness")
    async def on_get(self, req: Request, resp: Response) -> None:
        """Answers while the process is alive. Checks nothing else."""
        resp.media = Message("alive")


class ReadinessResource:
    """/readyz"""

    tag = "health"

    def __init__(self, guard: Guard, health: Health) -> None:
        self._guard = guard
        self._health = health

    @authentication_optional
    @counts(0)
    @responds(Readiness, operation_id="getReadiness")
    async def on_get(self, req: Request, resp: Response, query: ReadyQuery) -> None:
        """Whether the server can answer requests, as of a few seconds ago.

        Also 200 while only changes fail, with `"status": "read_only"`. With an administrator's token, the answer has
        reasons.
        """
        worst = await self._health.worst()
        conditions: Any = self._health.conditions if await self._is_for_administrator(req) else UNSET
        if worst.status == "unavailable" or (worst.status == "read_only" and query.purpose == "writes"):
            raise NotReady(worst.message, conditions)
        resp.media = Readiness(worst.message, worst.status, conditions)

    async def _is_for_administrator(self, req: Request) -> bool:
        try:
            return await self._guard.is_administrator(req)
        except Unavailable:  # nobody can be looked up
            return False
