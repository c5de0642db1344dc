"""The house's sizes and names. A file that is too long to read is split; a drawer for odds and ends "
"is not opened."""

from __future__ import annotations

import ast
import re
import statistics

import pytest
from repository import ROOT, SRC, code_lines, files_of_tests, functions_of, python_files, read, shown, tree_of

NO_DRAWERS = re.compile(r"^(utils?|common|helpers?|managers?|misc|base_.*|.*_v2|.*_helpers?|.*_utils?)$")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|pragma: no cover|for now\b|NotImplementedError")
WHO_MAY_SKIP = {
    "tests/conftest.py",
    "tests/store/conftest.py",
    "tests/house/test_house_lengths_and_names.py",
    "tests/sandbox/test_wix_messages.py",  # the vendors' data lie beside a repository, not in it
    "tests/sandbox/conformance/conftest.py",
}


def test_no_function_is_longer_than_seventy_lines() -> None:
    long = [
        f"{shown(path)}:{function.lineno} {function.name}: {code_lines(function)} lines"
        for path in python_files()
        for function in functions_of(path)
        if code_lines(function) > 70
    ]
    assert long == []


def test_functions_are_short_as_a_rule() -> None:
    sizes = sorted(code_lines(function) for path in python_files() for function in functions_of(path))
    assert statistics.median(sizes) <= 10
    assert sizes[int(len(sizes) * 0.95)] <= 40


def test_no_two_test_files_bear_the_same_name() -> None:
    """pytest imports them by their names alone and leaves the second out."""
    names = [path.name for path in files_of_tests() if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


def test_no_file_is_longer_than_six_hundred_lines() -> None:
    long = {shown(path): n for path in python_files() if (n := len(path.read_text().splitlines())) > 600}
    assert long == {}


def test_files_are_short_as_a_rule() -> None:
    sizes = sorted(len(path.read_text().splitlines()) for path in python_files())
    assert sizes[int(len(sizes) * 0.95)] <= 400


def test_no_file_or_folder_is_a_drawer_for_odds_and_ends() -> None:
    drawers = [
        shown(path)
        for path in (*python_files(), *files_of_tests())
        if any(NO_DRAWERS.match(part) for part in (*path.relative_to(ROOT).parts[:-1], path.stem))
    ]
    assert drawers == []


def test_nothing_unfinished_is_left_behind() -> None:
    left = [
        f"{shown(path)}:{number}: {line.strip()}"
        for path in python_files()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert left == []


def test_no_error_is_caught_wholesale_and_none_is_dropped_in_silence() -> None:
    silent = [
        f"{shown(path)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
    ]
    assert silent == []


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    """Bare ``except``, or ``except Exception`` that neither raises again nor hands the error to who waits for it."""
    names = (
        {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else {"Exception"}
    )
    passed_on = any(isinstance(node, ast.Raise) or _hands_on(node, handler.name) for node in ast.walk(handler))
    return bool(names & {"Exception", "BaseException"}) and not passed_on


def _hands_on(node: ast.AST, error: str | None) -> bool:
    """``future.set_exception(error)``, or the error returned."""
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        given = [arg.id for arg in node.args if isinstance(arg, ast.Name)]
        return called == "set_exception" and error in given
    if isinstance(node, ast.Return) and node.value is not None:
        return any(isinstance(part, ast.Name) and part.id == error for part in ast.walk(node.value))
    return False


def test_every_module_says_what_it_is_for() -> None:
    silent = [shown(path) for path in python_files() if not ast.get_docstring(tree_of(path))]
    assert silent == []


def test_every_public_class_says_what_it_is_for() -> None:
    silent = [
        f"{shown(path)}:{node.lineno} {node.name}"
        for path in python_files()
        for node in tree_of(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_most_public_functions_say_what_they_are_for() -> None:
    """Where name and types say everything a docstring would repeat them; that may not become the habit."""
    public = [
        node
        for path in python_files()
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    documented = [node for node in public if ast.get_docstring(node)]
    assert len(documented) >= 0.85 * len(public)


@pytest.mark.parametrize("package", ["storebridge"])
def test_the_map_in_the_package_names_every_folder(package: str) -> None:
    text = (SRC / package / "__init__.py").read_text()
    folders = {p.name for p in (SRC / package).iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    files = {p.name for p in (SRC / package).glob("*.py")} - {"__init__.py", "__main__.py"}
    assert {name for name in folders if f"{name}/" not in text} == set()
    assert {name for name in files if name not in text} == set()


def test_architecture_walks_through_every_folder() -> None:
    text = read("ARCHITECTURE.md")
    folders = {p.name for p in (SRC / "storebridge").iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert {name for name in folders if f"{name}/" not in text} == set()


def test_tests_are_never_skipped_in_silence() -> None:
    """Skips stand only where a thing may be missing on a laptop, and there they are loud and fail in CI."""
    marks = re.compile(r"mark\.(skip|xfail)|pytest\.(skip|xfail|importorskip)\(")
    skipping = {shown(path) for path in files_of_tests() if marks.search(path.read_text())}
    loud = {name for name in skipping if '"CI"' in read(name)}
    assert skipping - loud - WHO_MAY_SKIP == set()
