"""Runs Uvicorn: its sockets, its processes, and their end."""

import asyncio
import gc
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from storekeeper.http.asgi_types import App
from storekeeper.log import configure
from storekeeper.security.signing_keys import KeyRing
from storekeeper.server import malloc
from storekeeper.server.protocol import BoundedProtocol
from storekeeper.settings import Settings, read_settings

GRACE_SECONDS = 6  # for the requests that are under way when the server is told to end
STOP_SECONDS = 9  # for everything
HEALTH_SECONDS = 15  # for a worker to show that it lives: long, as a busy machine may need many for its imports
ECHO_SECONDS = 1
CONNECTIONS = 16_384  # and other files that a process may hold open
RETRY_SECONDS = 5  # between attempts to start a worker that cannot start
SWITCH_SECONDS = 0.0005  # a thread's turn: with Python's own 5 ms the slowest look-ups take 3 times as long
COLLECT_AFTER = 10_000  # new objects: Python's own 700 are there with every 20 requests that are under way

logger = logging.getLogger(__name__)


def run(
    settings: Settings,
    factory: str = "storekeeper.server.run:create_worker_app",
    greet: Callable[[int], None] = lambda _port: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then end within 10 seconds, with exit code 0; a second signal ends it at once.

    Uvicorn would end by raising the signal again. Who asked a service to end, and sees that it has done so in good
    order, expects a success; systemd takes either for one, containers and shells do not.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there are keys to be read again
    raise_file_limit()
    listener = listen(settings.host, settings.port)
    greet(listener.getsockname()[1])
    config = _config(settings, factory)
    if settings.workers > 1:
        Supervisor(config, [listener]).run()
    else:
        Server(config).run([listener])


def create_worker_app() -> App:
    """The application in each serving process. A worker is a fresh process, and must be prepared first."""
    from storekeeper.app import create_app  # noqa: PLC0415  the supervisor never needs it
    from storekeeper.components import create_parts  # noqa: PLC0415

    settings = read_settings()
    if multiprocessing.parent_process():
        malloc.share_heap()
        die_with_parent()
        configure(settings.log_level)
    sys.setswitchinterval(SWITCH_SECONDS)
    parts = create_parts(settings)
    app = create_app(settings, parts)
    reload_keys_on_hangup(parts.keys)
    # What is there now stays. A collection that looked through all of it would stop the server for some 40 ms.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    return app


def reload_keys_on_hangup(keys: KeyRing) -> None:
    """On SIGHUP read the keys again. Until then it is ignored: whoever starts a server's process sees to that."""
    with suppress(RuntimeError):  # without an event loop nobody serves
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, keys.reload)


def _config(settings: Settings, factory: str) -> uvicorn.Config:
    protocol: Any = partial(
        BoundedProtocol,
        head_seconds=settings.head_seconds,
        body_seconds=settings.body_seconds,
        origins=settings.cors_origins,
    )
    return uvicorn.Config(
        factory,
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody may say for themselves where they come from; see `proxy_headers`
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=HEALTH_SECONDS,
    )


def raise_file_limit() -> None:
    """Raise the limit of open files, often 1,024, which silent clients could use up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = CONNECTIONS if hard == resource.RLIM_INFINITY else min(CONNECTIONS, hard)
    if resource.RLIM_INFINITY != soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SystemExit(f"storekeeper: cannot listen on {_address(host, port)}: {_reason(error)}") from None
    logger.info("Listening on http://%s", _address(*listener.getsockname()[:2]))
    return listener


def _reason(error: OSError) -> str:
    """Without Python's repetition of the address."""
    return (error.strerror or str(error)).partition(" (while")[0].lower()


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def die_with_parent() -> None:
    """In a worker: end when the supervisor is gone, for whatever reason. Otherwise it would keep serving."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)


class ShutdownDeadline:
    """Tells a second signal from an echo of the first: `timeout`, for example, sends each signal twice."""

    def __init__(self) -> None:
        self._first: float | None = None

    def ends(self) -> bool:
        now = time.monotonic()
        if self._first is None:
            self._first = now
            signal.alarm(STOP_SECONDS)  # the kernel's own: it needs no thread of ours that might be stuck
        return now - self._first > ECHO_SECONDS


class Server(uvicorn.Server):
    """The only process, if there are no workers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._patience = ShutdownDeadline()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._patience.ends():
            os._exit(1)
        super().handle_exit(sig, frame)


class Supervisor(Multiprocess):
    """Starts the workers, replaces those that die, and ends them."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._patience = ShutdownDeadline()
        self._next_look = 0.0
        self._has_failed = False
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGALRM, self._give_up)

    def run(self) -> None:
        super().run()
        if self._has_failed:
            sys.exit(1)

    def init_processes(self) -> None:
        self.processes = [self._start() for _ in range(self.processes_num)]

    def _start(self) -> Process:
        worker = Process(self.config, self.sockets)
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a new process ignores it, too, until it has keys
        worker.start()
        signal.signal(signal.SIGHUP, before)
        worker.child_conn.close()  # the worker has its own; with ours open we would not hear that it has died
        return worker

    def keep_subprocess_alive(self) -> None:
        """Unlike Uvicorn's it gives up only if no worker serves, and it does not try without pause."""
        for place, worker in enumerate(self.processes):
            if self.should_exit.is_set() or time.monotonic() < self._next_look:
                return
            if not worker.is_alive(self.config.timeout_worker_healthcheck):
                self._replace(place, worker)

    def _replace(self, place: int, worker: Process) -> None:
        worker.kill()
        worker.join()
        logger.error("Worker %s has died, exit code %s", worker.pid, worker.exitcode)
        if (worker.exitcode or 0) > 0:  # not by a signal: it could not start
            self._next_look = time.monotonic() + RETRY_SECONDS
            if not any(map(_serves, self.processes)):
                self._has_failed = True
                self.should_exit.set()
                return
        self.processes[place] = self._start()

    def handle_hup(self) -> None:
        """Unlike Uvicorn, which starts all workers anew: let each read the keys."""
        logger.info("SIGHUP: the workers read the signing keys again")
        for worker in self.processes:
            if worker.pid is not None:
                with suppress(ProcessLookupError):  # it is about to be replaced
                    os.kill(worker.pid, signal.SIGHUP)

    def terminate_all(self) -> None:
        for listener in self.sockets:
            listener.close()  # so that clients hear it when the workers have closed theirs
        super().terminate_all()

    def _stop(self, sig: int, _frame: FrameType | None) -> None:
        if self._patience.ends():
            self._give_up()
        self.signal_queue.append(sig)  # Uvicorn acts on it within half a second

    def _give_up(self, *_: Any) -> None:
        for worker in self.processes:
            worker.process.kill()
        sys.exit(1)


def _serves(worker: Process) -> bool:
    return worker.process.is_alive() and worker.is_ready(timeout=1)
