"""Alembic's way in: the caller (`service.store.migrating`) has opened the connection and its transaction."""

from alembic import context

from service.store.tables import metadata

connection = context.config.attributes["connection"]
# Both databases take changes of the schema back with the transaction; Alembic believes it of PostgreSQL only.
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
