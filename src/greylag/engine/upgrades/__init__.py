"""Schema upgrades of our own database: Alembic's revisions, one a version, in `versions/`.

A database that is up to date costs one query, and nothing of Alembic is imported. Every upgrade only adds
(tables, columns that may be empty or have a server default): programs of the version before go on running.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from greylag.domain.errors import UsageError
from greylag.engine.tables import SCHEMA_VERSION, metadata, schema_upgrades, schema_version

FOLDER = Path(__file__).parent


def revision_of(version: int) -> str:
    """The name of the revision that makes a version."""
    return f"{version:04d}"


def prepare(engine: sa.Engine) -> None:
    """Create the tables when they are missing, and upgrade those of an earlier version.

    One transaction, in which nobody else writes: an upgrade that fails leaves everything as it was. Raises
    UsageError for a database of a later version; nothing of it is changed.
    """
    with engine.connect() as connection:
        found = _found(connection)
    if found == SCHEMA_VERSION:
        return
    with engine.execution_options(writes=True).begin() as connection:
        found = _found(connection)  # another process may have been faster
        if found is None:
            metadata.create_all(connection)
            connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))
            connection.execute(schema_upgrades.insert().values(version_num=revision_of(SCHEMA_VERSION)))
        elif found < SCHEMA_VERSION:
            upgrade(connection, found)
            connection.execute(schema_version.update().values(version=SCHEMA_VERSION))


def _found(connection: sa.Connection) -> int | None:
    """The version of the database, None for an empty one. Raises UsageError for a later one."""
    if not sa.inspect(connection).has_table(schema_version.name):
        return None
    found: int | None = connection.execute(sa.select(schema_version.c.version)).scalar()
    if found is not None and found > SCHEMA_VERSION:
        raise UsageError(
            f"the database was written by a later version (schema {found}, this one knows "
            f"{SCHEMA_VERSION}); upgrade greylag"
        )
    return found


def upgrade(connection: sa.Connection, found: int, *, to: str = "head", folder: Path = FOLDER) -> None:
    """Run the revisions after version `found` in the transaction of `connection`."""
    from alembic import command
    from alembic.config import Config

    if not sa.inspect(connection).has_table(schema_upgrades.name):
        # Of a time before there were revisions: its version says which ones it has.
        schema_upgrades.create(connection)
        connection.execute(schema_upgrades.insert().values(version_num=revision_of(found)))
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
