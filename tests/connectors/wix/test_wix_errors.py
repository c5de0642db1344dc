"""What each refusal of Wix means for whoever has to act."""

from __future__ import annotations

import msgspec
import pytest

from storebridge.connectors.port import Blame, Remedy, RowOutcome
from storebridge.connectors.wix.errors import (
    CATALOGUE_MISMATCH,
    is_stale,
    read_refusal,
    row_outcome,
    trouble_from,
)

PROXY = b"upstream connect error or disconnect/reset before headers"


def body(code: str, description: str = "") -> bytes:
    error = {"applicationError": {"code": code, "description": description, "data": {}}}
    return msgspec.json.encode({"message": "", "details": error})


@pytest.mark.parametrize(
    ("status", "code", "on_read", "on_write", "blame"),
    [
        (302, "", Remedy.STOP, Remedy.STOP, Blame.CONFIGURATION),
        (400, "UNSUPPORTED_FILTER", Remedy.STOP, Remedy.STOP, Blame.OURSELVES),
        (401, "UNAUTHENTICATED", Remedy.RENEW_TOKEN, Remedy.RENEW_TOKEN, Blame.CREDENTIALS),
        (403, "PERMISSION_DENIED", Remedy.RENEW_TOKEN, Remedy.RENEW_TOKEN, Blame.CREDENTIALS),
        (404, "NOT_FOUND", Remedy.STOP, Remedy.STOP, Blame.CONFIGURATION),
        (408, "", Remedy.RETRY, Remedy.UNKNOWN_OUTCOME, Blame.NETWORK),
        (409, "ANY", Remedy.RETRY, Remedy.RETRY, Blame.VENDOR),
        (413, "", Remedy.STOP, Remedy.STOP, Blame.OURSELVES),
        (428, "SOME_RULE", Remedy.STOP, Remedy.STOP, Blame.OURSELVES),
        (429, "RESOURCE_EXHAUSTED", Remedy.SLOW_DOWN, Remedy.SLOW_DOWN, Blame.VENDOR),
        (500, "INTERNAL", Remedy.RETRY, Remedy.UNKNOWN_OUTCOME, Blame.VENDOR),
        (501, "UNIMPLEMENTED", Remedy.STOP, Remedy.STOP, Blame.VENDOR),
        (503, "UNAVAILABLE", Remedy.RETRY, Remedy.UNKNOWN_OUTCOME, Blame.VENDOR),
        (204, "", Remedy.RETRY, Remedy.UNKNOWN_OUTCOME, Blame.VENDOR),
        (100, "", Remedy.RETRY, Remedy.UNKNOWN_OUTCOME, Blame.VENDOR),
    ],
)
def test_status_decides_what_to_do_and_whose_move_it_is(
    status: int, code: str, on_read: Remedy, on_write: Remedy, blame: Blame
) -> None:
    refusal = read_refusal(status, body(code))

    read, write = trouble_from(refusal, writes=False), trouble_from(refusal, writes=True)

    assert (read.remedy, read.blame) == (on_read, blame)
    assert (write.remedy, write.blame) == (on_write, blame)
    assert (read.status, read.code) == (status, code)


@pytest.mark.parametrize("code", ["CATALOG_V1_SITE_CALLING_CATALOG_V3_API", "CATALOG_V3_SITE_CALLING_CATALOG_V1_API"])
@pytest.mark.parametrize("status", [428, 400, 404])
def test_a_catalogue_of_the_other_version_is_probed_again(code: str, status: int) -> None:
    trouble = trouble_from(read_refusal(status, body(code)), writes=True)

    assert (trouble.code, trouble.remedy) == (CATALOGUE_MISMATCH, Remedy.RETRY)


@pytest.mark.parametrize("status", [400, 409, 428, 500, 501, 502, 503, 504])
def test_a_proxys_text_says_nothing_about_what_a_write_did(status: int) -> None:
    assert trouble_from(read_refusal(status, PROXY), writes=True).remedy is Remedy.UNKNOWN_OUTCOME


@pytest.mark.parametrize("status", [401, 403, 413, 429])
def test_a_proxy_that_refuses_at_the_door_is_believed(status: int) -> None:
    assert trouble_from(read_refusal(status, b"<html>"), writes=True).remedy is not Remedy.UNKNOWN_OUTCOME


def test_a_lost_race_is_known_by_status_409_alone() -> None:
    assert is_stale(read_refusal(409, body("SOMETHING_WIX_NEVER_DECLARED")))
    assert not is_stale(read_refusal(409, PROXY))


@pytest.mark.parametrize("status", [400, 428])
def test_a_lost_race_is_known_by_its_words_should_the_status_differ(status: int) -> None:
    told = "entity has already changed since the requested revision"

    assert is_stale(read_refusal(status, body("FAILED_PRECONDITION", told)))
    assert not is_stale(read_refusal(status, body("FAILED_PRECONDITION", "preorder is not allowed")))


@pytest.mark.parametrize(
    ("code", "message", "outcome"),
    [
        ("INVALID_REVISION", "", RowOutcome.STALE),
        ("CONTACT_ALREADY_CHANGED", "", RowOutcome.STALE),
        ("CONFLICT", "", RowOutcome.STALE),
        ("409", "", RowOutcome.STALE),
        ("FAILED", "the item has already changed", RowOutcome.STALE),
        ("INVENTORY_QUANTITY_NOT_TRACKED", "", RowOutcome.REFUSED),
        ("NOT_FOUND", "", RowOutcome.REFUSED),
        ("INVENTORY_ITEM_NOT_FOUND", "", RowOutcome.REFUSED),
        ("MAX_QUANTITY_LIMIT_REACHED", "", RowOutcome.REFUSED),
        ("REQUESTED_QUANTITY_MUST_BE_NON_NEGATIVE_DECREASING", "", RowOutcome.REFUSED),
        ("PRE_ORDER_VALIDATION", "", RowOutcome.REFUSED),
        ("A_WORD_NOBODY_KNOWS", "", RowOutcome.REFUSED),
        ("RESOURCE_EXHAUSTED", "", RowOutcome.NOT_TRIED),
        ("INTERNAL", "", RowOutcome.UNCLEAR),
        ("UNKNOWN_ERROR", "", RowOutcome.UNCLEAR),
    ],
)
def test_a_failed_row_of_a_bulk_call(code: str, message: str, outcome: RowOutcome) -> None:
    assert row_outcome(code, message) is outcome


def test_a_validation_error_names_the_field() -> None:
    violation = {"field": "query.filter", "description": "not filterable", "violatedRule": "OTHER"}
    told = {"message": "bad", "details": {"validationError": {"fieldViolations": [violation]}}}

    refusal = read_refusal(400, msgspec.json.encode(told))

    assert (refusal.code, refusal.message) == ("OTHER", "query.filter: not filterable")


@pytest.mark.parametrize("junk", [b"", b"[]", b"{}", b"null", b"[" * 100_000, b"\xff\xfe", b'{"message":1}'])
def test_an_unreadable_error_body_is_not_taken_for_wixs_word(junk: bytes) -> None:
    refusal = read_refusal(500, junk)

    assert not refusal.from_wix
    assert trouble_from(refusal, writes=True).remedy is Remedy.UNKNOWN_OUTCOME


def test_a_message_cannot_break_a_log_line() -> None:
    refusal = read_refusal(400, body("X", "first\nsecond\x1b[31m" + "z" * 5000))

    assert "\n" not in refusal.message
    assert "\x1b" not in refusal.message
    assert len(refusal.message) <= 300
