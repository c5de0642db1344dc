"""Shopify's refusals, judged: whose move it is and what to do.

Most trouble comes with status 200 and a list of ``errors``; what a business rule refuses comes as ``userErrors`` of a
mutation, with a code in the row's own enum (S1).
"""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.connectors.port import Blame, CallTrouble, Remedy, RowOutcome

SCHEMA_DRIFT = "SCHEMA_DRIFT"


class TopError(msgspec.Struct, frozen=True):
    """One of the top-level ``errors``."""

    message: str = ""
    extensions: dict[str, Any] = {}

    @property
    def code(self) -> str:
        return str(self.extensions.get("code", ""))


class UserError(msgspec.Struct, frozen=True):
    """One of a mutation's ``userErrors``; ``field`` is a path into the variables."""

    message: str = ""
    field: list[str] | None = None
    code: str | None = None


STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
IN_PROGRESS = frozenset({"IDEMPOTENCY_CONCURRENT_REQUEST"})
KEY_BURNT = frozenset({"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"})
STALE_WORDS = ("does not match persisted value", "no longer matches the persisted quantity")


def row_outcome(error: UserError) -> RowOutcome:
    """What a userError that names a row means for that row."""
    if error.code in STALE or any(words in error.message for words in STALE_WORDS):
        return RowOutcome.STALE
    return RowOutcome.REFUSED


def trouble_of_status(operation: str, status: int, *, writes: bool, retry_after_seconds: float | None) -> CallTrouble:
    """An answer whose status is not 200."""
    if status == 429:
        return CallTrouble(
            Remedy.SLOW_DOWN,
            Blame.OURSELVES,
            f"Shopify refused {operation} for its rate",
            code="429",
            status=status,
            retry_after_seconds=retry_after_seconds,
        )
    if status in (401, 403):
        return CallTrouble(
            Remedy.STOP,
            Blame.CREDENTIALS,
            f"Shopify refuses our access token for {operation} (status {status}): install the app again",
            code=str(status),
            status=status,
        )
    if status in (402, 404, 423):
        told = {402: "the shop is frozen", 404: "the shop's address is not known", 423: "the shop is locked"}[status]
        message = f"Shopify does not take {operation}: {told} (status {status})"
        return CallTrouble(Remedy.STOP, Blame.CONFIGURATION, message, code=str(status), status=status)
    remedy = Remedy.UNKNOWN_OUTCOME if writes else Remedy.RETRY
    message = f"Shopify answered {operation} with status {status}"
    return CallTrouble(remedy, Blame.VENDOR, message, code=str(status), status=status)


def trouble_of_errors(
    operation: str, errors: list[TopError], *, writes: bool, retry_after_seconds: float | None
) -> CallTrouble:
    """An answer of status 200 with top-level errors."""
    first = errors[0]
    told = f"Shopify refused {operation}: {first.message[:300]}"
    if first.code == "THROTTLED":
        return CallTrouble(
            Remedy.SLOW_DOWN,
            Blame.OURSELVES,
            told,
            code=first.code,
            status=200,
            retry_after_seconds=retry_after_seconds,
        )
    if first.code == "ACCESS_DENIED":
        return CallTrouble(Remedy.STOP, Blame.CREDENTIALS, f"{told} (grant the scope)", code=first.code, status=200)
    if first.code in IN_PROGRESS:
        return CallTrouble(Remedy.UNKNOWN_OUTCOME, Blame.VENDOR, told, code=first.code, status=200)
    if first.code in ("INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"):
        remedy = Remedy.UNKNOWN_OUTCOME if writes else Remedy.RETRY
        return CallTrouble(remedy, Blame.VENDOR, told, code=first.code, status=200)
    return CallTrouble(Remedy.STOP, Blame.OURSELVES, told, code=first.code or "GRAPHQL", status=200)


def drift(message: str, *, writes: bool = False) -> CallTrouble:
    """An answer that cannot be read: its effect is unknown on a write, and a read is tried again."""
    remedy = Remedy.UNKNOWN_OUTCOME if writes else Remedy.RETRY
    return CallTrouble(remedy, Blame.VENDOR, message, code=SCHEMA_DRIFT)
