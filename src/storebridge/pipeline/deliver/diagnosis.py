"""What a call's trouble says about its store: how it is, and which case tells a person. Pure."""

from __future__ import annotations

from storebridge.connectors.port import SCHEMA_DRIFT, TOKEN_REFRESH, Blame, CallTrouble, Remedy
from storebridge.exceptions_queue.reasons import Reason

MENDED_BY_AN_ANSWER = (
    Reason.STORE_UNREACHABLE,
    Reason.CALLS_REFUSED,
    Reason.CREDENTIALS_REFUSED,
    Reason.TOKEN_REFRESH_FAILED,
)
"""Cases that any answered call closes."""


def diagnose(trouble: CallTrouble) -> tuple[str, Reason | None]:
    """The store's health (empty: this trouble does not tell) and the reason of the case, if a person must know."""
    if trouble.code == TOKEN_REFRESH:
        return "unauthorized", Reason.TOKEN_REFRESH_FAILED
    if trouble.blame is Blame.CREDENTIALS:
        return "unauthorized", Reason.CREDENTIALS_REFUSED
    if trouble.code == SCHEMA_DRIFT:
        return "", Reason.SCHEMA_DRIFT
    if trouble.remedy is Remedy.SLOW_DOWN:
        return "slow", None
    if trouble.blame in (Blame.NETWORK, Blame.VENDOR):
        return "down", Reason.STORE_UNREACHABLE
    if trouble.remedy is Remedy.STOP:
        return "refusing", Reason.CALLS_REFUSED
    return "", None


def counts_against_the_store(trouble: CallTrouble) -> bool:
    """Whether it counts for the circuit breaker: the next call would fare no better. An answer that cannot be read is
    an answer; a shop that is frozen or knows us no more is as good as down."""
    if trouble.remedy is Remedy.SLOW_DOWN or trouble.code == SCHEMA_DRIFT:
        return False
    if trouble.blame in (Blame.NETWORK, Blame.VENDOR):
        return True
    return trouble.remedy is Remedy.STOP and trouble.blame is not Blame.OURSELVES
