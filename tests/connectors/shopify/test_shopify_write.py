"""Stock writes: exact bytes, one key per call, answered row by row."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from shopify_answers import GRAPHQL_PATH, THROTTLED, ScriptedWire, answer, connect, data, top_error

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
from storebridge.connectors.shopify.write import ACTIVATE, ADJUST, SET, encode_stock_call
from storebridge.model.ids import IntentId, ItemId, LocationId

STALE_SET = "The changeFromQuantity value does not match persisted value."
APPLIED, STALE = RowOutcome.APPLIED, RowOutcome.STALE
NOT_TRIED, REFUSED, UNCLEAR = RowOutcome.NOT_TRIED, RowOutcome.REFUSED, RowOutcome.UNCLEAR


def write(number: int, **changes: Any) -> StockWrite:
    row = StockWrite(
        intent_id=IntentId(f"intent-{number}"),
        item_id=ItemId(f"gid://shopify/InventoryItem/{number}"),
        location_id=LocationId("gid://shopify/Location/7"),
        from_level=5,
        to_level=number,
    )
    return msgspec.structs.replace(row, **changes)


def encoded(*rows: StockWrite) -> EncodedCall:
    return encode_stock_call(rows or (write(1), write(2), write(3)), "key-1", "call_1")


def error(code: str | None, message: str = "", row: int | None = None) -> dict[str, object]:
    told: dict[str, object] = {"message": message, "field": None}
    if row is not None:
        told["field"] = ["input", "quantities", str(row), "changeFromQuantity"]
    return told if code is None else {**told, "code": code}


def stock(*errors: dict[str, object], group: bool | None = None) -> Any:
    done = not errors if group is None else group
    changed = {"id": "gid://shopify/InventoryAdjustmentGroup/1"} if done else None
    return data(stock={"inventoryAdjustmentGroup": changed, "userErrors": list(errors)})


def send(given: Any, call: EncodedCall | None = None) -> CallAnswer:
    wire = ScriptedWire()
    sent = call or encoded()
    wire.on(sent.operation, given)
    return asyncio.run(connect(wire).send_stock_call(sent))


def outcomes(given: CallAnswer) -> list[RowOutcome]:
    return [row.outcome for row in given.rows]


def trouble(given: Any, call: EncodedCall | None = None) -> CallTrouble:
    with pytest.raises(CallTrouble) as caught:
        send(given, call)
    return caught.value


def test_a_level_is_set_with_its_compare_value_and_a_key() -> None:
    call = encoded(write(1), write(2, from_level=0, to_level=-3))
    assert call.operation == "inventorySetQuantities"
    assert (call.method, call.path, call.key) == ("POST", GRAPHQL_PATH, "key-1")
    assert call.intents == ("intent-1", "intent-2")
    where = "gid://shopify/Location/7"
    assert msgspec.json.decode(call.body) == {
        "query": SET.document,
        "variables": {
            "input": {
                "name": "available",
                "reason": "correction",
                "referenceDocumentUri": "storebridge://call/call_1",
                "quantities": [
                    {
                        "inventoryItemId": "gid://shopify/InventoryItem/1",
                        "locationId": where,
                        "quantity": 1,
                        "changeFromQuantity": 5,
                    },
                    {
                        "inventoryItemId": "gid://shopify/InventoryItem/2",
                        "locationId": where,
                        "quantity": -3,
                        "changeFromQuantity": 0,
                    },
                ],
            },
            "key": "key-1",
        },
    }
    assert "@idempotent(key: $key)" in SET.document


def test_an_adjustment_is_a_difference_and_opts_out_of_the_compare_value() -> None:
    body = msgspec.json.decode(encoded(write(2, as_adjustment=True)).body)
    assert body["query"] == ADJUST.document
    assert body["variables"]["input"]["changes"] == [
        {
            "inventoryItemId": "gid://shopify/InventoryItem/2",
            "locationId": "gid://shopify/Location/7",
            "delta": -3,
            "changeFromQuantity": None,
        }
    ]


def test_an_activation_stands_alone() -> None:
    body = msgspec.json.decode(encoded(write(4, activate=True)).body)
    assert body == {
        "query": ACTIVATE.document,
        "variables": {
            "item": "gid://shopify/InventoryItem/4",
            "location": "gid://shopify/Location/7",
            "available": 4,
            "key": "key-1",
        },
    }
    with pytest.raises(ValueError, match="stands alone"):
        encoded(write(1, activate=True), write(2, activate=True))


def test_kinds_never_share_a_call_and_a_call_has_rows() -> None:
    with pytest.raises(ValueError, match="never share a call"):
        encoded(write(1), write(2, as_adjustment=True))
    with pytest.raises(ValueError, match="takes 1 to 100 rows, not 0"):
        encode_stock_call((), "key", "call")
    with pytest.raises(ValueError, match="takes 1 to 100 rows, not 101"):
        encode_stock_call([write(n) for n in range(101)], "key", "call")


def test_the_same_writes_are_the_same_bytes() -> None:
    assert encoded().body == encoded().body


def test_the_bytes_go_out_as_they_were_journaled() -> None:
    wire = ScriptedWire()
    wire.on("inventorySetQuantities", stock())
    call = encoded()
    given = asyncio.run(connect(wire).send_stock_call(call))
    assert [request.body for request in wire.sent("inventorySetQuantities")] == [call.body]
    assert given.rows == tuple(RowAnswer(intent, APPLIED) for intent in call.intents)
    assert given.status == 200


def test_nothing_to_change_is_applied_although_no_group_is_made() -> None:
    assert outcomes(send(stock(group=False))) == [APPLIED, APPLIED, APPLIED]


def test_a_stale_row_refuses_the_others_untried() -> None:
    given = send(stock(error("CHANGE_FROM_QUANTITY_STALE", STALE_SET, row=1)))
    assert given.rows == (
        RowAnswer(IntentId("intent-1"), NOT_TRIED, "WHOLE_CALL_REFUSED"),
        RowAnswer(IntentId("intent-2"), STALE, "CHANGE_FROM_QUANTITY_STALE", STALE_SET),
        RowAnswer(IntentId("intent-3"), NOT_TRIED, "WHOLE_CALL_REFUSED"),
    )


def test_a_stale_row_without_a_code_is_known_by_its_sentence() -> None:
    assert outcomes(send(stock(error(None, STALE_SET, row=0)))) == [STALE, NOT_TRIED, NOT_TRIED]


def test_a_stale_call_that_names_no_row_makes_every_row_stale() -> None:
    assert outcomes(send(stock(error("CHANGE_FROM_QUANTITY_STALE", STALE_SET)))) == [STALE, STALE, STALE]


def test_rows_beside_a_stale_one_are_unclear_when_something_was_changed() -> None:
    given = send(stock(error("CHANGE_FROM_QUANTITY_STALE", STALE_SET, row=1), group=True))
    assert outcomes(given) == [UNCLEAR, STALE, UNCLEAR]
    assert given.rows[0].code == "PERHAPS_DONE_IN_PART"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("INVALID_INVENTORY_ITEM", REFUSED),
        ("NON_MUTABLE_INVENTORY_ITEM", REFUSED),
        ("INVALID_QUANTITY_TOO_HIGH", REFUSED),
        ("A_CODE_OF_NEXT_YEAR", REFUSED),
    ],
)
def test_a_row_that_shopify_will_never_accept(code: str, outcome: RowOutcome) -> None:
    assert outcomes(send(stock(error(code, row=2)))) == [NOT_TRIED, NOT_TRIED, outcome]


def test_a_key_whose_only_row_failed_before_changed_nothing() -> None:
    given = send(stock(error("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "failed")), encoded(write(1)))
    assert outcomes(given) == [NOT_TRIED]
    assert given.rows[0].code == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


def test_a_key_that_failed_before_for_one_of_several_rows_leaves_them_unclear() -> None:
    given = send(stock(error("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "failed")))
    assert outcomes(given) == [UNCLEAR, UNCLEAR, UNCLEAR]
    assert given.rows[0].code == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


def test_a_key_known_with_other_parameters_leaves_every_row_unclear() -> None:
    assert outcomes(send(stock(error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH")))) == [UNCLEAR, UNCLEAR, UNCLEAR]


@pytest.mark.parametrize(
    ("code", "rows", "outcome"),
    [
        ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", 1, NOT_TRIED),
        ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", 3, UNCLEAR),
        ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", 1, UNCLEAR),
        ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", 3, UNCLEAR),
    ],
)
def test_trouble_with_a_key_at_the_top_level_is_told_of_every_row(code: str, rows: int, outcome: RowOutcome) -> None:
    call = encoded(*(write(number) for number in range(1, rows + 1)))
    assert outcomes(send(top_error(code, "the key"), call)) == [outcome] * rows


def test_a_call_in_progress_is_sent_again_unchanged() -> None:
    for given in (
        stock(error("IDEMPOTENCY_CONCURRENT_REQUEST", "please try again")),
        top_error("IDEMPOTENCY_CONCURRENT_REQUEST", "please try again"),
    ):
        caught = trouble(given)
        assert (caught.remedy, caught.code) == (Remedy.UNKNOWN_OUTCOME, "IDEMPOTENCY_CONCURRENT_REQUEST")


def test_shopify_not_being_able_now_is_sent_again_unchanged() -> None:
    assert trouble(stock(error("SERVICE_UNAVAILABLE"))).remedy is Remedy.UNKNOWN_OUTCOME


def test_an_activation_of_what_is_active_by_now_is_stale() -> None:
    message = "Not allowed to set available quantity when the item is already active at the location."
    refused = data(stock={"inventoryLevel": None, "userErrors": [{"field": ["available"], "message": message}]})
    assert outcomes(send(refused, encoded(write(1, activate=True)))) == [STALE]


def test_an_activation_tells_trouble_with_its_key_by_the_sentence() -> None:
    call = encoded(write(1, activate=True))
    running = "This request is currently in progress, please try again."
    assert trouble(data(stock={"userErrors": [{"message": running}]}), call).remedy is Remedy.UNKNOWN_OUTCOME
    failed = "A previous request with this idempotency key failed. Retry with a new idempotency key."
    assert outcomes(send(data(stock={"userErrors": [{"message": failed}]}), call)) == [NOT_TRIED]


def test_a_part_of_the_answer_that_failed_does_not_undo_the_call() -> None:
    partly = answer(
        {
            "errors": [{"message": "no access", "extensions": {"code": "ACCESS_DENIED"}, "path": ["stock", "x"]}],
            "data": {"stock": {"inventoryAdjustmentGroup": None, "userErrors": []}},
        }
    )
    assert outcomes(send(partly)) == [APPLIED, APPLIED, APPLIED]


@pytest.mark.parametrize(
    "given",
    [
        data(stock=None),
        data(),
        answer({"data": None}),
        answer({}),
        answer("<html>oops</html>"),
        data(stock={"inventoryAdjustmentGroup": None}),
        answer(b"[" * 100_000),
        NoAnswer("timed out"),
        answer("down", 500),
        answer("down", 503),
        top_error("INTERNAL_SERVER_ERROR", "Request ID: 1"),
        top_error("INTERNAL_SERVER_ERROR", "Request ID: 1", data={"stock": None}),
    ],
)
def test_what_may_have_taken_effect_is_never_taken_for_undone(given: Any) -> None:
    assert trouble(given).remedy is Remedy.UNKNOWN_OUTCOME


@pytest.mark.parametrize(
    ("given", "remedy", "blame"),
    [
        (NotSent("no route"), Remedy.RETRY, Blame.NETWORK),
        (answer(THROTTLED), Remedy.SLOW_DOWN, Blame.OURSELVES),
        (answer({"errors": "slow"}, 429, {"retry-after": "4.0"}), Remedy.SLOW_DOWN, Blame.OURSELVES),
        (answer("frozen", 402), Remedy.STOP, Blame.CONFIGURATION),
        (answer("locked", 423), Remedy.STOP, Blame.CONFIGURATION),
        (answer("moved", 302), Remedy.STOP, Blame.CONFIGURATION),
        (answer("bad", 400), Remedy.STOP, Blame.OURSELVES),
        (top_error("ACCESS_DENIED", "no"), Remedy.STOP, Blame.CREDENTIALS),
        (top_error("BAD_REQUEST", "no key", data={"stock": None}), Remedy.STOP, Blame.OURSELVES),
        (top_error("MAX_INPUT_SIZE_EXCEEDED", "251"), Remedy.STOP, Blame.OURSELVES),
    ],
)
def test_what_surely_changed_nothing(given: Any, remedy: Remedy, blame: Blame) -> None:
    caught = trouble(given)
    assert (caught.remedy, caught.blame) == (remedy, blame)


def test_capabilities() -> None:
    found = connect(ScriptedWire()).capabilities
    assert found.write_style is WriteStyle.KEYED
    assert (found.levels_per_read, found.rows_per_write, found.orders_per_read) == (250, 100, 20)
    assert found.can_activate
    assert found.one_stale_row_refuses_all


def test_the_answer_tells_when_the_write_was_made_less_two_seconds() -> None:
    group = {"id": "gid://shopify/InventoryAdjustmentGroup/1", "createdAt": "2026-03-02T08:33:07Z"}
    given = send(data(stock={"inventoryAdjustmentGroup": group, "userErrors": []}))
    assert [row.later_than for row in given.rows] == ["2026-03-02T08:33:05Z"] * 3
    unnamed = {**group, "createdAt": None}
    assert send(data(stock={"inventoryAdjustmentGroup": unnamed, "userErrors": []})).rows[0].later_than is None
