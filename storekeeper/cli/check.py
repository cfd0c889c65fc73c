"""The command line of `check`: all problems of settings, keys, database, storage and running servers."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

import click
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from storekeeper import settings
from storekeeper.cli import terminal
from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine
from storekeeper.database.schema_version import SchemaError
from storekeeper.files.storage import create_storage
from storekeeper.models import installation, integrity, periodic_task, untrusted_peer, user
from storekeeper.security import node_match, signing_keys
from storekeeper.settings import Settings, SettingsError, read_settings

SECONDS = 86_400  # that one statement may take: a large database is read whole


class Fault(Exception):
    """A failed check, with a sentence for each problem."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


Look = Callable[[Settings], str]  # what was looked at, and that it is well; raises what is wrong with it


@click.command("check")
@click.option(
    "--deep",
    is_flag=True,
    help="Also check all stored data: indexes, references between rows, and the files of rows.",
)
@click.pass_context
def check(ctx: click.Context, deep: bool) -> None:
    """Check the settings, the keys, the database, the storage, and the periodic tasks of running servers.

    Prints each problem in a line, and exits with 1 if there is one. Changes nothing: it writes a small file to the
    storage and deletes it again. It reads every page of an SQLite file.
    """
    try:
        read = read_settings()
    except SettingsError as error:
        _tell("settings", error.faults)
        ctx.exit(1)
    looks: dict[str, Look] = {
        "settings": _check_settings,
        "keys": _check_keys,
        "database": partial(_check_database, deep=deep),
        "storage": _check_storage,
    }
    verdicts = {name: _report(name, look, read) for name, look in looks.items()}
    if verdicts["database"]:  # the servers report to it
        verdicts["node"] = _report("node", partial(_check_node, has_storage=verdicts["storage"]), read)
        verdicts["chores"] = _report("chores", _check_tasks, read)
        for sentence in _describe_peers(read):  # strangers may be among them, so they make nothing wrong
            click.echo(f"proxies: {terminal.printable(sentence)}")
        if deep and verdicts["storage"]:
            verdicts["files"] = _report("files", _check_files, read)
    if not all(verdicts.values()):
        ctx.exit(1)


def _report(name: str, look: Look, read: Settings) -> bool:
    try:
        click.echo(f"{name}: {look(read)}")
    except Fault as fault:
        _tell(name, fault.sentences)
        return False
    except terminal.EXPECTED_ERRORS as error:
        _tell(name, [terminal.explain(error)])
        return False
    return True


def _tell(name: str, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        click.echo(f"{name}: {terminal.printable(sentence)}", err=True)


def _check_settings(_: Settings) -> str:
    path = settings.find_file()
    if path is None:
        return "ok (no file, only the environment)"
    path = path.absolute()
    if settings.has_secret() and _is_open(path, 0o004):
        raise Fault(f"{path} has a password, and everybody can read it: chmod 600 {path}")
    if _is_open(path, 0o002):
        raise Fault(f"{path} can be changed by everybody: chmod 600 {path}")
    return f"ok ({path})"


def _is_open(path: Path, permission: int) -> bool:
    """Whether everybody has this permission on the file, and may enter the folders above it."""
    leads = all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)
    return bool(path.stat().st_mode & permission) and leads


def _check_keys(read: Settings) -> str:
    if not read.keys_path.exists():
        return "none yet; `storekeeper serve` makes the first"
    return f"ok ({len(signing_keys.load(read.keys_path))})"


def _check_database(read: Settings, deep: bool) -> str:
    place = describe_database(read.database)
    hint = ""
    faults: list[str] = []
    try:
        with _connect(read) as conn:
            faults += integrity.find_faults(conn)
            schema_version.require(conn)
            hint = _find_hint(conn)
            faults += integrity.find_deep_faults(conn) if deep and not faults else []
    except terminal.EXPECTED_ERRORS as error:
        faults.append(terminal.explain(error))
    if path := _find_open_file(read):
        faults.append(f"Everybody can read the file, which holds the passwords' hashes: chmod 600 {path}")
    if faults:
        raise Fault(*(f"{fault} [{place}]" for fault in faults))
    return f"ok ({place}, version {schema_version.HEAD}){hint}"


def describe_database(url: str) -> str:
    """The kind of the database and where it is, without its password."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return f"sqlite {parsed.database}"
    host = parsed.host or parsed.query.get("host") or "this machine"
    return f"postgresql {parsed.database} at {host}{f':{parsed.port}' if parsed.port else ''}"


def _connect(read: Settings) -> Connection:
    engine = create_engine(read.database, SECONDS, is_read_only=True)
    if engine.dialect.name == "sqlite" and not os.path.exists(engine.url.database or ""):  # SQLite would make one
        raise SchemaError("There is no database yet: `storekeeper migrate` creates it.")
    return engine.connect()


def _find_open_file(read: Settings) -> Path | None:
    """The file of an SQLite database that everybody can read or write."""
    parsed = make_url(read.database)
    path = Path(parsed.database or "")
    is_file = parsed.get_backend_name() == "sqlite" and path.exists()
    return path if is_file and _is_open(path, 0o004) else None


def _find_hint(conn: Connection) -> str:
    return "" if user.has_admin(conn) else ", without an administrator: `storekeeper create-admin NAME` makes one"


def _check_storage(read: Settings) -> str:
    place = read.storage_url or str(read.data_path / "files")
    if read.storage_endpoint:
        place += f" at {read.storage_endpoint}"
    if not read.storage_url and not os.path.exists(place):
        return f"none yet ({place}); `storekeeper serve` makes it"
    storage = create_storage(read)
    try:
        storage.check()
        storage.disk.look()
    except terminal.EXPECTED_ERRORS as error:
        raise Fault(f"{terminal.explain(error)} [{place}]") from None
    if shortage := storage.disk.shortage:
        raise Fault(f"{shortage} [{place}]")
    return f"ok ({place})"


def _check_node(read: Settings, has_storage: bool) -> str:
    """Whether the keys and the storage of this node are those that the database has recorded."""
    with _connect(read) as conn:
        known, mark = installation.keys(conn), installation.storage_mark(conn)
    if not known or mark is None:
        return "not compared with others yet: the first server to start records its keys and its storage"
    signing = signing_keys.find_signing(known).kid
    if not read.keys_path.exists():  # as where a backup is looked at, which is nothing wrong
        return f"the others sign with the key {signing}: copy their key file here, or `serve` makes another one"
    own = {each.fingerprint for each in signing_keys.load(read.keys_path)}
    storage_mark = create_storage(read).find_mark() if has_storage else mark
    found = node_match.find_key_mismatch(known, own), node_match.find_storage_mismatch(mark, storage_mark)
    if reasons := [mismatch.reason for mismatch in found if mismatch]:
        raise Fault(*reasons)
    return f"ok (the key {signing} signs)"


def _check_files(read: Settings) -> str:
    with _connect(read) as conn:
        faults = list(integrity.find_missing_files(conn, create_storage(read)))
    if faults:
        raise Fault(*faults)
    return "ok"


def _describe_peers(read: Settings) -> list[str]:
    """The peers that sent forwarding headers and are not trusted by these settings."""
    trusted = [ip_network(each, strict=False) for each in read.trusted_proxies]
    with create_engine(read.database, is_read_only=True).connect() as conn:
        found = untrusted_peer.all_known(conn)
    what_to_do = (
        "If it is your proxy, name it in STOREKEEPER_TRUSTED_PROXIES: until then all its clients have one address"
    )
    return [
        f"{each.address} sends forwarding headers (requests: {each.requests:,}, last: {_utc(each.seen_at)}), "
        f"and is not trusted. {what_to_do}"
        for each in found
        if not _is_within(each.address, trusted)
    ]


def _is_within(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        return any(ip_address(address) in each for each in networks)
    except ValueError:
        return False


def _check_tasks(read: Settings) -> str:
    """The periodic tasks that running servers have reported."""
    with _connect(read) as conn:
        reports = periodic_task.reports(conn)
    now = time.time()
    failing = [each for each in reports if not each.is_silent(now) and each.is_failing(now)]
    if failing:
        raise Fault(*map(_explain_task, failing))
    silent = sorted({each.server for each in reports if each.is_silent(now)})
    running = len({each.server for each in reports}) - len(silent)
    told = f"ok ({running} running)" if running else "no server is running"
    return told + "".join(f"; {server} was killed, or hangs: it reports nothing any more" for server in silent)


def _explain_task(report: periodic_task.Report) -> str:
    last = "it has never succeeded" if report.last_success is None else f"its last success: {_utc(report.last_success)}"
    return f"{report.name} of {report.server} fails ({report.last_error or 'it hangs'}); {last}"


def _utc(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
