"""One API call as the responses files see it, and the table of operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.wire import decode_token, validation_error

Generation = Literal["v3", "v1"]


@dataclass(slots=True)
class Call:
    """``arguments`` is the JSON payload, wherever it stood, with the path's parameters merged in.

    ``read_moment`` is the past that a query shows (None: the present); GETs by id use ``get_moment``.
    ``wrote`` is set by operations that changed something.
    """

    arguments: dict[str, Any]
    params: dict[str, str]
    actor: Actor
    request_id: str
    authorization: str = ""
    read_moment: datetime | None = None
    get_moment: datetime | None = None
    wrote: bool = False
    late: list[Callable[[], None]] = field(default_factory=list)
    """Bring parts of the answer up to date, for an answer that is made some time after the write (W38)."""

    def part(self, name: str) -> dict[str, Any]:
        """An object of the payload; absent is empty. Raises WixRefusal when it is none."""
        value = self.arguments.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise validation_error(name, "must be an object", "FORMAT")
        return value

    def rows(self, name: str, most: int) -> list[dict[str, Any]]:
        """A list of 1 to ``most`` objects of the payload; raises WixRefusal."""
        value = self.arguments.get(name)
        if not isinstance(value, list) or not value:
            raise validation_error(name, "must not be empty", "MIN_SIZE", {"threshold": 1})
        if len(value) > most:
            raise validation_error(
                name, f"must have a size less than or equal to {most}", "MAX_SIZE", {"threshold": most}
            )
        if not all(isinstance(row, dict) for row in value):
            raise validation_error(name, "must be a list of objects", "FORMAT")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.arguments.get(name)
        if value in ("true", "false"):
            return bool(value == "true")
        if value is None:
            return default
        if not isinstance(value, bool):
            raise validation_error(name, "must be true or false", "FORMAT")
        return value


Lag = Literal["query", "search", "get", None]
Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of the vendor's API. ``path`` has ``{names}``; ``lag`` names the index that it reads from.

    ``takes`` is the vendor's request message, ``package:Message``, against which the payload is checked.
    """

    name: str
    methods: tuple[str, ...]
    path: str
    handler: Handler
    scope: str = ""
    generation: Generation | None = None
    lag: Lag = None
    open_door: bool = False
    takes: str = ""

    @property
    def only_reads(self) -> bool:
        """Whether it cannot change anything."""
        return self.lag is not None or self.methods == ("GET",) or ".READ" in self.scope


@dataclass(slots=True)
class Found:
    """The operation that a request asks for."""

    operation: Operation
    params: dict[str, str] = field(default_factory=dict)


class OperationTable:
    """Finds operations by method and path."""

    def __init__(self, operations: list[Operation]) -> None:
        self._exact: dict[tuple[str, str], Operation] = {}
        self._patterns: list[tuple[re.Pattern[str], Operation]] = []
        self.operations = operations
        for operation in operations:
            if "{" not in operation.path:
                for method in operation.methods:
                    self._exact[(method, operation.path)] = operation
                continue
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)
            self._patterns.append((re.compile(pattern), operation))

    def find(self, method: str, path: str) -> Found | None:
        operation = self._exact.get((method, path))
        if operation is not None:
            return Found(operation)
        for pattern, candidate in self._patterns:
            match = pattern.fullmatch(path) if method in candidate.methods else None
            if match is not None:
                return Found(candidate, match.groupdict())
        return None


def read_arguments(body: bytes, query_string: bytes) -> tuple[dict[str, Any], bool]:
    """The payload: a JSON body, else ``?.r=`` base64url JSON, else flattened query parameters.

    The second value says that it was flattened, so that everything in it is text. Raises WixRefusal for what
    cannot be read.
    """
    if body:
        return _read_json(body, "body"), False
    flat: dict[str, Any] = {}
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        if name == ".r":
            try:
                return _read_json(decode_token(value), ".r"), False
            except ValueError as error:
                raise validation_error(".r", "is not base64url", "FORMAT") from error
        _put(flat, name.split("."), value)
    return flat, True


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    """``query.cursorPaging.limit=5`` is a path of objects; a repeated name becomes a list."""
    for part in path[:-1]:
        inner = into.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        into = inner
    held = into.get(path[-1])
    if held is None:
        into[path[-1]] = value
    else:
        into[path[-1]] = [*held, value] if isinstance(held, list) else [held, value]


def _read_json(raw: bytes, name: str) -> dict[str, Any]:
    try:
        payload = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise validation_error(name, "is not valid JSON", "FORMAT") from error
    if not isinstance(payload, dict):
        raise validation_error(name, "must be a JSON object", "FORMAT")
    return payload


def header(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """A request header as text; empty when absent."""
    return headers.get(name, b"").decode("latin-1")
