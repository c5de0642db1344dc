"""Stores that answer what their API version does not promise: told with the failing path, no crash, no guess."""

from __future__ import annotations

from typing import Any

import pytest

from builders.journeys import Goods, Journey, _catalogue, travel
from fakes.odd_answers import OddAnswers, walk
from storebridge.connectors.http import Request, Response
from storebridge.operations.settle_case import Choice
from storebridge.pipeline import flow

GOODS = [Goods(sku) for sku in ("A", "B", "C", "D", "E")]


def odd(journey: Journey) -> OddAnswers:
    """Answers can be changed from now on."""
    answers = OddAnswers(journey.network)
    journey.wrap_transport = lambda _transport: answers
    return answers


def test_one_item_of_another_shape_stops_only_itself_and_its_signals_stay_open() -> None:
    async def play(journey: Journey) -> None:
        answers = odd(journey)
        await journey.begin(settle=120.0)
        item = journey.stores.shopify.shelves.by_sku["C"].item_id

        def retype(_request: Request, answer: Any) -> Any:
            def edit(node: dict[str, Any]) -> None:
                if str(node.get("id")) == item and "tracked" in node and "inventoryLevels" in node:
                    node["tracked"] = "perhaps"

            return walk(answer, edit)

        answers.change = retype
        for sku in ("A", "C", "E"):
            await journey.buy("shopify", 2, sku)
        await journey.pass_time(120.0)
        assert await journey.levels("A") == {"shopify": 8, "wix": 8}
        assert await journey.levels("E") == {"shopify": 8, "wix": 8}
        assert await journey.levels("C") == {"shopify": 8, "wix": 10}
        (case,) = await journey.cases()
        assert (case.reason, case.field) == ("schema_drift", "nodes[].tracked")
        assert case.payload == {"call": "inventoryLevels", "found": "Expected `bool`, got `str`"}
        waiting = await journey.rows("select distinct entity from signals where state = 'waiting' and flow = 'stock'")
        assert waiting == [(item,)]
        assert await journey.rows("select health from connections where connection = 'shopify'") == [("ok",)]
        answers.change = None
        await journey.pass_time(600.0)
        assert await journey.levels("C") == {"shopify": 8, "wix": 8}
        await journey.settle("schema_drift", Choice.DONE)
        assert await journey.reasons() == []

    travel(play, *GOODS)


@pytest.mark.parametrize(("store", "path"), [("shopify", "page.nodes[]"), ("wix", "variants[]")])
def test_one_variant_of_another_shape_stops_no_listing_and_is_not_taken_for_gone(store: str, path: str) -> None:
    """C is kept in step already and D is new in the same listing: C goes on, D is taken in."""

    async def play(journey: Journey) -> None:
        answers = odd(journey)
        await journey.begin(settle=120.0)

        def retype(request: Request, answer: Any) -> Any:
            listing = b"productVariants" in (request.body or b"") or "query-variants" in request.url

            def edit(node: dict[str, Any]) -> None:
                if listing and node.get("sku") == "C":
                    node["barcode"] = {"made": "odd"}

            return walk(answer, edit)

        answers.change = retype
        shops = {"shopify": journey.stores.shopify, "wix": journey.stores.wix}
        for name, shop in shops.items():
            shop.load_catalogue(_catalogue((Goods("D", {name: 4}),), name))
        await journey.pass_time(400.0)
        assert await journey.levels("D") == {"shopify": 4, "wix": 4}
        drifts = [case for case in await journey.cases() if case.connection == store]
        assert [(case.reason, case.field) for case in drifts] == [("schema_drift", f"{path}.barcode")]
        assert drifts[0].payload is not None
        assert "first in C, which is left out" in drifts[0].payload["found"]
        assert set(await journey.reasons()) == {"schema_drift"}
        assert await journey.rows("select count(*) from variants where gone_at is not null") == [(0,)]
        await journey.buy("shopify", 2, "C")
        await journey.pass_time(60.0)
        assert await journey.levels("C") == {"shopify": 8, "wix": 8}

    travel(play, Goods("C"))


def test_answers_that_are_all_of_another_shape_do_not_burn_the_call_budget() -> None:
    async def play(journey: Journey) -> None:
        answers = odd(journey)
        await journey.begin(settle=120.0)
        before = await journey.calls("wix")
        answers.change = lambda request, answer: (
            b"<html>{maintenance}</html>" if "inventory-items" in request.url else answer
        )
        await journey.buy("wix", 1, "A")
        await journey.pass_time(600.0)
        assert await journey.reasons() == ["schema_drift"]
        assert await journey.calls("wix") - before < 120
        answers.change = None
        await journey.pass_time(600.0)
        assert await journey.levels("A") == {"shopify": 9, "wix": 9}

    travel(play, *GOODS)


@pytest.mark.parametrize("store", ["shopify", "wix"])
def test_an_order_of_a_state_that_nobody_announced_is_told_and_stops_no_other_order(store: str) -> None:
    async def play(journey: Journey) -> None:
        answers = odd(journey)
        await journey.begin(settle=120.0)
        odd_one = await journey.buy(store, 1, "A")

        def rename(_request: Request, answer: Any) -> Any:
            def edit(node: dict[str, Any]) -> None:
                mine = str(node.get("id", "")).endswith(odd_one)
                if mine and "paymentStatus" in node:
                    node["paymentStatus"] = "TELEPATHY"
                elif mine and "updatedAt" in node:
                    node["updatedAt"] = "soon"

            return walk(answer, edit)

        answers.change = rename
        await journey.buy(store, 1, "B")
        await journey.pass_time(400.0)
        assert await journey.levels("A") == {"shopify": 9, "wix": 9}  # levels count; orders only label
        assert await journey.levels("B") == {"shopify": 9, "wix": 9}
        known = {order_id for (order_id,) in await journey.rows("select order_id from orders")}
        assert len(known) == 1
        assert set(await journey.reasons()) == {"schema_drift"}
        paths = {case.field.split(".")[-1] for case in await journey.cases()}
        assert paths == {"paymentStatus" if store == "wix" else "updatedAt"}
        answers.change = None
        await journey.pass_time(900.0)
        assert len(await journey.rows("select order_id from orders")) == 2

    travel(play, *GOODS)


def test_an_unknown_selling_policy_is_told_and_taken_for_the_careful_case() -> None:
    async def play(journey: Journey) -> None:
        answers = odd(journey)
        await journey.begin(settle=120.0)

        def rename(_request: Request, answer: Any) -> Any:
            def edit(node: dict[str, Any]) -> None:
                if set(node) == {"inventoryPolicy"}:
                    node["inventoryPolicy"] = "MAYBE"

            return walk(answer, edit)

        answers.change = rename
        await journey.pass_time(400.0)
        reasons = await journey.reasons()
        assert reasons.count("schema_drift") == 1
        assert reasons.count("not_denying_oversell") == len(GOODS)
        reasons_why = await journey.rows("select distinct not_guaranteed_because from pools")
        assert reasons_why == [("shopify goes on selling at zero",)]

    travel(play, *GOODS, policy="escrow")


def test_a_fault_of_ours_with_one_item_stops_only_that_item(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        item = journey.stores.shopify.shelves.by_sku["C"].item_id
        whole = flow.fold_lane

        def fold(lane: Any, connection: Any, read: Any, rules: Any) -> Any:
            if item in read.asked and any(key.item_id == item for key in lane.positions):
                raise ZeroDivisionError("integer division by zero")
            return whole(lane, connection, read, rules)

        monkeypatch.setattr(flow, "fold_lane", fold)
        for sku in ("A", "C", "E"):
            await journey.buy("shopify", 2, sku)
        await journey.pass_time(120.0)
        assert await journey.levels("A") == {"shopify": 8, "wix": 8}
        assert await journey.levels("C") == {"shopify": 8, "wix": 10}
        assert await journey.levels("E") == {"shopify": 8, "wix": 8}
        (case,) = await journey.cases()
        assert (case.reason, case.subject, case.field) == ("work_failed", f"shopify/{item}", "ZeroDivisionError")
        monkeypatch.setattr(flow, "fold_lane", whole)
        await journey.pass_time(600.0)
        assert await journey.levels("C") == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []

    travel(play, *GOODS)


def test_an_answer_to_a_write_that_we_fail_to_take_in_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyed and fenced calls may go out again unchanged: nothing is left on the wire for ever, nothing is doubled."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        whole, failures = flow.settle_row, [3]

        def settle(*args: Any, **kwargs: Any) -> None:
            if failures[0]:
                failures[0] -= 1
                raise ZeroDivisionError("integer division by zero")
            whole(*args, **kwargs)

        monkeypatch.setattr(flow, "settle_row", settle)
        await journey.buy("wix", 2, "A")
        await journey.pass_time(300.0)
        assert failures == [0]
        assert await journey.levels("A") == {"shopify": 8, "wix": 8}
        assert await journey.stock_writes("shopify") == 1
        assert await journey.reasons() == []
        (case,) = await journey.cases("work_failed", state="resolved")
        assert (case.subject, case.resolution) == ("shopify/inventorySetQuantities", "it succeeded")

    travel(play, *GOODS)


def test_a_frozen_shop_is_told_at_once_and_caught_up_afterwards() -> None:
    async def play(journey: Journey) -> None:
        frozen = Frozen(journey.network)
        journey.wrap_transport = lambda _transport: frozen
        await journey.begin(settle=120.0)
        frozen.now = True
        await journey.buy("wix", 2, "A")
        await journey.pass_time(60.0)
        (case,) = await journey.cases()
        assert (case.reason, case.whose_move, case.field) == ("calls_refused", "agency", "402")
        assert "the shop is frozen" in case.sentence
        assert await journey.rows("select health from connections where connection = 'shopify'") == [("refusing",)]
        frozen.now = False
        await journey.pass_time(300.0)
        assert await journey.levels("A") == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []

    travel(play, *GOODS)


class Frozen(OddAnswers):
    """A shop that did not pay its bill."""

    now = False

    async def send(self, request: Request) -> Response:
        if self.now and "graphql" in request.url:
            return Response(402, {}, b"{}")
        return await super().send(request)
