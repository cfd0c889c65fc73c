"""The components that the API and the console share: one of each in a process."""

import os

import msgspec
import structlog

from storekeeper.concurrency.background_process import BackgroundProcess, End
from storekeeper.concurrency.periodic_tasks import PeriodicTasks
from storekeeper.concurrency.slots import Slots
from storekeeper.database.executor import Database
from storekeeper.domain.webhook_url import AllowedNetworks
from storekeeper.errors import MIB
from storekeeper.files.images import Images
from storekeeper.files.storage import Storage, create_storage
from storekeeper.http.compression import Compression
from storekeeper.http.guard import Guard
from storekeeper.http.request_limits import RequestLimits
from storekeeper.http.untrusted_peers import UntrustedPeers
from storekeeper.models import import_queue, webhook_queue
from storekeeper.models.login_throttle import LoginThrottleLimits
from storekeeper.models.quota import Quotas
from storekeeper.models.session import SessionLimits
from storekeeper.security.password_tickets import Tickets
from storekeeper.security.passwords import Passwords, create_passwords
from storekeeper.security.signing_keys import KeyRing
from storekeeper.security.tokens import Lifetimes, Tokens
from storekeeper.services.accounts import Accounts
from storekeeper.services.file_transfers import Exports, ImageUploads, ImportUploads
from storekeeper.services.health import Health
from storekeeper.services.login import PasswordCheck
from storekeeper.services.webhooks import WebhookService
from storekeeper.settings import Settings

DAY = 86_400


class Parts(msgspec.Struct, frozen=True):
    """What a process holds open: connections, threads, files, processes. The tests pass their own."""

    db: Database
    keys: KeyRing
    passwords: Passwords
    storage: Storage
    images: Images
    importer: BackgroundProcess
    sender: BackgroundProcess
    periodic_tasks: PeriodicTasks
    health: Health
    export_slots: Slots
    untrusted_peers: UntrustedPeers = msgspec.field(default_factory=UntrustedPeers)


class Components(msgspec.Struct, frozen=True):
    """What resources and pages are made of: the settings, the parts, and what the two make together."""

    settings: Settings
    parts: Parts
    compression: Compression
    guard: Guard
    quotas: Quotas
    tokens: Tokens
    password_check: PasswordCheck
    accounts: Accounts
    dispatch: WebhookService
    image_uploads: ImageUploads
    import_uploads: ImportUploads
    exports: Exports


def create_parts(settings: Settings) -> Parts:
    db = Database(settings.database, limit=settings.database_queue, seconds=settings.database_seconds)
    storage = create_storage(settings)
    importer, sender = create_importer(db), create_sender(db)
    keys = KeyRing(settings.keys_path)
    periodic_tasks = PeriodicTasks()
    health = Health(db, periodic_tasks, settings.keys_path, storage)
    export_slots = Slots(settings.exports_at_once, settings.exports_per_user)
    passwords, images = create_passwords(settings), Images(storage)
    return Parts(db, keys, passwords, storage, images, importer, sender, periodic_tasks, health, export_slots)


def create_importer(db: Database) -> BackgroundProcess:
    async def settle(end: End) -> None:
        await db.write(import_queue.expire if end.has_died else import_queue.give_back, end.heartbeat.name)

    at_once, silent_seconds = import_queue.MAX_AT_ONCE, import_queue.HEARTBEAT_TIMEOUT
    return BackgroundProcess(
        "imports", "run", "--supervised", limit=at_once, silent_seconds=silent_seconds, on_end=settle
    )


def create_sender(db: Database) -> BackgroundProcess:
    async def settle(end: End) -> None:
        if not end.has_died:
            await db.write(webhook_queue.release, end.heartbeat.name)
            return
        for webhook_id in await db.write(webhook_queue.note_death, end.heartbeat.name, end.heartbeat.under_way):
            reason = "Sending its messages ended the sender again and again."
            structlog.get_logger().warning("webhook_stopped", webhook=webhook_id, reason=reason)

    command = ("webhooks", "run", "--beside", str(os.getpid()), "--supervised")
    return BackgroundProcess(*command, silent_seconds=webhook_queue.HEARTBEAT_TIMEOUT, on_end=settle)


def create_components(settings: Settings, parts: Parts) -> Components:
    user_quotas, token_lifetimes = quotas(settings), lifetimes(settings)
    limits = RequestLimits(settings.network_requests_per_minute, settings.user_requests_per_minute)
    guard = Guard(parts.db, limits, user_quotas.answer_bytes)
    check = _create_password_check(settings, parts, guard, token_lifetimes)
    compression = Compression(is_on=settings.compression)
    is_open, rate = settings.registration == "open", settings.registrations_per_minute
    return Components(
        settings=settings,
        parts=parts,
        compression=compression,
        guard=guard,
        quotas=user_quotas,
        tokens=Tokens(parts.keys, token_lifetimes),
        password_check=check,
        accounts=Accounts(guard, parts.passwords, parts.keys, check, is_open, rate),
        dispatch=WebhookService(
            guard, parts.sender, AllowedNetworks(settings.webhook_networks), settings.webhook_creation
        ),
        image_uploads=ImageUploads(guard, parts.images, user_quotas.image_bytes),
        import_uploads=ImportUploads(guard, parts.storage, parts.importer, user_quotas.import_bytes),
        exports=Exports(parts.export_slots, compression),
    )


def _create_password_check(settings: Settings, parts: Parts, guard: Guard, lifetimes: Lifetimes) -> PasswordCheck:
    throttle_limits = LoginThrottleLimits(
        settings.login_failures, settings.login_failures_overall, settings.login_window_seconds
    )
    session_limits = SessionLimits(lifetimes.session, settings.sessions_per_user)
    return PasswordCheck(
        guard, parts.passwords, Tickets(parts.keys), throttle_limits, session_limits, settings.logins_per_minute
    )


def quotas(settings: Settings) -> Quotas:
    return Quotas(
        stores=settings.stores_per_user,
        streams=settings.streams_per_user,
        import_bytes=settings.import_mib_per_user * MIB,
        answer_bytes=settings.answer_mib_per_user * MIB,
        image_bytes=settings.image_mib_per_store * MIB,
    )


def lifetimes(settings: Settings) -> Lifetimes:
    return Lifetimes(
        access=settings.access_minutes * 60,
        fresh=settings.fresh_minutes * 60,
        idle=settings.refresh_days * DAY,
        session=settings.session_days * DAY,
    )
