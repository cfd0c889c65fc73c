"""Periodic tasks of a server process, and what it closes when it ends."""

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import Any

from storekeeper.components import DAY, Components
from storekeeper.concurrency.periodic_tasks import PeriodicTask
from storekeeper.models import import_queue, journal, periodic_task, saved_form, untrusted_peer, webhook_queue
from storekeeper.services import image_retention

TASK_PAUSE = 60.0  # seconds
IMAGE_PAUSE, IMAGE_SECONDS = 21_600.0, 600.0  # it lists all files of images, which may be many
CLOSING_SECONDS = 2.5  # for what is to be written down at the end


class Lifespan:
    """Middleware: Falcon tells it when the server starts and ends."""

    def __init__(self, components: Components) -> None:
        self._guard = components.guard
        self._parts = components.parts
        self._journal_days = components.settings.journal_days

    async def process_startup(self, _scope: Any, _event: Any) -> None:
        for each in self._create_tasks():
            self._parts.periodic_tasks.start(each)

    async def process_shutdown(self, _scope: Any, _event: Any) -> None:
        await self._parts.periodic_tasks.close()
        await asyncio.gather(self._parts.importer.close(), self._parts.sender.close(), self._note_end())
        self._parts.images.close()
        self._parts.passwords.close()
        self._parts.db.close()

    async def _note_end(self) -> None:
        with suppress(Exception):  # nobody is left to try again, and the rest is to be put away all the same
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._guard.flush()
                await self._parts.db.write(periodic_task.forget, self._parts.periodic_tasks.server)

    def _create_tasks(self) -> list[PeriodicTask]:
        """What this process does by itself. `chore_report` writes down how all of them are getting on."""
        parts = self._parts
        remove_images = partial(image_retention.apply, parts.db, parts.storage)
        tasks = [
            PeriodicTask("imports", TASK_PAUSE, self._wake_importer),
            PeriodicTask("webhooks", TASK_PAUSE, self._wake_sender),
            PeriodicTask("session_use", TASK_PAUSE, self._guard.flush),
            PeriodicTask("untrusted_peers", TASK_PAUSE, self._report_peers),
            PeriodicTask("kept_forms", TASK_PAUSE, partial(parts.db.write, saved_form.forget)),
            PeriodicTask("image_retention", IMAGE_PAUSE, remove_images, IMAGE_SECONDS),
            PeriodicTask("chore_report", TASK_PAUSE, parts.health.report_tasks),
            *parts.health.tasks(),
        ]
        if self._journal_days:
            tasks.append(PeriodicTask("journal_retention", TASK_PAUSE, self._forget_changes))
        return tasks

    async def _wake_importer(self) -> None:
        if await self._parts.db.read(import_queue.is_waiting):
            self._parts.importer.start_if_idle()

    async def _wake_sender(self) -> None:
        if await self._parts.db.read(webhook_queue.is_waiting):
            self._parts.sender.start_if_idle()

    async def _report_peers(self) -> None:
        if requests := self._parts.untrusted_peers.take():
            await self._parts.db.write(untrusted_peer.report, requests)

    async def _forget_changes(self) -> None:
        """Drop what the journal need not keep any longer, a little at a time."""
        await self._parts.db.write(journal.forget, int(time.time()) - self._journal_days * DAY)
