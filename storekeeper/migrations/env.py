"""Alembic's entry: run the migrations on the connection that `schema_version.migrate` gives us, in its transaction."""

from alembic import context

import storekeeper.models  # noqa: F401  registers every table
from storekeeper.database.engine import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
