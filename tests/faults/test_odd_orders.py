"""Orders that are not as others: each is copied, waits, or is held with its reason; docs/orders.md has the table.

Each is an order of the pretend store whose answers are bent into the odd form on their way, so that the copy really
goes to the other store.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from builders.copying import both_databases, both_ways, copying, stamp, stamps
from builders.journeys import ANN, Goods, Journey, travel
from fakes.odd_answers import OddAnswers, walk
from storebridge.connectors.http import Request
from storebridge.connectors.wix.translate import STORES_APP_ID
from storebridge.flows.queue import Place
from storebridge.model.sales import Order
from storebridge_proving.store_client import CartLine

Node = dict[str, Any]
Bend = Callable[[Node], None]
Check = Callable[[Journey, str, str, str], Coroutine[Any, Any, None]]


def bent(journey: Journey, **bends: Bend) -> None:
    """From now on every order of a store is told in an odd form."""
    answers = OddAnswers(journey.network)
    journey.wrap_transport = lambda _transport: answers

    def change(request: Request, answer: Any) -> Any:
        store = "shopify" if "shop.sim" in request.url else "wix"

        def edit(node: Node) -> None:
            whole = "lineItems" in node and ("displayFinancialStatus" in node or "priceSummary" in node)
            if store in bends and whole and not _is_copy(node):
                bends[store](node)

        return walk(answer, edit)

    answers.change = change


def _is_copy(node: Node) -> bool:
    return bool((node.get("channelInfo") or {}).get("externalOrderId")) or node.get("sourceName") == "storebridge"


def addressed(first: str = "Ann", last: str = "Lee", company: str = "") -> dict[str, Bend]:
    """The order is sent to Ulm."""

    def shopify(node: Node) -> None:
        place = {"firstName": first, "lastName": last, "company": company or None, "address1": "Hof 1", "city": "Ulm"}
        rest = {"address2": None, "provinceCode": None, "zip": "89073", "countryCodeV2": "DE", "phone": None}
        node["shippingAddress"] = node["billingAddress"] = {**place, **rest}
        node["customer"] = {"id": "gid://shopify/Customer/1", "firstName": first, "lastName": last}

    def wix(node: Node) -> None:
        place = {"address": {"addressLine": "Hof 1", "city": "Ulm", "postalCode": "89073", "country": "DE"}}
        place["contactDetails"] = {"firstName": first, "lastName": last, **({"company": company} if company else {})}
        node["recipientInfo"] = node["billingInfo"] = place
        node["shippingInfo"] = {**(node.get("shippingInfo") or {}), "logistics": {"shippingDestination": place}}

    return {"shopify": shopify, "wix": wix}


def lines_of(node: Node) -> list[Node]:
    found = node["lineItems"]
    return list(found["nodes"] if isinstance(found, dict) else found)


def bag(amount: str, currency: str = "EUR") -> Node:
    money = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


async def sold(journey: Journey, store: str) -> str:
    """An order of two units of A and one of B."""
    await journey.begin()
    order_id = await journey.client(store).checkout([CartLine("A", 2), CartLine("B", 1)], ANN, paid=True)
    await journey.pass_time(300.0)
    return order_id


async def held(journey: Journey, store: str, other: str, reason: str) -> dict[str, Any]:
    """Nothing was made in the other store, and one case says why."""
    assert await stamps(journey, other) == []
    (case,) = [one for one in await journey.cases() if one.reason == reason]
    assert case.payload is not None
    assert case.payload["of"] == store
    return dict(case.payload)


async def copy_in(journey: Journey, store: str, other: str, order_id: str) -> Order:
    """The one copy, and no case about it."""
    assert await stamps(journey, other) == [stamp(store, order_id)]
    assert await journey.reasons() == []
    (copy,) = (await journey.queue())[store].copies
    assert copy.order is not None
    return copy.order


def play_odd(sold_in: str, copied_to: str, bends: dict[str, Bend], check: Check, *, postgres: bool = False) -> None:
    """An order is sold in a store whose answers are bent, and looked at five minutes later."""

    async def play(journey: Journey) -> None:
        bent(journey, **bends)
        await check(journey, sold_in, copied_to, await sold(journey, sold_in))

    travel(play, Goods("A"), Goods("B"), postgres=postgres, **copying(copied_to))


def cheaper_than_free() -> dict[str, Bend]:
    def shopify(node: Node) -> None:
        lines_of(node)[0]["originalUnitPriceSet"] = bag("-5.00")

    def wix(node: Node) -> None:
        lines_of(node)[0]["price"] = lines_of(node)[0]["priceBeforeDiscounts"] = {"amount": "-5.00"}

    return {"shopify": shopify, "wix": wix}


def beyond_measure() -> dict[str, Bend]:
    def shopify(node: Node) -> None:
        node["currentTotalPriceSet"] = bag("1000000000000000")

    def wix(node: Node) -> None:
        node["priceSummary"]["total"] = {"amount": "1000000000000000"}

    return {"shopify": shopify, "wix": wix}


@both_databases
@both_ways
@pytest.mark.parametrize(
    ("bends", "why"),
    [
        (cheaper_than_free(), "the price of A is -5.00 EUR, less than nothing"),
        (beyond_measure(), "its total is 1000000000000000 EUR, more than an order can come to"),
    ],
    ids=["negative", "absurd"],
)
def test_an_amount_that_cannot_be_holds_the_order(
    bends: dict[str, Bend], why: str, sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def check(journey: Journey, store: str, other: str, _order_id: str) -> None:
        assert (await held(journey, store, other, "order_not_copied"))["why"] == why
        assert await journey.levels() == {"shopify": 8, "wix": 8}, "stock goes by levels all the same"

    play_odd(sold_in, copied_to, bends, check, postgres=postgres)


@both_ways
def test_an_amount_that_is_no_number_is_told_as_drift_and_stops_no_stock(sold_in: str, copied_to: str) -> None:
    def shopify(node: Node) -> None:
        node["currentTotalPriceSet"] = bag("NaN")

    def wix(node: Node) -> None:
        node["priceSummary"]["total"] = {"amount": "NaN"}

    async def check(journey: Journey, store: str, other: str, _order_id: str) -> None:
        assert await stamps(journey, other) == []
        assert await journey.queue() == {}
        assert set(await journey.reasons()) <= {"schema_drift"}
        assert await journey.levels() == {"shopify": 8, "wix": 8}

    play_odd(sold_in, copied_to, {"shopify": shopify, "wix": wix}, check)


@both_ways
def test_a_currency_that_does_not_exist_holds_the_order(sold_in: str, copied_to: str) -> None:
    def shopify(node: Node) -> None:
        def rename(one: Node) -> None:
            if "currencyCode" in one:
                one["currencyCode"] = "QQQ"

        walk(node, rename)
        node["presentmentCurrencyCode"] = "QQQ"

    def wix(node: Node) -> None:
        node["currency"] = "QQQ"

    async def check(journey: Journey, store: str, other: str, _order_id: str) -> None:
        told = await held(journey, store, other, "order_not_copied")
        assert told["why"] == "its currency 'QQQ' does not exist"

    play_odd(sold_in, copied_to, {"shopify": shopify, "wix": wix}, check)


@both_ways
def test_an_order_without_any_address_is_copied_without_one(sold_in: str, copied_to: str) -> None:
    def shopify(node: Node) -> None:
        node["shippingAddress"] = node["billingAddress"] = None

    def wix(node: Node) -> None:
        node["recipientInfo"] = node["billingInfo"] = None
        (node.get("shippingInfo") or {}).pop("logistics", None)

    async def check(journey: Journey, store: str, other: str, order_id: str) -> None:
        copy = await copy_in(journey, store, other, order_id)
        place = copy.shipping_address
        assert place is None or (place.street, place.city, place.country) == ("", "", "")
        assert copy.units_to_ship == 3

    play_odd(sold_in, copied_to, {"shopify": shopify, "wix": wix}, check)


@both_databases
@both_ways
def test_names_in_every_script_arrive_letter_for_letter(sold_in: str, copied_to: str, postgres: bool) -> None:
    first, last, title = "Zoë 🦊👩‍👩‍👧", "שלום \u202bعبد\u202c", "Tasse ☕️ «größe» – كوب"
    named = addressed(first, last)

    def shopify(node: Node) -> None:
        named["shopify"](node)
        lines_of(node)[0]["title"] = title

    def wix(node: Node) -> None:
        named["wix"](node)
        lines_of(node)[0]["productName"] = {"original": title}

    async def check(journey: Journey, store: str, other: str, order_id: str) -> None:
        copy = await copy_in(journey, store, other, order_id)
        original = (await journey.queue())[store].order
        assert (original.buyer.first_name, original.buyer.last_name) == (first, last)
        assert original.lines[0].title == title
        place = copy.shipping_address
        assert place is not None
        assert (place.first_name, place.last_name) == (first, last)
        assert (copy.buyer.first_name, copy.buyer.last_name) == (first, last)

    play_odd(sold_in, copied_to, {"shopify": shopify, "wix": wix}, check, postgres=postgres)


@both_ways
def test_a_deleted_variant_holds_the_order_whole(sold_in: str, copied_to: str) -> None:
    def shopify(node: Node) -> None:
        lines_of(node)[0]["variant"] = None

    def wix(node: Node) -> None:
        lines_of(node)[0].pop("catalogReference", None)

    async def check(journey: Journey, store: str, other: str, _order_id: str) -> None:
        told = await held(journey, store, other, "order_not_mapped")
        assert told["why"] == "it names goods that the other store does not know"
        assert told["lines"] == ["Thing A (A)"]

    play_odd(sold_in, copied_to, {"shopify": shopify, "wix": wix}, check)


def of_a_kind(shopify: Node, wix: str) -> dict[str, Bend]:
    """The line of B is of another kind."""

    def in_shopify(node: Node) -> None:
        line = lines_of(node)[1]
        line.update(requiresShipping=False, **shopify)

    def in_wix(node: Node) -> None:
        line = lines_of(node)[1]
        line["itemType"] = {"preset": wix}
        line["physicalProperties"] = {**(line.get("physicalProperties") or {}), "shippable": False}

    return {"shopify": in_shopify, "wix": in_wix}


KINDS = {
    "gift card": of_a_kind({"isGiftCard": True}, "GIFT_CARD"),
    "digital goods": of_a_kind({}, "DIGITAL"),
    "service": of_a_kind({"variant": None, "sku": None}, "SERVICE"),
    "tip": of_a_kind({"variant": None, "sku": None, "title": "Tip"}, "SERVICE"),
}


@both_ways
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_not_shipped_is_repeated_by_name_so_that_sums_agree(kind: str, sold_in: str, copied_to: str) -> None:
    async def check(journey: Journey, store: str, other: str, order_id: str) -> None:
        copy = await copy_in(journey, store, other, order_id)
        original = (await journey.queue())[store].order
        assert copy.totals.total == original.totals.total
        assert [line.current for line in copy.lines] == [2, 1]
        assert copy.units_to_ship == 2
        assert copy.lines[1].title == original.lines[1].title

    play_odd(sold_in, copied_to, KINDS[kind], check)


@both_ways
def test_an_order_of_nothing_that_is_shipped_is_not_copied(sold_in: str, copied_to: str) -> None:
    def shopify(node: Node) -> None:
        for line in lines_of(node):
            line["requiresShipping"] = False

    def wix(node: Node) -> None:
        for line in lines_of(node):
            line["itemType"] = {"preset": "DIGITAL"}

    async def check(journey: Journey, store: str, other: str, _order_id: str) -> None:
        assert await stamps(journey, other) == []
        assert (await journey.queue())[store].queued.place is Place.NOTHING_TO_SHIP
        assert await journey.reasons() == []

    play_odd(sold_in, copied_to, {"shopify": shopify, "wix": wix}, check)


def test_a_fee_of_a_wix_order_is_a_line_of_the_copy() -> None:
    """Wix counts tips and surcharges as additional fees."""

    def wix(node: Node) -> None:
        summary = node["priceSummary"]
        total = float(summary["total"]["amount"]) + 2.5
        summary["totalAdditionalFees"] = {"amount": "2.50"}
        summary["total"] = {"amount": f"{total:.2f}"}
        node["balanceSummary"]["paid"] = {"amount": f"{total:.2f}"}

    async def check(journey: Journey, store: str, other: str, order_id: str) -> None:
        copy = await copy_in(journey, store, other, order_id)
        assert copy.lines[2].title == "Fees of the original order"
        assert copy.lines[2].unit_price.shop.amount == Decimal("2.50")
        assert copy.totals.total == (await journey.queue())[store].order.totals.total

    play_odd("wix", "shopify", {"wix": wix}, check)


@both_ways
def test_each_renewal_of_a_subscription_is_an_order_like_any_other(sold_in: str, copied_to: str) -> None:
    def shopify(node: Node) -> None:
        node["sourceName"] = "subscription_contract"
        lines_of(node)[0]["sellingPlan"] = {"name": "Monthly"}

    def wix(node: Node) -> None:
        lines_of(node)[0]["subscriptionInfo"] = {"id": "s-1", "cycleNumber": 2, "subscriptionOptionTitle": "Monthly"}

    async def check(journey: Journey, store: str, other: str, order_id: str) -> None:
        copy = await copy_in(journey, store, other, order_id)
        assert copy.totals.total == (await journey.queue())[store].order.totals.total
        assert copy.units_to_ship == 3

    play_odd(sold_in, copied_to, {"shopify": shopify, "wix": wix}, check)


def test_a_test_order_is_not_copied() -> None:
    def shopify(node: Node) -> None:
        node["test"] = True

    async def check(journey: Journey, store: str, other: str, _order_id: str) -> None:
        assert await stamps(journey, other) == []
        assert (await journey.queue())[store].order.test
        assert await journey.reasons() == []

    play_odd("shopify", "wix", {"shopify": shopify}, check)


@both_ways
def test_an_order_of_a_company_is_copied_to_that_company(sold_in: str, copied_to: str) -> None:
    async def check(journey: Journey, store: str, other: str, order_id: str) -> None:
        copy = await copy_in(journey, store, other, order_id)
        assert copy.shipping_address is not None
        assert copy.shipping_address.company == "Möbel & Söhne GmbH"

    play_odd(sold_in, copied_to, addressed(company="Möbel & Söhne GmbH"), check)


@both_ways
def test_an_order_on_account_waits_until_it_is_paid(sold_in: str, copied_to: str) -> None:
    """Companies pay by invoice: payment terms make the order wait, and it is copied on the day it is paid."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.client(sold_in).checkout([CartLine("A", 2)], ANN, paid=False)
        await journey.pass_time(300.0)
        assert await stamps(journey, copied_to) == []
        known = (await journey.queue()).get(sold_in)  # Wix announces such an order when it is approved (W21)
        assert known is None or known.queued.place is Place.AWAITING_PAYMENT
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/pay", {})
        await journey.pass_time(300.0)
        assert await stamps(journey, copied_to) == [stamp(sold_in, order_id)]

    travel(play, Goods("A"), Goods("B"), **copying(copied_to))


@both_ways
def test_a_draft_is_no_order_until_it_is_completed(sold_in: str, copied_to: str) -> None:
    """Neither store lists drafts among its orders; what became of one says so in its channel and is copied."""

    def shopify(node: Node) -> None:
        node["sourceName"] = "shopify_draft_order"

    def wix(node: Node) -> None:
        node["channelInfo"] = {"type": "BACKOFFICE_MERCHANT"}

    async def check(journey: Journey, store: str, other: str, order_id: str) -> None:
        await copy_in(journey, store, other, order_id)
        assert (await journey.queue())[store].order.channel in ("shopify_draft_order", "BACKOFFICE_MERCHANT")

    play_odd(sold_in, copied_to, {"shopify": shopify, "wix": wix}, check)


MANY = [Goods(f"SKU-{number}", {"shopify": 5, "wix": 5}) for number in range(1, 1001)]


@pytest.mark.parametrize(
    ("sold_in", "copied_to", "lines", "why"),
    [
        ("wix", "shopify", 250, None),
        ("wix", "shopify", 251, "it has 251 lines; shopify takes 250 in one order"),
        ("shopify", "wix", 300, None),
        ("shopify", "wix", 1000, "it has 1000 lines; wix takes 300 in one order"),
    ],
)
def test_an_order_is_as_long_as_the_other_vendor_allows(
    sold_in: str, copied_to: str, lines: int, why: str | None
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        cart = [CartLine(goods.sku, 1) for goods in MANY[:lines]]
        order_id = await journey.client(sold_in).checkout(cart, ANN, paid=True)
        await journey.pass_time(600.0)
        order = (await journey.queue())[sold_in].order
        assert len(order.lines) == lines
        if why is not None:
            assert (await held(journey, sold_in, copied_to, "order_not_copied"))["why"] == why
            return
        copy = await copy_in(journey, sold_in, copied_to, order_id)
        assert len(copy.lines) == lines
        assert copy.totals.total == order.totals.total

    travel(play, *MANY[: max(lines, 1)], **copying(copied_to))


def test_a_custom_item_that_is_shipped_and_names_nothing_is_held() -> None:
    def wix(node: Node) -> None:
        line = lines_of(node)[1]
        line["catalogReference"] = {"appId": "not-" + STORES_APP_ID, "catalogItemId": "x"}

    async def check(journey: Journey, store: str, other: str, _order_id: str) -> None:
        assert (await held(journey, store, other, "order_not_mapped"))["lines"] == ["Thing B (B)"]

    play_odd("wix", "shopify", {"wix": wix}, check)
