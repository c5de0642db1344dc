"""What the vendor's packages declare about the requests that the pretend Wix site takes, in one small file.

Reads the message texts derived from Wix's own packages (a folder of ``<package>.txt``) and writes
``src/storebridge_sandbox/wix/messages.json``: only the messages that served operations name in ``takes``, and in
them only what a caller may set, with limits. Run it again when an operation is added:

    PYTHONPATH=src python scripts/derive_wix_messages.py ../shared/data/wix/schemas
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

from storebridge_sandbox.faults import FaultPlan, FaultSettings
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.store import WixStore
from storebridge_sandbox.world import HttpPost, real_world

TARGET = Path("src/storebridge_sandbox/wix/messages.json")
OPAQUE = {"RichContent", "SeoSchema", "DescriptionWithRichContent"}
SIMPLE = {"string": "text", "number": "number", "boolean": "flag", "Date": "moment", "any": "any"}
LIMITS = ("min", "max", "minLength", "maxLength", "minSize", "maxSize")
DECIMALS = ("gte", "lte", "gt", "lt", "maxScale")
INTERFACE = re.compile(r"interface (\w+)(?: extends ([\w, ]+))? \{")
FIELD = re.compile(r"  (\w+)(\??): ([^;]+);(?:  // (.*))?")
ENUM = re.compile(r"declare enum (\w+) \{")
MEMBER = re.compile(r'  \w+ = "([^"]+)"')

Declared = dict[str, Any]


def read_package(text: str) -> dict[str, Any]:
    """Messages and enums of one package: a message is fields and groups of alternatives, an enum a list."""
    found: dict[str, Any] = {}
    parents: dict[str, list[str]] = {}
    current: Any = None
    for line in text.splitlines():
        if match := INTERFACE.match(line):
            current = found[match[1]] = {}
            parents[match[1]] = re.findall(r"\w+", match[2] or "")
        elif match := ENUM.match(line):
            current = found[match[1]] = []
        elif isinstance(current, list) and (match := MEMBER.match(line)):
            current.append(match[1])
        elif isinstance(current, dict) and (match := FIELD.match(line)):
            current[match[1]] = _field(match[2] != "?", match[3], match[4] or "")
        elif line.startswith("  }"):
            current = None
    for name, groups in parents.items():
        alternatives = [list(found[group]) for group in groups if group.endswith("OneOf") and group in found]
        if alternatives:
            found[name] = {**found[name], "": [group for group in alternatives if len(group) > 1]}
    return found


def _field(required: bool, kind: str, comment: str) -> Declared:
    tags = comment.split(" | ", 1)[0]
    kind = kind.removesuffix(" | null")
    field: Declared = {"readonly": True} if "@readonly" in tags else {}
    if kind.endswith("[]"):
        field["list"] = True
        kind = kind[:-2]
    field["type"] = "map" if kind.startswith("Record<") else SIMPLE.get(kind, kind.removesuffix("WithLiterals"))
    if required:
        field["required"] = True
    if match := re.search(r"@format (\w+)", tags):
        field["format"] = match[1]
    for name in LIMITS:
        if match := re.search(rf"@{name} (-?[\d.]+)", tags):
            field[name] = _number(match[1])
    if "@decimalValue" in tags:
        field["format"] = "DECIMAL_VALUE"
        field |= {name: _number(match[1]) for name in DECIMALS if (match := re.search(rf"\b{name}:(-?[\d.]+)", tags))}
    return field


def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number


def prune(package: dict[str, Any], roots: list[str]) -> dict[str, Any]:
    """The messages that the roots reach through fields that a caller may set."""
    kept: dict[str, Any] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in kept:
            continue
        if name not in package:
            raise SystemExit(f"no message {name!r} in the package")
        declared = package[name]
        if isinstance(declared, list):
            kept[name] = declared
            continue
        kept[name] = {}
        for field_name, field in declared.items():
            if not field_name:
                kept[name][""] = field
            elif not field.get("readonly"):
                kept[name][field_name] = _kept(field, package, waiting)
    return kept


def _kept(field: Declared, package: dict[str, Any], waiting: list[str]) -> Declared:
    kind = field["type"]
    if kind in OPAQUE:
        return {**field, "type": "map"}
    if kind in package:
        waiting.append(kind)
    elif kind not in (*SIMPLE.values(), "map"):
        return {**field, "type": "any"}
    return field


async def taken() -> dict[str, list[str]]:
    """Which messages the served operations name, by package."""
    world = real_world(1, HttpPost())
    plan = FaultPlan(FaultSettings(), world.now, random.Random(1))
    store = WixStore(world, seed=1, options=WixOptions(), faults=plan)
    named: dict[str, list[str]] = {}
    for operation in store.api.operations:
        if operation.takes:
            package, _, message = operation.takes.partition(":")
            named.setdefault(package, []).append(message)
    return named


def main(folder: Path) -> None:
    """Write the file anew."""
    told: dict[str, Any] = {}
    for package, roots in sorted(asyncio.run(taken()).items()):
        text = (folder / f"{package}.txt").read_text(encoding="utf-8")
        told[package] = dict(sorted(prune(read_package(text), roots).items()))
    TARGET.write_text(json.dumps(told, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    print(f"{TARGET}: {sum(map(len, told.values()))} messages of {len(told)} packages")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
