"""The table of what the pretend stores answer says what they answer, and what each answer rests on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT

SCRIPT = "scripts/list_sandbox_operations.py"
EVIDENCE = "docs/sandbox-evidence.toml"
PAGES = ("sandbox-operations.md", "sandbox-evidence.toml", "assumptions.md")


def check(root: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(root / SCRIPT), "--check"],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The script and its pages, to be spoiled."""
    for name in (SCRIPT, *(f"docs/{page}" for page in PAGES)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_the_table_of_operations_is_true() -> None:
    assert check(ROOT) == (0, ""), (
        f"PYTHONPATH=src python {SCRIPT} --add writes it anew; then say in {EVIDENCE} what new ones rest on"
    )


def test_an_operation_without_evidence_an_unknown_one_and_a_stale_row_are_told(copied: Path) -> None:
    evidence, table = copied / EVIDENCE, copied / "docs" / "sandbox-operations.md"
    told = evidence.read_text(encoding="utf-8")
    evidence.write_text(told.replace('orderCreate = "schema', 'orderMake = "hearsay'), encoding="utf-8")
    status, said = check(copied)
    assert status == 1
    assert "orderCreate has no line in docs/sandbox-evidence.toml, [shopify.mutations]" in said
    assert "[shopify.mutations]: the store has no orderMake" in said
    assert "orderMake: 'hearsay" in said
    evidence.write_text(told, encoding="utf-8")
    table.write_text(table.read_text(encoding="utf-8").replace("| yes |", "| no |", 1), encoding="utf-8")
    assert check(copied) == (1, "docs/sandbox-operations.md is stale: run scripts/list_sandbox_operations.py\n")
