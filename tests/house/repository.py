"""The repository as the house tests see it: which files are ours, and what stands in them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PACKAGES = ("storebridge", "storebridge_sandbox", "storebridge_proving")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def python_files() -> tuple[Path, ...]:
    """Every Python file of the three packages."""
    return tuple(sorted(path for package in PACKAGES for path in (SRC / package).rglob("*.py")))


@cache
def files_of_tests() -> tuple[Path, ...]:
    return tuple(sorted((ROOT / "tests").rglob("*.py")))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions_of(path: Path) -> list[Function]:
    """Functions and methods, nested ones too."""
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, Function)]


def code_lines(function: Function) -> int:
    """Lines of a function's body without its docstring."""
    body = function.body
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        body = body[1:]
    if not body:
        return 1
    return (function.end_lineno or function.lineno) - body[0].lineno + 1


def shown(path: Path) -> str:
    """The path as a person would say it."""
    return str(path.relative_to(ROOT))


def read(name: str) -> str:
    """A document of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")
