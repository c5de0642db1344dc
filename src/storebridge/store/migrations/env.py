"""Run by Alembic with the connection that ``store/upgrade.py`` hands over."""

from alembic import context

from storebridge.store import (
    tables_backfills,  # noqa: F401 - its tables belong to the same schema
    tables_brakes,  # noqa: F401 - its tables belong to the same schema
    tables_checkouts,  # noqa: F401 - its tables belong to the same schema
    tables_marks,  # noqa: F401 - its tables belong to the same schema
    tables_oversold,
    tables_search,  # noqa: F401 - its tables belong to the same schema
    tables_settlement,  # noqa: F401 - its tables belong to the same schema
)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables_oversold.metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
    render_as_batch=True,
)
context.run_migrations()
