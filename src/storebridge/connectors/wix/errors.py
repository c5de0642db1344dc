"""What each refusal of Wix means: one table from status and code to what to do, whose move it is, and a
sentence.

Wix declares no status per error and no code for a revision conflict (W1, W18), so statuses are matched first
and codes generously. A body that is not Wix's own JSON came from a proxy on the way: on a write nobody knows
what happened behind it.
"""

from __future__ import annotations

import msgspec

from storebridge.connectors.port import SCHEMA_DRIFT, Blame, CallTrouble, Remedy, RowOutcome

CATALOGUE_MISMATCH = "CATALOGUE_MISMATCH"
"""Our word for "this site's catalogue is of the other version": probe the version again (W18)."""
LONGEST_MESSAGE = 300


class Refusal(msgspec.Struct, frozen=True):
    """What a status other than 200 says, as far as its body can be read."""

    status: int
    code: str
    message: str
    from_wix: bool
    """Whether the body is Wix's own error JSON, and not a proxy's text."""


class RefusedCall(CallTrouble):
    """A CallTrouble that Wix answered: ``refusal`` is what it said, ``body`` the bytes for the journal."""

    refusal: Refusal
    body: bytes = b""


class Rule(msgspec.Struct, frozen=True):
    """One line of the table; the first that fits decides."""

    statuses: range
    words: tuple[str, ...]
    """Any of these in the code or the message, upper case; empty: whatever it says."""
    on_read: Remedy
    on_write: Remedy
    blame: Blame
    sentence: str
    proxy_too: bool = True
    """Whether a write may believe it although the body is not Wix's own."""
    code: str = ""
    """Our word, where it replaces the vendor's."""


def _only(status: int) -> range:
    return range(status, status + 1)


STALE_WORDS = ("REVISION", "ALREADY_CHANGED", "ALREADY CHANGED", "CONFLICT", "OUTDATED", "STALE")

TABLE: tuple[Rule, ...] = (
    Rule(range(300, 400), (), Remedy.STOP, Remedy.STOP, Blame.CONFIGURATION,
         "Wix answered with a redirect, which is never followed; check api_url"),
    Rule(_only(401), (), Remedy.RENEW_TOKEN, Remedy.RENEW_TOKEN, Blame.CREDENTIALS,
         "Wix does not accept the credentials; check the app secret or API key"),
    Rule(_only(403), (), Remedy.RENEW_TOKEN, Remedy.RENEW_TOKEN, Blame.CREDENTIALS,
         "Wix denies permission; grant the app or API key the missing permission on this site"),
    Rule(range(400, 500), ("CATALOG_V1", "CATALOG_V3", "CATALOG_VERSION"), Remedy.RETRY, Remedy.RETRY,
         Blame.CONFIGURATION, "the site's catalogue is of the other version", False, CATALOGUE_MISMATCH),
    Rule(_only(404), (), Remedy.STOP, Remedy.STOP, Blame.CONFIGURATION,
         "Wix knows no such thing; is Wix Stores installed on the site?"),
    Rule(_only(408), (), Remedy.RETRY, Remedy.UNKNOWN_OUTCOME, Blame.NETWORK, "Wix timed out"),
    Rule(_only(409), (), Remedy.RETRY, Remedy.RETRY, Blame.VENDOR,
         "something changed at Wix since it was read", False),
    Rule(_only(413), (), Remedy.STOP, Remedy.STOP, Blame.OURSELVES, "the request was too large for Wix"),
    Rule(_only(428), (), Remedy.STOP, Remedy.STOP, Blame.OURSELVES,
         "Wix refuses for a rule of its own", False),
    Rule(_only(429), (), Remedy.SLOW_DOWN, Remedy.SLOW_DOWN, Blame.VENDOR, "Wix's rate limit is reached"),
    Rule(range(400, 500), (), Remedy.STOP, Remedy.STOP, Blame.OURSELVES,
         "Wix does not accept the request", False),
    Rule(_only(501), (), Remedy.STOP, Remedy.STOP, Blame.VENDOR, "Wix does not offer this call", False),
    Rule(range(1000), (), Remedy.RETRY, Remedy.UNKNOWN_OUTCOME, Blame.VENDOR, "Wix failed"),
)  # fmt: skip


class RowRule(msgspec.Struct, frozen=True):
    """What a failed row of a bulk call means."""

    words: tuple[str, ...]
    outcome: RowOutcome


ROW_TABLE: tuple[RowRule, ...] = (
    RowRule(
        ("REQUESTED_QUANTITY", "_LIMIT_REACHED", "NOT_TRACKED", "PRE_ORDER", "INVALID_TARGET"),
        RowOutcome.REFUSED,
    ),
    RowRule(("NOT_FOUND",), RowOutcome.REFUSED),
    RowRule((*STALE_WORDS, "409"), RowOutcome.STALE),
    RowRule(("RESOURCE_EXHAUSTED", "TOO_MANY_REQUESTS", "429"), RowOutcome.NOT_TRIED),
    RowRule(("INTERNAL", "UNAVAILABLE", "TIMEOUT", "DEADLINE", "UNKNOWN", "ABORTED"), RowOutcome.UNCLEAR),
)


class _ApplicationError(msgspec.Struct, frozen=True):
    code: str | int | None = None
    description: str | None = None


class _FieldViolation(msgspec.Struct, frozen=True, rename="camel"):
    field: str | None = None
    description: str | None = None
    violated_rule: str | None = None
    rule_name: str | None = None


class _ValidationError(msgspec.Struct, frozen=True, rename="camel"):
    field_violations: list[_FieldViolation] = []


class _Details(msgspec.Struct, frozen=True, rename="camel"):
    application_error: _ApplicationError | None = None
    validation_error: _ValidationError | None = None


class _ErrorBody(msgspec.Struct, frozen=True):
    message: str | None = None
    details: _Details | None = None


def read_refusal(status: int, body: bytes) -> Refusal:
    """Code and message of an error body: ``{"message", "details": {"applicationError" |
    "validationError"}}``."""
    try:
        error = msgspec.json.decode(body, type=_ErrorBody)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Refusal(status, "", _clean(body[:LONGEST_MESSAGE].decode("utf-8", "replace")), False)
    if error.message is None and error.details is None:
        return Refusal(status, "", "", False)
    code, told = _from_details(error.details or _Details())
    return Refusal(status, code, _clean(told or error.message or ""), True)


def _from_details(details: _Details) -> tuple[str, str]:
    if details.application_error is not None:
        return str(details.application_error.code or ""), details.application_error.description or ""
    if details.validation_error is not None and details.validation_error.field_violations:
        first = details.validation_error.field_violations[0]
        code = first.rule_name or first.violated_rule or "VALIDATION"
        return code, f"{first.field or 'a field'}: {first.description or code}"
    return "", ""


def _clean(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text)[:LONGEST_MESSAGE].strip()


def trouble_from(refusal: Refusal, *, writes: bool, retry_after_seconds: float | None = None) -> RefusedCall:
    """The table's verdict on an answer that is not a success."""
    rule = next(rule for rule in TABLE if _fits(rule, refusal))
    remedy = rule.on_write if writes else rule.on_read
    if writes and not refusal.from_wix and not rule.proxy_too:
        remedy = Remedy.UNKNOWN_OUTCOME
    told = f": {refusal.message}" if refusal.message else ""
    trouble = RefusedCall(
        remedy,
        rule.blame,
        f"{rule.sentence} (status {refusal.status}{told})",
        code=rule.code or refusal.code,
        status=refusal.status,
        retry_after_seconds=retry_after_seconds,
    )
    trouble.refusal = refusal
    return trouble


def _fits(rule: Rule, refusal: Refusal) -> bool:
    return refusal.status in rule.statuses and (not rule.words or says(rule.words, refusal.code, refusal.message))


def says(words: tuple[str, ...], code: str, message: str) -> bool:
    """Whether any of the words stands in the code or the message."""
    told = f"{code} {message}".upper()
    return any(word in told for word in words)


def is_stale(refusal: Refusal) -> bool:
    """Whether a refused write lost a race: by status 409 (W1), or by its words should Wix answer 400 or
    428."""
    if not refusal.from_wix:
        return False
    return refusal.status == 409 or (
        refusal.status in (400, 412, 428) and says(STALE_WORDS, refusal.code, refusal.message)
    )


def row_outcome(code: str, message: str) -> RowOutcome:
    """What one failed row of an answered bulk call means; an unknown word is a refusal, never a success."""
    for rule in ROW_TABLE:
        if says(rule.words, code, ""):
            return rule.outcome
    return RowOutcome.STALE if says(STALE_WORDS, "", message) else RowOutcome.REFUSED


def drift(message: str, *, writes: bool = False) -> CallTrouble:
    """An answer that cannot be read: its effect is unknown on a write, and a read is tried again."""
    remedy = Remedy.UNKNOWN_OUTCOME if writes else Remedy.RETRY
    return CallTrouble(remedy, Blame.VENDOR, message, code=SCHEMA_DRIFT)
