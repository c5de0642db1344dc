"""A command loads what it needs: help is there at once, and a look at one SKU does not load two vendors' clients."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module

import pytest
from cyclopts import App

from storebridge.cli.main import COMMANDS

HEAVY = (
    "aiohttp", "alembic", "cryptography", "fastapi", "graphql", "jinja2", "joserfc", "prometheus_client", "psycopg",
    "sqlalchemy", "starlette", "storebridge_proving", "storebridge_sandbox", "uvicorn",
)  # fmt: skip
FOR_STORES = ("aiohttp", "cryptography", "joserfc", "storebridge.bootstrap", "storebridge.connectors.shopify.connector")


def loaded_by(words: list[str]) -> set[str]:
    """What a process has loaded that ran these words."""
    asked = (
        "import sys; from storebridge.cli.main import run_command; "
        f"run_command({words!r}); sys.stdout.flush(); print('LOADED', *sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return set(told.stdout.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_the_first_page_of_help_loads_nothing_heavy(words: list[str]) -> None:
    loaded = loaded_by(words)
    assert loaded & set(HEAVY) == set()
    assert {name for name in loaded if name.startswith("storebridge.operations")} == set()


@pytest.mark.parametrize("words", [["status"], ["stock", "MUG"], ["audit", "verify"], ["exceptions"], ["orders"]])
def test_a_look_at_the_database_loads_nothing_that_talks_to_stores(words: list[str]) -> None:
    assert loaded_by([*words, "--help"]) & set(FOR_STORES) == set()


@pytest.mark.parametrize("words", [["sandbox", "--help"], ["init", "--help"]])
def test_what_needs_no_database_loads_none(words: list[str]) -> None:
    assert {name for name in loaded_by(words) if re.match(r"storebridge\.pipeline|sqlalchemy|fastapi", name)} == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_page_says_of_a_command_what_its_own_file_says(command: str) -> None:
    file, name = COMMANDS[command].where.split(":")
    found = getattr(import_module(f"storebridge.cli.{file}"), name)
    own = found.help if isinstance(found, App) else found.__doc__
    assert " ".join(own.split()) == COMMANDS[command].summary
