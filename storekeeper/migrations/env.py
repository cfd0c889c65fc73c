"""Alembic's entry: run the migrations on the connection that `schema.migrate` gives us, in its transaction."""

from alembic import context

import storekeeper.models  # noqa: F401  registers every table
from storekeeper.db import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
