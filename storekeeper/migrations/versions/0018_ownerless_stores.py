"""Changes nothing. Tells which stores have no owner: until now the account of the last one could be deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

MAX_LISTED = 100


def upgrade() -> None:
    query = """
        SELECT id, name FROM stores WHERE NOT EXISTS (
            SELECT 1 FROM store_members WHERE store_id = stores.id AND role = 'owner'
        ) ORDER BY id
    """
    found = op.get_bind().execute(sa.text(query)).all()
    if not found:
        return
    listed = ", ".join(repr(row.name) for row in found[:MAX_LISTED]) + (" ..." if len(found) > MAX_LISTED else "")
    config = op.get_context().config
    assert config
    config.attributes["notices"].append(
        f"Stores that nobody owns, so that administrators alone look after them: {listed}. "
        "`storekeeper members set STORE NAME --role owner` gives one an owner."
    )
