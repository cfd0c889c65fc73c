"""No password's hash is in the journal: rows of new users had the name as `is_admin` and the hash as `is_active`."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

VACUUM_DUE = 1  # the next start writes SQLite's file anew: the old bytes are in it until then

_changes = sa.table(
    "changes",
    sa.column("id", sa.BigInteger),
    sa.column("kind", sa.String),
    sa.column("subject_id", sa.BigInteger),
    sa.column("before", sa.Text),
    sa.column("after", sa.Text),
)
_users = sa.table(
    "users", sa.column("id", sa.BigInteger), sa.column("username", sa.String), sa.column("is_admin", sa.Boolean)
)


def upgrade() -> None:
    conn = op.get_bind()
    _drop_trigger(conn)
    leaked = _repair(conn)
    _create_triggers(conn)
    if leaked:
        _tell(conn, leaked)
        if conn.dialect.name == "sqlite":
            conn.execute(sa.text(f"PRAGMA user_version = {VACUUM_DUE}"))


def _repair(conn: sa.Connection) -> set[int]:
    """Put the rows right. Whose they are: the ids of the users whose hashes were in them."""
    query = sa.select(_changes.c.id, _changes.c.subject_id, _changes.c.before, _changes.c.after)
    rows = conn.execute(query.where(_changes.c.kind == "user").order_by(_changes.c.subject_id, _changes.c.id.desc()))
    admins = {row.id: bool(row.is_admin) for row in conn.execute(sa.select(_users.c.id, _users.c.is_admin))}
    leaked: set[int] = set()
    later: dict[int, bool] = {}  # whether a user was an administrator before the change that was looked at last
    for row in rows.all():  # of each user, the latest first
        is_admin = later.get(row.subject_id, admins.get(row.subject_id, False))
        states = {"before": _read(row.before), "after": _read(row.after)}
        repaired = {"is_admin": is_admin, "is_active": True}
        wrong = {name: state | repaired for name, state in states.items() if _is_wrong(state)}
        if wrong:
            leaked.add(row.subject_id)
            values = {
                name: json.dumps(state, ensure_ascii=False, separators=(",", ":")) for name, state in wrong.items()
            }
            conn.execute(sa.update(_changes).where(_changes.c.id == row.id).values(values))
        # `before` has what differs, and `after` all: together they are the user as they were before this change.
        known = {**(states["after"] or {}), **(states["before"] or {}), **(repaired if wrong else {})}
        later[row.subject_id] = known.get("is_admin", is_admin)
    return leaked


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _is_wrong(state: dict[str, Any] | None) -> bool:
    return state is not None and not isinstance(state.get("is_active", True), bool)


def _tell(conn: sa.Connection, leaked: set[int]) -> None:
    names = [row.username for row in conn.execute(sa.select(_users).order_by(_users.c.id)) if row.id in leaked]
    gone = len(leaked) - len(names)
    people = ", ".join(names) + (f"{' and ' if names else ''}{gone} deleted" if gone else "")
    notice = (
        "SECURITY: until now the journal held the password hashes of users. Administrators (GET /audit,"
        " `storekeeper audit`) and whoever has a copy of the database could read them. They are removed now."
        f" Users: {people}."
        " `storekeeper users require-new-password NAME...` ends their sessions and makes them choose a new password."
        " Backups still hold the hashes."
    )
    if conn.dialect.name != "sqlite":
        notice += " `VACUUM FULL changes` in the database removes the old bytes from its files."
    config = op.get_context().config
    assert config
    config.attributes["notices"].append(notice)


def _drop_trigger(conn: sa.Connection) -> None:
    op.execute("DROP TRIGGER changes_stay" + ("" if conn.dialect.name == "sqlite" else " ON changes"))


def _create_triggers(conn: sa.Connection) -> None:
    """The one again; and one by which a server of the version before that still runs cannot write a hash again."""
    is_wrong = """NEW.kind = 'user' AND NEW.after LIKE '%"is_active":"%'"""
    if conn.dialect.name == "sqlite":
        stay = "SELECT RAISE(ABORT, 'the journal is not to be altered')"
        op.execute(f"CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN {stay}; END")
        refuse = "SELECT RAISE(ABORT, 'the journal holds no password hash')"
        op.execute(f"CREATE TRIGGER changes_hide BEFORE INSERT ON changes WHEN {is_wrong} BEGIN {refuse}; END")
        return
    op.execute("CREATE TRIGGER changes_stay BEFORE UPDATE ON changes EXECUTE FUNCTION changes_stay()")
    body = "BEGIN RAISE EXCEPTION 'the journal holds no password hash'; END"
    op.execute(f"CREATE FUNCTION changes_hide() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    each = f"FOR EACH ROW WHEN ({is_wrong.replace('%', '%%')}) EXECUTE FUNCTION changes_hide()"
    op.execute(f"CREATE TRIGGER changes_hide BEFORE INSERT ON changes {each}")
