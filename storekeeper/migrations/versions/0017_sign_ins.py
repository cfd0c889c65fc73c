"""From which networks users have signed in: what the sessions that are there tell of it."""

import ipaddress

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

AT_ONCE = 1000
ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    sign_ins = op.create_table(
        "sign_ins",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "network", name="pk_sign_ins"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sign_ins_user_id_users", ondelete="CASCADE"),
    )
    op.create_index("ix_sign_ins_last_at", "sign_ins", ["last_at"])
    known: dict[tuple[int, str], int] = {}
    for user_id, address, began_at in op.get_bind().execute(sa.text("SELECT user_id, address, began_at FROM sessions")):
        key = user_id, _network(address)
        known[key] = max(known.get(key, 0), began_at)
    rows = [{"user_id": user_id, "network": network, "last_at": at} for (user_id, network), at in known.items()]
    for start in range(0, len(rows), AT_ONCE):
        op.bulk_insert(sign_ins, rows[start : start + AT_ONCE])


def _network(address: str) -> str:
    """As the program has it: the /24 of IPv4, the /48 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    ip = (isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped) or parsed
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))
