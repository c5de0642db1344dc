"""Health: does the database answer?"""

from __future__ import annotations

from storebridge.store.database import Store
from storebridge.store.views import one


async def database_answers(store: Store) -> None:
    """Ask the database for next to nothing. Raises StoreUnavailableError when it does not answer."""
    await store.read(one)
