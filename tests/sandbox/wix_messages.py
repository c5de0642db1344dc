"""Checks requests and answers against the messages that Wix's own packages declare.

The declarations lie in ``../shared/data/wix`` beside the repository: ``endpoints.txt`` names each method's verb and
path, ``schemas/<package>.txt`` its request and response messages as TypeScript, with limits in comments. What is
not declared there (a field, an enum's value, a second member of a one-of) is a problem; so are limits that do not
hold.

    messages = Messages.find()          # None where the folder is absent
    messages.check("POST", "/ecom/v1/orders/search", {"search": {}}, {"orders": [], "metadata": {...}})
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "wix"
ABSENT = f"THE DECLARED WIX MESSAGES ARE ABSENT: nothing at {FOLDER}, so no message was checked against them"

INTERFACE = re.compile(r"^interface (\w+)(?: extends ([\w, ]+))? \{")
FIELD = re.compile(r"^  '?([\w.$-]+)'?(\?)?: (.+?);(?:  // (.*))?$")
ENUM = re.compile(r"^declare enum (\w+) \{")
VALUE = re.compile(r'^  \w+ = "([^"]+)"')
ALIAS = re.compile(r"^type (\w+) = (.+);$")
METHOD = re.compile(r"^declare function (\w+)\(\): __PublicMethodMetaInfo<")
PAIR = re.compile(r"(\w+)\$1, (\w+), (\w+)\$1, (\w+)>")
TAG = re.compile(r"@(minLength|maxLength|minSize|maxSize|min|max) (-?[\d.]+)")
ROWS = re.compile(r" answer\.\w+$")
FORMAT = re.compile(r"@format ([A-Z_]+)")
DECIMAL = re.compile(r"@decimalValue options \{([^}]*)\}")
FORMATS: dict[str, re.Pattern[str]] = {
    "GUID": re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE),
    "EMAIL": re.compile(r"[^@\s]+@[^@\s]+"),
    "CURRENCY": re.compile(r"[A-Z]{3}"),
    "COUNTRY": re.compile(r"[A-Z]{2}"),
    "WEB_URL": re.compile(r"https?://\S+"),
    "DECIMAL_VALUE": re.compile(r"-?\d+(\.\d+)?"),
    "LANGUAGE_TAG": re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*"),
}
PLAIN = {"string": str, "boolean": bool, "any": object}


@dataclass(frozen=True)
class Declared:
    """One field: its type as written, and the tags of its comment."""

    kind: str
    needed: bool
    tags: str


@dataclass
class Message:
    """One interface. ``one_of`` is set for those of which only one field may be there."""

    parents: tuple[str, ...] = ()
    fields: dict[str, Declared] = field(default_factory=dict)
    one_of: bool = False


@dataclass
class Package:
    """What one package declares; ``methods`` gives request and response of each."""

    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, frozenset[str]] = field(default_factory=dict)
    methods: dict[str, tuple[str, str]] = field(default_factory=dict)

    def problems(self, kind: str, value: Any, at: str = "") -> Iterator[str]:
        """Everything about the value that the message does not allow, as ``path: what``."""
        if kind not in self.messages:
            yield f"{at or kind}: no message {kind} is declared"
            return
        yield from self._message(kind, value, at or kind)

    def _message(self, kind: str, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{at}: {value!r} is no {kind}"
            return
        declared = self._fields(kind)
        for name, held in value.items():
            if name not in declared:
                yield f"{at}.{name}: {kind} declares no such field"
            elif held is not None:
                yield from self._value(declared[name], held, f"{at}.{name}")
            elif "null" not in declared[name].kind:
                yield f"{at}.{name}: null is not declared"
        for name, one in declared.items():
            if one.needed and name not in value:
                yield f"{at}.{name}: needed, but absent"
        for parent in self.messages[kind].parents:
            members = self.messages.get(parent, Message())
            present = [name for name in members.fields if name in value]
            if members.one_of and len(present) > 1:
                yield f"{at}: {' and '.join(present)} exclude each other"

    def _fields(self, kind: str) -> dict[str, Declared]:
        message = self.messages[kind]
        found: dict[str, Declared] = {}
        for parent in message.parents:
            if parent in self.messages:
                found.update(self._fields(parent))
        return {**found, **message.fields}

    def _value(self, declared: Declared, value: Any, at: str) -> Iterator[str]:
        kind = declared.kind.replace(" | null", "").strip()
        if kind.endswith("[]"):
            yield from self._list(Declared(kind[:-2], False, declared.tags), value, at)
        elif kind.startswith("Record<"):
            yield from self._record(kind, value, at)
        elif kind == "number":
            yield from _number(declared, value, at)
        elif kind == "Date":
            yield from _moment(value, at)
        elif kind in PLAIN:
            yield from _plain(kind, declared, value, at)
        elif kind in self.messages:
            yield from self._message(kind, value, at)
        else:
            yield from self._enum(kind, value, at)

    def _list(self, declared: Declared, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{at}: {value!r} is no list"
            return
        if value or not ROWS.search(at):  # an answer without rows is told as an empty list
            yield from _limits(declared, len(value), "Size", at)
        for number, one in enumerate(value):
            yield from self._value(declared, one, f"{at}[{number}]")

    def _record(self, kind: str, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{at}: {value!r} is no object"
            return
        inner = kind.removeprefix("Record<").removesuffix(">").partition(", ")[2]
        for name, held in value.items():
            yield from self._value(Declared(inner, False, ""), held, f"{at}.{name}")

    def _enum(self, kind: str, value: Any, at: str) -> Iterator[str]:
        values = self.enums.get(kind)
        if values is None:
            yield f"{at}: the type {kind} is not declared"
        elif value not in values:
            yield f"{at}: {value!r} is no {kind}"


def _plain(kind: str, declared: Declared, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, PLAIN[kind]):
        yield f"{at}: {value!r} is no {kind}"
        return
    if kind != "string":
        return
    yield from _limits(declared, len(value), "Length", at)
    form = FORMAT.search(declared.tags)
    pattern = FORMATS.get(form.group(1)) if form else None
    if pattern is not None and not pattern.fullmatch(value):
        yield f"{at}: {value!r} is no {form.group(1) if form else ''}"
    decimal = DECIMAL.search(declared.tags)
    if decimal is not None:
        yield from _decimal(decimal.group(1), value, at)


def _number(declared: Declared, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{at}: {value!r} is no number"
        return
    yield from _limits(declared, value, "", at)


def _moment(value: Any, at: str) -> Iterator[str]:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        yield f"{at}: {value!r} is no moment"


def _decimal(options: str, value: str, at: str) -> Iterator[str]:
    try:
        number = Decimal(value)
    except InvalidOperation:
        yield f"{at}: {value!r} is no decimal"
        return
    limits = dict(part.strip().split(":", 1) for part in options.split(",") if ":" in part)
    low, high = limits.get("gte") or limits.get("gt"), limits.get("lte") or limits.get("lt")
    if low is not None and number < Decimal(low):
        yield f"{at}: {value} is below {low}"
    if high is not None and number > Decimal(high):
        yield f"{at}: {value} is above {high}"


def _limits(declared: Declared, size: float, what: str, at: str) -> Iterator[str]:
    for name, limit in TAG.findall(declared.tags):
        if name == f"min{what}" and size < float(limit):
            yield f"{at}: {size} is below @{name} {limit}"
        if name == f"max{what}" and size > float(limit):
            yield f"{at}: {size} is above @{name} {limit}"


@dataclass
class Messages:
    """All packages and the addresses of their methods."""

    folder: Path
    methods: list[tuple[str, re.Pattern[str], str, str]]

    @classmethod
    def find(cls) -> Messages | None:
        """Those beside the repository; None where there are none."""
        return _messages(FOLDER) if (FOLDER / "endpoints.txt").exists() else None

    def package(self, name: str) -> Package:
        """``ecom_orders`` and the like."""
        return _package(self.folder / "schemas" / f"{name}.txt")

    def method(self, verb: str, path: str) -> tuple[Package, str] | None:
        """Package and name of the method at an address; None for an address that no package declares."""
        for known, pattern, package, name in self.methods:
            if known == verb and pattern.fullmatch(path) and (self.folder / "schemas" / f"{package}.txt").exists():
                return self.package(package), name
        return None

    def check(self, verb: str, path: str, request: Mapping[str, Any] | None, answer: Mapping[str, Any]) -> list[str]:
        """Problems of one exchange: an accepted request (path parameters stand in for its fields) and its answer."""
        found = self.method(verb, path)
        if found is None:
            return [f"{verb} {path}: no such method is declared"]
        package, name = found
        asked, told = package.methods[name]
        given = {**dict.fromkeys(self._in_path(verb, path)), **(request or {})}
        wrong = [
            problem
            for problem in package.problems(asked, {k: v for k, v in given.items() if v is not None}, f"{name} request")
            if not any(problem.startswith(f"{name} request.{held}: needed") for held in given)
        ]
        return [*wrong, *package.problems(told, answer, f"{name} answer")]

    def event(self, package: str, message: str, body: Mapping[str, Any]) -> list[str]:
        """Problems of a webhook's entity or body."""
        return list(self.package(package).problems(message, body))

    def _in_path(self, verb: str, path: str) -> list[str]:
        for known, pattern, _, _ in self.methods:
            match = pattern.fullmatch(path) if known == verb else None
            if match:
                return list(match.groupdict())
        return []


@cache
def _messages(folder: Path) -> Messages:
    methods: list[tuple[str, re.Pattern[str], str, str]] = []
    package = ""
    for line in (folder / "endpoints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            package = line.split()[1]
        elif line and not line.startswith("#"):
            name, verb, path = line.split("  ")[:3]
            pattern = re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path))
            methods.append((verb.partition("(")[0], pattern, package, name))
            if "POST fallback" in verb:
                methods.append(("POST", pattern, package, name))
    # A fixed path goes before one with parameters that would match it as well.
    methods.sort(key=lambda method: method[1].groups)
    return Messages(folder, methods)


@cache
def _package(path: Path) -> Package:
    package = Package()
    message: Message | None = None
    values: set[str] | None = None
    one_of, method = False, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := INTERFACE.match(line):
            parents = tuple(name.strip() for name in (match.group(2) or "").split(",") if name.strip())
            message = package.messages[match.group(1)] = Message(parents, one_of=one_of)
        elif match := ENUM.match(line):
            values = set()
            package.enums[match.group(1)] = frozenset()
            enum = match.group(1)
        elif line.startswith("  }"):
            if values is not None:
                package.enums[enum] = frozenset(values)
            message, values = (None, None)
        elif match := ALIAS.match(line):
            package.enums[match.group(1)] = frozenset(re.findall(r"'([^']+)'", match.group(2)))
        elif message is not None and (match := FIELD.match(line)):
            name, optional, kind, tags = match.groups()
            message.fields[name] = Declared(kind, optional is None, (tags or "").partition(" | ")[0])
        elif values is not None and (match := VALUE.match(line)):
            values.add(match.group(1))
        if match := METHOD.match(line):
            method = match.group(1)
        if method and (match := PAIR.search(line)):
            package.methods[method] = (match.group(2), match.group(4))
            method = ""
        one_of = line.strip() == "//  @oneof" or (one_of and line.startswith("//"))
    return package
