"""The lock files: every package with its hashes, and no word about where this or that machine gets "
"packages from."""

from __future__ import annotations

import json
import re

import pytest
from repository import ROOT, read

CLIENTS = "tests/sandbox/clients"
LOCKS = ["requirements.txt", "requirements-dev.txt", f"{CLIENTS}/requirements.txt"]


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", read(name), flags=re.MULTILINE | re.IGNORECASE))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host_and_no_path(name: str) -> None:
    offending = re.findall(
        r"^.*(?:://|--index-url|--extra-index|--find-links|--trusted-host| @ |^/).*$", read(name), re.M
    )
    assert offending == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9._-]+==)", read(name), flags=re.IGNORECASE)
    unhashed = [entry.split()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]
    assert unhashed == []


def test_both_locks_agree() -> None:
    product, everything = _pins("requirements.txt"), _pins("requirements-dev.txt")
    assert {name: (pin, everything.get(name)) for name, pin in product.items() if everything.get(name) != pin} == {}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", f"{CLIENTS}/requirements"])
def test_every_dependency_that_is_asked_for_is_locked(name: str) -> None:
    asked = re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==(\S+)$", read(f"{name}.in"), flags=re.MULTILINE)
    pins = _pins(f"{name}.txt")
    assert asked
    assert {package: version for package, version in asked if pins.get(package) != version} == {}


def test_the_vendors_clients_are_pinned_and_their_lock_names_no_host() -> None:
    asked = json.loads(read(f"{CLIENTS}/package.json"))["dependencies"]
    packages = json.loads(read(f"{CLIENTS}/package-lock.json"))["packages"]
    locked = {name.removeprefix("node_modules/"): entry for name, entry in packages.items() if name}

    assert {name: locked[name]["version"] for name in asked} == asked
    assert [name for name, entry in locked.items() if "integrity" not in entry or "resolved" in entry] == []
    assert "://" not in read(f"{CLIENTS}/package-lock.json")


def test_the_product_declares_what_is_locked_and_nothing_else() -> None:
    declared = set(re.findall(r'"([a-z0-9-]+)(?:\[[a-z]+\])?>=', read("pyproject.toml").split("[project.scripts]")[0]))
    asked = set(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", read("requirements.in"), flags=re.MULTILINE))
    assert declared | {"setuptools"} == asked


def test_no_file_names_the_machine_it_was_written_on() -> None:
    suspicious = re.compile(r"/home/[a-z]|/root/|/Users/[a-z]|(?<![\w/.-])/work/|/tmp/[a-z]")
    texts = [
        path
        for pattern in (
            "*.md",
            "docs/**/*.md",
            "src/**/*.py",
            "tests/**/*.py",
            "scripts/*",
            "Makefile",
            "*.toml",
            ".ci/*",
        )
        for path in ROOT.glob(pattern)
        if path.is_file() and path.name != "test_locks.py" and "__pycache__" not in path.parts
    ]
    named = [
        f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
        for path in texts
        for line in path.read_text(encoding="utf-8").splitlines()
        if suspicious.search(line)
    ]
    assert named == []
