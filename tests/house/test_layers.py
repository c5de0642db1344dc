"""The map is enforced: layers, stages, connectors, SQL, screens. The contracts stand in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys

from repository import ROOT


def test_every_layer_contract_is_kept() -> None:
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    outcome = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
