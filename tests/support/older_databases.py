"""Databases as an older release left them."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from storekeeper.database import schema_version


def migrate_to(engine: sa.Engine, revision: str) -> None:
    """The tables as they were with that migration, in an empty database."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema_version.MIGRATIONS)).replace("%", "%%"))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
