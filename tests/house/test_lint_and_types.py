"""Style and types: the same two tools that a developer runs, so that one test run covers everything."""

from __future__ import annotations

import subprocess
import sys

import pytest
from repository import PACKAGES, ROOT


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=["rules", "format"])
def test_ruff_finds_nothing(command: tuple[str, ...]) -> None:
    outcome = _run("ruff", *command, "--no-cache", "src", "tests", "scripts")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_every_type_is_sound() -> None:
    outcome = _run("mypy", "--strict", *(word for package in PACKAGES for word in ("-p", package)))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
