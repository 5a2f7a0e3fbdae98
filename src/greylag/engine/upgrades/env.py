"""Run by Alembic: upgrades in the transaction of the connection that `greylag.engine.upgrades` hands in."""

from alembic import context

from greylag.engine.tables import metadata, schema_upgrades

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=schema_upgrades.name,
    # SQLite too: our connections begin their transactions themselves, so tables are made within them.
    transactional_ddl=True,
)
context.run_migrations()
