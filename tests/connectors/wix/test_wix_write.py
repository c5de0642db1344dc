"""Stock writes: exact bytes, guarded by revisions, answered row by row."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from wix_answers import V1, VERSION, HandClock, ScriptedWire, answer, app_error, connect

from storebridge.connectors.http import NoAnswer, NotSent
from storebridge.connectors.port import (
    Blame,
    CallAnswer,
    CallTrouble,
    EncodedCall,
    Remedy,
    RowAnswer,
    RowOutcome,
    StockWrite,
    WriteStyle,
)
from storebridge.connectors.wix.errors import CATALOGUE_MISMATCH
from storebridge.connectors.wix.write import encode_stock_call
from storebridge.connectors.wix.write_v1 import encode_blind_call
from storebridge.model.ids import IntentId, ItemId, LocationId

UPDATE = "/stores/v3/bulk/inventory-items/update"
MISMATCH = "CATALOG_V1_SITE_CALLING_CATALOG_V3_API"


def write(number: int, **changes: object) -> StockWrite:
    row = StockWrite(
        intent_id=IntentId(f"intent-{number}"),
        item_id=ItemId(f"product:variant-{number}"),
        location_id=LocationId("loc-1"),
        from_level=5,
        to_level=number,
        version="7",
        native_id=f"item-{number}",
    )
    return msgspec.structs.replace(row, **changes)


def encoded(*rows: StockWrite) -> EncodedCall:
    return encode_stock_call(rows or (write(1), write(2), write(3)))


def result(index: int, *, error: str | None = None, told: str = "", **item: object) -> dict[str, object]:
    metadata: dict[str, object] = {
        "id": f"item-{index + 1}",
        "originalIndex": index,
        "success": error is None,
    }
    if error is not None:
        metadata["error"] = {"code": error, "description": told}
        return {"itemMetadata": metadata}
    return {"itemMetadata": metadata, "item": {**ITEM, "id": f"item-{index + 1}", **item}}


ITEM = {"productId": "product", "variantId": "variant", "locationId": "loc-1", "trackQuantity": True}


def send(*answers: object, call: EncodedCall | None = None, version: object = None) -> CallAnswer:
    wire = ScriptedWire()
    wire.on(UPDATE, *answers)  # type: ignore[arg-type]
    if version is not None:
        wire.on(VERSION, answer(version))
    return asyncio.run(connect(wire).send_stock_call(call or encoded()))


def outcomes(given: CallAnswer) -> list[RowOutcome]:
    return [row.outcome for row in given.rows]


def test_the_bytes_carry_level_and_revision_of_each_row_in_order() -> None:
    call = connect(ScriptedWire()).encode_stock_call([write(2), write(1)], "key-1", "storebridge:call-1")

    assert msgspec.json.decode(call.body) == {
        "inventoryItems": [
            {"inventoryItem": {"id": "item-2", "revision": "7", "quantity": 2}},
            {"inventoryItem": {"id": "item-1", "revision": "7", "quantity": 1}},
        ],
        "returnEntity": True,
        "reason": "MANUAL",
    }
    assert (call.method, call.path, call.key) == ("POST", UPDATE, "")
    assert call.intents == ("intent-2", "intent-1")
    assert call == connect(ScriptedWire()).encode_stock_call([write(2), write(1)], "key-2", "")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [write(1, version=None)],
        [write(1, native_id=None)],
        [write(1, activate=True)],
        [write(1, as_adjustment=True)],
        [write(1), write(1)],
        [write(number) for number in range(1001)],
    ],
    ids=["none", "no revision", "no id", "activation", "adjustment", "twice", "too many"],
)
def test_rows_that_could_not_be_guarded_are_never_encoded(rows: list[StockWrite]) -> None:
    with pytest.raises(ValueError):
        encode_stock_call(rows)


def test_the_very_bytes_of_the_journal_are_sent() -> None:
    wire = ScriptedWire()
    wire.on(UPDATE, answer({"results": [result(0)]}))
    call = msgspec.structs.replace(encoded(write(1)), body=encoded(write(1)).body + b" ")

    asyncio.run(connect(wire).send_stock_call(call))

    assert [request.body for request in wire.sent(UPDATE)] == [call.body]


def test_each_row_is_answered_by_itself() -> None:
    given = send(
        answer(
            {
                "results": [
                    result(2, error="NOT_FOUND", told="no such item"),
                    result(0, quantity=1, revision="8"),
                    result(1, error="INVALID_REVISION"),
                ],
                "bulkActionMetadata": {"totalSuccesses": 1, "totalFailures": 2, "undetailedFailures": 0},
            }
        )
    )

    assert given.rows == (
        RowAnswer(IntentId("intent-1"), RowOutcome.APPLIED, level=1, version="8"),
        RowAnswer(IntentId("intent-2"), RowOutcome.STALE, "INVALID_REVISION"),
        RowAnswer(IntentId("intent-3"), RowOutcome.REFUSED, "NOT_FOUND", "no such item"),
    )
    assert given.status == 200


@pytest.mark.parametrize(
    "results",
    [
        [result(0), result(2)],
        [result(0), result(1), result(1), result(2)],
        [result(0), {"itemMetadata": {"id": "item-9", "originalIndex": 1, "success": True}}, result(2)],
        [result(0), result(7), result(2)],
    ],
    ids=["left out", "told twice", "another item", "out of range"],
)
def test_a_row_that_the_answer_does_not_settle_is_unclear_and_never_applied(results: list[object]) -> None:
    assert outcomes(send(answer({"results": results}))) == [
        RowOutcome.APPLIED,
        RowOutcome.UNCLEAR,
        RowOutcome.APPLIED,
    ]


def test_success_without_the_entity_is_applied_without_a_level() -> None:
    told = {"itemMetadata": {"originalIndex": 0, "success": True}}

    assert send(answer({"results": [told]}), call=encoded(write(1))).rows == (
        RowAnswer(IntentId("intent-1"), RowOutcome.APPLIED),
    )


def test_a_409_for_the_whole_call_makes_every_row_stale() -> None:
    assert outcomes(send(app_error("ANYTHING", 409))) == [RowOutcome.STALE] * 3


@pytest.mark.parametrize("status", [400, 428])
def test_a_rule_against_the_call_is_our_own_doing_so_that_the_courier_halves_it(status: int) -> None:
    with pytest.raises(CallTrouble) as caught:
        send(app_error("REQUESTED_QUANTITY_MUST_BE_NON_NEGATIVE_DECREASING", status))

    assert (caught.value.remedy, caught.value.blame) == (Remedy.STOP, Blame.OURSELVES)


@pytest.mark.parametrize(
    ("lost", "remedy"),
    [
        (NotSent("no route"), Remedy.RETRY),
        (NoAnswer("timed out"), Remedy.UNKNOWN_OUTCOME),
        (answer("upstream connect error", 503), Remedy.UNKNOWN_OUTCOME),
        (app_error("INTERNAL", 500), Remedy.UNKNOWN_OUTCOME),
        (answer("<html>", 400), Remedy.UNKNOWN_OUTCOME),
        (answer("<html>", 200), Remedy.UNKNOWN_OUTCOME),
        (answer({}, 200), Remedy.UNKNOWN_OUTCOME),
        (answer({"results": []}, 202), Remedy.UNKNOWN_OUTCOME),
        (answer({}, 429), Remedy.SLOW_DOWN),
        (app_error("PERMISSION_DENIED", 403), Remedy.STOP),
        (app_error("NOT_FOUND", 404), Remedy.STOP),
    ],
)
def test_a_call_without_a_usable_answer_says_whether_it_may_have_landed(lost: object, remedy: Remedy) -> None:
    with pytest.raises(CallTrouble) as caught:
        send(lost)

    assert caught.value.remedy is remedy


def test_a_write_refused_only_for_its_token_is_sent_again() -> None:
    given = send(app_error("UNAUTHENTICATED", 401), answer({"results": [result(0)]}), call=encoded(write(1)))

    assert outcomes(given) == [RowOutcome.APPLIED]


def test_bytes_made_for_v3_are_not_sent_to_a_v1_site() -> None:
    wire = ScriptedWire()
    wire.on(VERSION, answer(V1))
    connector = connect(wire)

    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connector.send_stock_call(encoded()))

    assert (caught.value.remedy, caught.value.code) == (Remedy.RETRY, "CATALOGUE_CHANGED")
    assert wire.sent(UPDATE) == []
    assert connector.capabilities.write_style is WriteStyle.BLIND


@pytest.mark.parametrize(
    ("levels", "path", "row"),
    [
        ((5, 3), "/stores/v2/inventoryItems/decrement", {"decrementBy": 2}),
        ((0, 4), "/stores/v2/inventoryItems/increment", {"incrementBy": 4}),
    ],
)
def test_a_v1_site_is_sent_a_single_difference(levels: tuple[int, int], path: str, row: dict[str, int]) -> None:
    writes = [
        StockWrite(IntentId(name), ItemId("p1:v1"), LocationId("default"), *levels, version="2026-03-02T09:00:00.000Z")
        for name in ("i-1", "i-2")
    ]
    call = encode_blind_call(writes)
    (verb,) = row
    assert (call.path, call.key, call.intents) == (path, "", ("i-1",))
    assert msgspec.json.decode(call.body) == {
        f"{verb.removesuffix('By')}Data": [{"productId": "p1", "variantId": "v1", **row, "preorderRequest": False}]
    }


def test_a_v1_call_keeps_its_style_whatever_the_site_has_become() -> None:
    connector = connect(ScriptedWire())
    assert connector.capabilities.write_style is WriteStyle.REVISION
    assert connector.style_of("decrementInventory") is WriteStyle.BLIND
    assert connector.style_of("bulkUpdateInventoryItems") is WriteStyle.REVISION


def test_a_difference_of_nothing_is_no_call() -> None:
    same = StockWrite(IntentId("i"), ItemId("p1:v1"), LocationId("default"), 3, 3)
    for writes in ([], [same]):
        with pytest.raises(ValueError, match="V1 site takes"):
            encode_blind_call(writes)


def test_a_write_that_finds_the_catalogue_changed_asks_for_the_version_again() -> None:
    wire, clock = ScriptedWire(), HandClock()
    wire.on(UPDATE, app_error(MISMATCH, 428))
    connector = connect(wire, clock)

    async def twice() -> list[CallTrouble]:
        troubles = []
        for _ in range(2):
            try:
                await connector.send_stock_call(encoded())
            except CallTrouble as trouble:
                troubles.append(trouble)
            wire.on(VERSION, answer(V1))
        return troubles

    first, second = asyncio.run(twice())

    assert (first.code, first.remedy) == (CATALOGUE_MISMATCH, Remedy.RETRY)
    assert (second.code, second.remedy) == ("CATALOGUE_CHANGED", Remedy.RETRY)
    assert len(wire.sent(UPDATE)) == 1


def test_a_long_answer_is_cut_for_the_journal() -> None:
    given = send(answer({"results": [result(0)], "padding": "x" * 100_000}), call=encoded(write(1)))

    assert len(given.body) == 64 * 1024
    assert outcomes(given) == [RowOutcome.APPLIED]
