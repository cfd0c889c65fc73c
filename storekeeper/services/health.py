"""Whether this process can serve: sampled beside the requests, and read from memory, so that asking costs nothing.

A process is `unavailable` where it cannot even read, and `read_only` where changes alone fail.
"""

import asyncio
import time
from pathlib import Path

import msgspec
import structlog

from storekeeper.concurrency.periodic_tasks import PeriodicTask, PeriodicTasks
from storekeeper.database import schema_version
from storekeeper.database.executor import Database
from storekeeper.errors import DatabaseDamaged, StorekeeperError
from storekeeper.files.storage import Storage
from storekeeper.models import installation, periodic_task
from storekeeper.models.system import Condition
from storekeeper.security import node_match, signing_keys

READ_PAUSE = 2.0  # seconds between two samples
READ_SECONDS = 1.0  # within which the database has to answer
WRITE_PAUSE = 5.0
KEY_PAUSE = 10.0
STORAGE_PAUSE = 60.0
DISK_PAUSE = 5.0
STALE_SECONDS = 10.0  # after which a sample says nothing any more: nobody has taken another


# What the log calls it when a condition has got worse, and better, where that is not what it calls it of others.
CHANGED = ("readiness_changed", "readiness_changed")
EVENTS = {
    "keys": ("node_mismatch", "readiness_changed"),
    "storage": ("node_mismatch", "readiness_changed"),
    "disk": ("disk_low", "disk_recovered"),
}


class Health:
    """The conditions of a process, each as its last sample found it."""

    def __init__(self, db: Database, periodic_tasks: PeriodicTasks, keys_path: Path, storage: Storage) -> None:
        self._db = db
        self._periodic_tasks = periodic_tasks
        self._keys_path = keys_path
        self._storage = storage
        self._conditions: dict[str, Condition] = {}
        self._sampled_at = float("-inf")
        self._sample: asyncio.Task[None] | None = None

    @property
    def conditions(self) -> list[Condition]:
        return list(self._conditions.values())

    def tasks(self) -> list[PeriodicTask]:
        return [
            PeriodicTask("readiness", READ_PAUSE, self.sample_reads),
            PeriodicTask("write_probe", WRITE_PAUSE, self.sample_writes),
            PeriodicTask("key_comparison", KEY_PAUSE, self.sample_keys),
            PeriodicTask("storage_comparison", STORAGE_PAUSE, self.sample_storage),
            *([PeriodicTask("disk_space", DISK_PAUSE, self.sample_disk)] if self._storage.disk.is_watched else []),
        ]

    async def worst(self) -> Condition:
        """The condition that counts. Waits for a sample where there is none, or only an old one."""
        if time.monotonic() - self._sampled_at > STALE_SECONDS:
            if self._sample is None or self._sample.done():
                self._sample = asyncio.create_task(self.sample_reads())
            await asyncio.shield(self._sample)
        return max(self._conditions.values(), key=lambda each: each.severity)

    async def sample_reads(self) -> None:
        """Never raises: what cannot be read is what it finds."""
        self._note(await self._look_at_database())
        self._sampled_at = time.monotonic()

    async def _look_at_database(self) -> Condition:
        try:
            async with asyncio.timeout(READ_SECONDS):
                is_current = await self._db.read(schema_version.is_current)
        except DatabaseDamaged as error:
            return Condition("database", "unavailable", str(error), self._db.status.damage)
        except TimeoutError:
            reason = f"There was no answer within {READ_SECONDS:g} s."
            return Condition("database", "unavailable", "The database does not answer.", reason)
        except StorekeeperError as error:
            return Condition("database", "unavailable", "The database does not answer.", str(error))
        if not is_current:
            message = "The database has the tables of another version."
            return Condition("database", "unavailable", message, f"This server needs version {schema_version.HEAD}.")
        if damage := self._db.status.damage:
            return Condition("database", "unavailable", str(DatabaseDamaged()), damage)
        return Condition("database")

    async def sample_writes(self) -> None:
        """Ask for the right to change; and where a change has failed since, make one.

        The latter alone finds out whether a disk is full, and costs a way to it.
        """
        status, before = self._db.status, self._conditions.get("changes")
        has_failed = status.write_failure is not None or (before is not None and before.status != "ready")
        try:
            await self._db.write(periodic_task.probe)
            if has_failed:
                await self.report_tasks()
        except StorekeeperError as error:
            reason = status.write_failure or str(error)
            self._note(Condition("changes", "read_only", "The database takes no changes.", reason))
        else:
            status.write_failure = None
            self._note(Condition("changes"))

    async def sample_keys(self) -> None:
        """Compare this node's keys with those that the database knows of, and record those that are new.

        The file is read anew: the ring of keys is looked at only when a token is.
        """
        own = await asyncio.to_thread(signing_keys.load, self._keys_path)
        known = await self._db.read(installation.keys)
        fingerprints = {each.fingerprint for each in own}
        mismatch = node_match.find_key_mismatch(known, fingerprints)
        scheduled = signing_keys.schedule(own)
        if mismatch is None and {each.fingerprint for each in scheduled} - {each.fingerprint for each in known}:
            await self._db.write(installation.add_keys, scheduled, fingerprints)
        if mismatch is None:
            self._note(Condition("keys"))
        elif mismatch.is_urgent:
            message = "This node does not have the key that the others sign with."
            self._note(Condition("keys", "unavailable", message, mismatch.reason))
        else:
            self._note(Condition("keys", reason=mismatch.reason))

    async def sample_storage(self) -> None:
        """Compare where this node keeps its files with where the others do."""
        own, known = await self._storage.mark(), await self._db.read(installation.storage_mark)
        if known is None:
            own = own or await self._storage.make_mark()
            await self._db.write(installation.add_storage_mark, own)
            known = await self._db.read(installation.storage_mark)
        mismatch = node_match.find_storage_mismatch(known, own)
        message = "This node keeps its files elsewhere than the others."
        found = Condition("storage", "read_only", message, mismatch.reason) if mismatch else Condition("storage")
        self._note(found)

    async def sample_disk(self) -> None:
        """How much is free on the disk of the files. Only uploads are refused where that is too little."""
        await asyncio.to_thread(self._storage.disk.look)
        self._note(Condition("disk", reason=self._storage.disk.shortage))

    async def report_tasks(self) -> None:
        """Write down how the periodic tasks of this process are getting on, for those who ask another one."""
        await self._db.write(periodic_task.report, self._periodic_tasks.server, self._periodic_tasks.states)

    def _note(self, condition: Condition) -> None:
        """Keep it, and write to the log where something is otherwise than before."""
        before = self._conditions.get(condition.name)
        if before is not None and (before.status, before.reason is None) == (
            condition.status,
            condition.reason is None,
        ):
            self._conditions[condition.name] = msgspec.structs.replace(condition, since=before.since)
            return
        self._conditions[condition.name] = msgspec.structs.replace(condition, since=int(time.time()))
        if before is not None or condition.reason is not None:
            worse, better = EVENTS.get(condition.name, CHANGED)
            event = worse if condition.reason else better
            log = structlog.get_logger().bind(
                condition=condition.name, status=condition.status, reason=condition.reason
            )
            (log.error if condition.reason else log.info)(event)
