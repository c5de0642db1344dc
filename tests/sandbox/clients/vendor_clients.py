"""The vendors' own clients: downloaded for a test, kept in a cache outside the tree, and run as processes of their own
against a served pair of stores."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from storebridge_sandbox.app import Stores, build_stores, load_both, serve_stores
from storebridge_sandbox.wix.settings import CatalogVersion, WixOptions

HERE = Path(__file__).parent
OLDEST_NODE = 20
INSTALL_SECONDS = 420
SESSION_SECONDS = 90
GOODS = """Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Variant Inventory Tracker
mug,Mug,MUG,12.50,7,shopify
lamp,Lamp,LAMP,40.00,2,shopify
"""

StoreName = Literal["shopify", "wix"]


class Unavailable(Exception):
    """The clients cannot be had on this machine; the words say what is missing."""


def node_clients() -> Path:
    """The folder whose ``node_modules`` hold what package-lock.json names; raises Unavailable."""
    return _by_npm("node", HERE)


@cache
def node_program() -> tuple[str, str]:
    """A Node that is new enough for the clients, and its version: this machine's, else one that npm downloads.

    Raises Unavailable.
    """
    found = shutil.which("node")
    if found is None or _older(version_of(found)):
        arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        packages = _by_npm("node-itself", HERE / "node") / "node_modules"
        found = str(packages / f"node-{sys.platform}-{arch}" / "bin" / "node")
        if not Path(found).is_file():
            raise Unavailable(f"there is no Node {OLDEST_NODE} for {sys.platform} on {arch} among npm's packages")
    return found, version_of(found)


def version_of(node: str) -> str:
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _older(version: str) -> bool:
    return int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE


def _by_npm(kind: str, locked: Path) -> Path:
    """The folder in whose ``node_modules`` npm put what the lock file of a folder names; raises Unavailable."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("there is no npm here; Debian has it in the packages nodejs and npm")

    def fill(folder: Path) -> list[str]:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(locked / name, folder)
        return [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--prefix", str(folder)]

    return _kept(kind, (locked / "package-lock.json").read_bytes(), fill)


def python_clients() -> Path:
    """The folder that holds what requirements.txt names, for ``PYTHONPATH``; raises Unavailable."""
    locked = HERE / "requirements.txt"

    def fill(folder: Path) -> list[str]:
        # Built with the setuptools of this environment: an isolated build would download that first.
        how = ["--require-hashes", "--no-deps", "--no-build-isolation", "--no-compile"]
        return [sys.executable, "-m", "pip", "--quiet", "install", *how, "--target", str(folder), "-r", str(locked)]

    return _kept(f"python{sys.version_info.minor}", locked.read_bytes(), fill)


def _kept(kind: str, lock: bytes, fill: Callable[[Path], list[str]]) -> Path:
    """Installed once for each lock; a folder that is there is whole, since it is moved into place at the end."""
    shelf = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "storebridge-tests"
    ready = shelf / f"{kind}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if ready.is_dir():
        return ready
    shelf.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{ready.name}-", dir=shelf))
    try:
        _install(fill(fresh))
        try:
            fresh.rename(ready)
        except OSError:  # another process was faster
            if not ready.is_dir():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return ready


def _install(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{Path(command[0]).name} was not done after {INSTALL_SECONDS} s") from error
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-600:]}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a session told, and the store that it talked to, as it was at the end."""

    seen: dict[str, Any]
    left: dict[str, int]
    """Available units by SKU, all locations together."""
    answers: list[int | None]
    """What the session answered to each delivery attempt."""
    others: list[tuple[str, int | None]]
    """Calls that were answered with another status than 200, by operation."""


def play(script: str, store: StoreName, folder: Path, *, catalog: CatalogVersion = "v3") -> Outcome:
    """Run one session against a store of seven mugs and two lamps; raises AssertionError with what it wrote when it
    fails."""
    return asyncio.run(_play(script, store, folder, catalog))


async def _play(script: str, name: StoreName, folder: Path, catalog: CatalogVersion) -> Outcome:
    stores = build_stores(seed=1, wix_options=WixOptions(catalog=catalog))
    load_both(stores, GOODS, opening_levels_differ=False)
    served = await serve_stores(stores)
    try:
        seen = await _session(script, served.shopify_url if name == "shopify" else served.wix_url, folder)
        return _outcome(seen, stores, name)
    finally:
        await served.stop()
        await stores.stop()


async def _session(script: str, url: str, folder: Path) -> dict[str, Any]:
    runner = [node_program()[0]] if script.endswith(".mjs") else [sys.executable]
    with tempfile.TemporaryDirectory() as stage:
        # Node looks for packages beside the script, so script and packages are brought together.
        for source in HERE.glob("*.mjs"):
            shutil.copy(source, stage)
        (Path(stage) / "node_modules").symlink_to(folder / "node_modules")
        command = [*runner, str(HERE / script if script.endswith(".py") else Path(stage) / script)]
        env = {**os.environ, "STORE_URL": url, "PYTHONPATH": str(folder), "NODE_NO_WARNINGS": "1"}
        process = await asyncio.create_subprocess_exec(
            *command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            told, errors = await asyncio.wait_for(process.communicate(), SESSION_SECONDS)
        except TimeoutError:
            process.kill()
            told, errors = await process.communicate()
            raise AssertionError(f"{script} hangs after {SESSION_SECONDS} s: {errors.decode()[-2000:]}") from None
    assert process.returncode == 0, f"{script} failed: {errors.decode()[-4000:]}"
    seen: dict[str, Any] = json.loads(told.splitlines()[-1])
    return seen


def _outcome(seen: dict[str, Any], stores: Stores, name: StoreName) -> Outcome:
    store = stores.shopify if name == "shopify" else stores.wix
    left: dict[str, int] = {}
    for level in store.truth_levels():
        left[level["sku"]] = left.get(level["sku"], 0) + level["available"]
    answers = [attempt["status"] for attempt in store.webhooks.since(0)]
    others = [(call["operation"], call["status"]) for call in store.requests.since(0) if call["status"] != 200]
    return Outcome(seen, left, answers, others)
