"""Time, chance, identity and I/O come from outside: nobody reaches for them but the few files that "
"hand them in."""

from __future__ import annotations

import ast
from pathlib import Path

from repository import SRC, python_files, shown, tree_of

FORBIDDEN_CALLS = {
    "time.time",
    "time.monotonic",
    "time.perf_counter",
    "time.sleep",
    "asyncio.sleep",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "random.random",
    "random.randint",
    "random.choice",
    "random.seed",
    "uuid.uuid4",
    "uuid.uuid1",
    "secrets.token_hex",
    "secrets.token_urlsafe",
    "secrets.token_bytes",
    "os.urandom",
    "os.getenv",
    "os.environ",
    "socket.socket",
    "open",
}
FORBIDDEN_IMPORTS = {"socket", "subprocess", "threading", "uuid"}

SEAMS = {
    "clock.py": "hands out time and ids",
    "bootstrap.py": "hands out everything",
    "connectors/http.py": "the one way out",
    "store/database.py": "the writer's thread and the waits for a locked file",
    "store/dialects/folding.py": "folds the write-ahead log on a thread of its own",
    "store/dialects/inline.py": "yields to other tasks around each transaction",
    "store/dialects/postgres.py": "the database's own connections",
    "store/dialects/sqlite.py": "the database file and its lock",
}
"""Files of the product that may touch the real world; the command line is the edge and may, too."""


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _core_files() -> list[Path]:
    product = SRC / "storebridge"
    return [
        path
        for path in python_files()
        if path.is_relative_to(product)
        and str(path.relative_to(product)) not in SEAMS
        and path.relative_to(product).parts[0] not in {"cli"}
        and "migrations" not in path.parts
    ]


def test_no_module_reads_the_clock_rolls_dice_or_opens_files_by_itself() -> None:
    found = [
        f"{shown(path)}:{node.lineno} {name}"
        for path in _core_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute | ast.Name)
        and (name := _dotted(node)) in FORBIDDEN_CALLS
        and isinstance(getattr(node, "ctx", None), ast.Load)
    ]
    assert found == []


def test_no_module_imports_sockets_threads_or_processes() -> None:
    found = [
        f"{shown(path)}:{node.lineno} {alias.name}"
        for path in _core_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.split(".")[0] in FORBIDDEN_IMPORTS
    ]
    assert found == []


def test_every_seam_still_exists() -> None:
    assert {name for name in SEAMS if not (SRC / "storebridge" / name).exists()} == set()


def test_only_the_edge_knows_the_vendors() -> None:
    """Above connectors/ nobody may know that there are two stores, or which."""
    allowed = {"connectors", "cli", "config.py", "bootstrap.py"}
    product = SRC / "storebridge"
    speaking = [
        f"{shown(path)}:{node.lineno} {node.value!r}"
        for path in _core_files()
        if path.relative_to(product).parts[0] not in allowed
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and node.value in {"shopify", "wix", "Shopify", "Wix"}
    ]
    assert speaking == []


ONE_PLATFORM_ONLY = {"fcntl", "msvcrt", "pwd", "grp", "resource", "termios", "tty", "pty", "winreg", "syslog", "crypt"}
"""Modules that Python has on some systems only. A first version could not start on Windows for one of them."""


def test_nothing_is_imported_that_only_some_systems_have() -> None:
    found = {
        f"{shown(path)}: {name}"
        for path in python_files()
        if SRC in path.parents
        for node in ast.walk(tree_of(path))
        for name in _imported_by(node)
        if name.split(".")[0] in ONE_PLATFORM_ONLY
    }
    assert found == set()


def _imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
