"""Shopify's refusals, judged: whose move it is and what to do.

Most trouble comes with status 200 and a list of ``errors``; what a business rule refuses comes as ``userErrors`` of a
mutation, with a code in the row's own enum (S1).
"""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.connectors.port import SCHEMA_DRIFT, Blame, CallTrouble, Remedy, RowOutcome

MAX_COST_EXCEEDED = "MAX_COST_EXCEEDED"
"""A single query may cost 1000 points, whatever the bucket holds."""
STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
STALE_WORDS = (
    "does not match persisted value",
    "no longer matches the persisted quantity",
    "already active at the location",
)
"""Where no code tells it (S1, and activations never have one): what was read is not what is."""
IN_PROGRESS = "IDEMPOTENCY_CONCURRENT_REQUEST"
BUSY = frozenset({IN_PROGRESS, "SERVICE_UNAVAILABLE"})
KEY_BURNT = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
KEY_MISMATCH = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
KEY_WORDS = {
    "request is currently in progress": IN_PROGRESS,
    "previous request with this idempotency key failed": KEY_BURNT,
    "cannot be used with different operation parameters": KEY_MISMATCH,
}
"""Activations tell trouble with a key by its sentence alone (S7)."""


class TopError(msgspec.Struct, frozen=True):
    """One of the top-level ``errors``."""

    message: str = ""
    extensions: dict[str, Any] = {}

    @property
    def code(self) -> str:
        """Shopify's word for it; from the sentence where only that tells of trouble with a key."""
        told = str(self.extensions.get("code", ""))
        return next((code for words, code in KEY_WORDS.items() if words in self.message), told)


class UserError(msgspec.Struct, frozen=True):
    """One of a mutation's ``userErrors``; ``field`` is a path into the variables."""

    message: str = ""
    field: list[str] | None = None
    code: str | None = None


def row_outcome(error: UserError) -> RowOutcome:
    """What a userError means for the row that it is about.

    A key whose only row failed before changed nothing then and changes nothing now; of several ``rows_of`` judges. One
    that Shopify knows with other parameters says that some call of that key was carried out, and not which.
    """
    if error.code in STALE or any(words in error.message for words in STALE_WORDS):
        return RowOutcome.STALE
    if error.code == KEY_BURNT:
        return RowOutcome.NOT_TRIED
    return RowOutcome.UNCLEAR if error.code == KEY_MISMATCH else RowOutcome.REFUSED


def coded(error: UserError) -> UserError:
    """The error with the code that its sentence stands for, where it has none."""
    if error.code is not None:
        return error
    code = next((code for words, code in KEY_WORDS.items() if words in error.message), None)
    return error if code is None else msgspec.structs.replace(error, code=code)


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
    message = f"Shopify answered {operation} with status {status}"
    if 300 <= status < 400:
        message = f"{message}, a redirect, which is never followed; check shop and api_url"
        return CallTrouble(Remedy.STOP, Blame.CONFIGURATION, message, code=str(status), status=status)
    if status in (400, 405, 406, 413, 414, 415, 422):
        return CallTrouble(Remedy.STOP, Blame.OURSELVES, message, code=str(status), status=status)
    remedy = Remedy.UNKNOWN_OUTCOME if writes else Remedy.RETRY
    return CallTrouble(remedy, Blame.VENDOR, message, code=str(status), status=status)


def trouble_of_errors(
    operation: str, errors: list[TopError], *, writes: bool, retry_after_seconds: float | None
) -> CallTrouble:
    """An answer of status 200 with top-level errors; the first that has a code decides."""
    first = next((error for error in errors if error.code), errors[0])
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
    if first.code == "SHOP_INACTIVE":
        return CallTrouble(Remedy.STOP, Blame.CONFIGURATION, told, code=first.code, status=200)
    if first.code in BUSY or first.code in ("INTERNAL_SERVER_ERROR", "TIMEOUT"):
        remedy = Remedy.UNKNOWN_OUTCOME if writes else Remedy.RETRY
        return CallTrouble(remedy, Blame.VENDOR, told, code=first.code, status=200)
    return CallTrouble(Remedy.STOP, Blame.OURSELVES, told, code=first.code or "GRAPHQL", status=200)


def drift(message: str, *, writes: bool = False) -> CallTrouble:
    """An answer that cannot be read: its effect is unknown on a write, and a read is tried again."""
    remedy = Remedy.UNKNOWN_OUTCOME if writes else Remedy.RETRY
    return CallTrouble(remedy, Blame.VENDOR, message, code=SCHEMA_DRIFT)
