"""Is a database at this version's schema? If not, ``upgrade.py`` is loaded and decides.

Almost every start finds a current database: asking for one row then saves a command half of what it takes to load.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

VERSIONS = Path(__file__).parent / "migrations" / "versions"
KEPT_IN = "alembic_version"


@cache
def newest_revision() -> str:
    """This version's schema: migrations are named by their number, ``r0026_words.py``."""
    return max(path.name for path in VERSIONS.glob("r[0-9][0-9][0-9][0-9]_*.py"))[1:5]


def migrate(engine: Engine) -> None:
    """Upgrade to the newest schema. Raises StoreUnavailableError for a database of a newer version, or of
    somebody else: a mistyped name would fill it with our tables."""
    if not _is_current(engine):
        _upgrade().migrate(engine)


def demand_current(engine: Engine) -> None:
    """For who only reads. Raises StoreUnavailableError for a database that this version does not know how to read."""
    if not _is_current(engine):
        _upgrade().demand_current(engine)


def _is_current(engine: Engine) -> bool:
    with engine.begin() as conn:
        return _revisions(conn) == [newest_revision()]


def _revisions(conn: Connection) -> list[str]:
    if not inspect(conn).has_table(KEPT_IN):
        return []
    return [str(name) for (name,) in conn.execute(text(f"select version_num from {KEPT_IN}"))]


def _upgrade() -> Any:
    return import_module("storebridge.store.upgrade")
