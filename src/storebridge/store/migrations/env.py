"""Run by Alembic with the connection that ``store/migrate.py`` hands over."""

from alembic import context

from storebridge.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
    render_as_batch=True,
)
context.run_migrations()
