"""Bulk operations of the app and the files that they read and write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from storebridge_sandbox.shopify.ids import Numbers, number_of
from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.quirks import ShopifyOptions

ACTIVE = ("CREATED", "RUNNING", "CANCELING")
RESULTS_KEPT = timedelta(days=7)
Execute = Callable[[str, dict[str, Any], str], dict[str, Any]]


@dataclass(slots=True)
class BulkOperation:
    """One job; ``output`` is its JSONL once it is done."""

    graphql_type: ClassVar[str] = "BulkOperation"
    id: str
    kind: str
    query: str
    version: str
    created_at: datetime
    upload: str = ""
    status: str = "CREATED"
    cancelled_at: datetime | None = None
    completed_at: datetime | None = None
    objects: int = 0
    roots: int = 0
    output: str | None = None
    partial: bool = False
    error_code: str | None = None


class BulkOperations:
    """All jobs. ``execute(text, variables, version)`` runs one request in the store; ``finished`` announces."""

    def __init__(
        self,
        numbers: Numbers,
        now: Callable[[], datetime],
        options: ShopifyOptions,
        execute: Execute,
        finished: Callable[[BulkOperation], None],
    ) -> None:
        self._numbers = numbers
        self._now = now
        self._options = options
        self._execute = execute
        self._finished = finished
        self.all: dict[str, BulkOperation] = {}
        self.uploads: dict[str, str | None] = {}
        """What was uploaded under each staged key; None while nothing was."""

    def start(self, kind: str, text: str, version: str, upload: str = "") -> BulkOperation | UserError:
        """A new job, unless too many run: five of a kind since 2026-01, one before."""
        self.catch_up()
        running = [one.id for one in self.all.values() if one.kind == kind and one.status in ACTIVE]
        most = 5 if version >= "2026-01" else 1
        if len(running) >= most:
            word = kind.lower()
            told = f"A bulk {word} operation for this app and shop is already in progress: {', '.join(running)}."
            return UserError(None, told, "OPERATION_IN_PROGRESS")
        made = BulkOperation(self._numbers.new("BulkOperation"), kind, text, version, self._now(), upload)
        self.all[made.id] = made
        return made

    def cancel(self, operation: BulkOperation) -> bool:
        """Whether it still could be stopped."""
        self.catch_up()
        if operation.status not in ("CREATED", "RUNNING"):
            return False
        operation.status, operation.cancelled_at = "CANCELING", self._now()
        return True

    def latest(self, kind: str) -> BulkOperation | None:
        self.catch_up()
        return next((one for one in reversed(self.all.values()) if one.kind == kind), None)

    def catch_up(self) -> None:
        """Bring every job to where it is by now; a job does its work when its time is over."""
        now = self._now()
        for one in list(self.all.values()):
            age = (now - one.created_at).total_seconds()
            if one.status == "CANCELING" and one.cancelled_at is not None:
                if (now - one.cancelled_at).total_seconds() >= 1.0:
                    one.status, one.completed_at = "CANCELED", one.cancelled_at + timedelta(seconds=1)
                    self._finished(one)
            elif one.status in ("CREATED", "RUNNING"):
                one.status = "RUNNING" if age >= 1.0 else "CREATED"
                if age >= self._options.bulk_seconds:
                    self._finish(one)

    def _finish(self, one: BulkOperation) -> None:
        one.status = "COMPLETED"
        one.completed_at = one.created_at + timedelta(seconds=self._options.bulk_seconds)
        lines = list(self._mutated(one) if one.kind == "MUTATION" else self._queried(one))
        one.objects = len(lines)
        one.roots = sum("__parentId" not in line for line in lines)
        if lines:
            one.output = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines)
        self._finished(one)

    def _mutated(self, one: BulkOperation) -> Iterator[dict[str, Any]]:
        """One line of answer for each line of variables."""
        for number, line in enumerate((self.uploads.get(one.upload) or "").splitlines()):
            if not line.strip():
                continue
            try:
                variables = json.loads(line)
            except ValueError:
                yield {"errors": [{"message": "The line is no valid JSON."}], "__lineNumber": number}
                continue
            yield {**self._execute(one.query, variables, one.version), "__lineNumber": number}

    def _queried(self, one: BulkOperation) -> Iterator[dict[str, Any]]:
        answer = self._execute(one.query, {}, one.version)
        if answer.get("errors"):
            one.status, one.error_code = "FAILED", "ACCESS_DENIED"
            return
        for value in (answer.get("data") or {}).values():
            yield from _rows(value, None)


def _rows(value: Any, parent: str | None) -> Iterator[dict[str, Any]]:
    """The nodes of a connection, each followed by those of the connections inside it."""
    if not isinstance(value, dict):
        return
    if "edges" not in value:
        for inner in value.values():
            yield from _rows(inner, parent)
        return
    for edge in value["edges"]:
        node = edge["node"]
        plain, nested = _apart(node)
        yield plain if parent is None else {**plain, "__parentId": parent}
        for inner in nested:
            yield from _rows(inner, node.get("id"))


def _apart(node: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """A node without its connections, and the connections."""
    plain: dict[str, Any] = {}
    nested: list[Any] = []
    for key, value in node.items():
        if isinstance(value, dict) and "edges" in value:
            nested.append(value)
        elif isinstance(value, dict):
            plain[key], inner = _apart(value)
            nested += inner
        else:
            plain[key] = value
    return plain, nested


def finish_payload(one: BulkOperation) -> dict[str, Any]:
    """``bulk_operations/finish``."""
    return {
        "admin_graphql_api_id": one.id,
        "completed_at": one.completed_at.strftime("%Y-%m-%dT%H:%M:%SZ") if one.completed_at else None,
        "created_at": one.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "error_code": one.error_code.lower() if one.error_code else None,
        "status": one.status.lower(),
        "type": one.kind.lower(),
    }


def file_name(one: BulkOperation) -> str:
    return f"{number_of(one.id)}.jsonl"
