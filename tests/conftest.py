"""Databases for tests: every suite of the store runs on SQLite (a file, and inline) and on PostgreSQL."""

from __future__ import annotations

import asyncio
import gc
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from builders.databases import (
    Database,
    Unreachable,
    demand_postgres,
    inline_database,
    inline_store,
    migrated_schema,
    postgres_database,
    sqlite_database,
)

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")  # a busy machine is no finding

POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)
SAID = "said at the end"


@pytest.fixture(autouse=True)
def _no_loop_is_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """A browser's driver keeps a loop of its own running in this thread; other tests must not find themselves in it."""
    if request.node.get_closest_marker("browser") is not None:
        yield
        return
    left_over = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(left_over)


@pytest.fixture(autouse=True)
def _postgres_answers(request: pytest.FixtureRequest) -> None:
    """What is marked ``postgres`` needs a server: without one it is skipped, and in CI it fails."""
    if request.node.get_closest_marker("postgres") is None:
        return
    try:
        demand_postgres()
    except Unreachable as error:
        reason = f"PostgreSQL is not tested: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(params=["sqlite", "inline", POSTGRES])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database at the newest schema, thrown away afterwards."""
    if request.param == "inline":
        yield from inline_database()
    elif request.param == "sqlite":
        yield from sqlite_database(tmp_path)
    else:
        yield from postgres_database()


@pytest.fixture
def postgres() -> Iterator[Database]:
    """PostgreSQL only, for what several workers do at once; mark the test ``postgres`` too."""
    yield from postgres_database()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers that share the run take a file each. Real processes and simulations take minutes: their files go first,
    or one worker plays them when the others are done."""
    long = {item.path for item in items if _long(item)}
    items.sort(key=lambda item: item.path not in long)


def _long(item: pytest.Item) -> bool:
    """A story in foul weather is a simulation, but a short one."""
    simulation = item.get_closest_marker("simulation") is not None and not item.nodeid.startswith("tests/journeys/")
    return simulation or item.get_closest_marker("process") is not None


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through it for cycles again and again took an eighth of all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_xdist_auto_num_workers() -> int:
    """Twice as many as processors: tests of real processes mostly wait."""
    return 2 * (os.cpu_count() or 1)


def pytest_sessionfinish() -> None:
    """Of every process that ran tests."""
    inline_store.forget()
    migrated_schema.forget()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skip that nobody notices is a hole; it is said at the end of the run, as is what tests wish to have said."""
    reports = [one for kind in terminalreporter.stats.values() for one in kind if isinstance(one, pytest.TestReport)]
    for line in sorted({str(value) for one in reports for name, value in one.user_properties if name == SAID}):
        terminalreporter.write_line(line)
    missed = Counter(str(one.longrepr[2]) for one in reports if one.skipped and isinstance(one.longrepr, tuple))
    if missed:
        terminalreporter.section("Not everything was tested", red=True, bold=True)
    for reason, count in missed.items():
        terminalreporter.line(f"{count} tests did not run. {reason.removeprefix('Skipped: ')}")
