"""Draft orders: editing an order and making a new one. Every call is held against the declared messages as well."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.settings import STORES_APP_ID, WixOptions

DRAFTS = "/ecom/v1/draft-orders"
ORDERS = "/ecom/v1/orders"
NOBODY = "6c3a1e8e-52a3-4d0c-9c1b-0d6e3f0b8f11"


def code_of(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], str(answer[1]["details"]["applicationError"]["code"])


def reference(site: Site, sku: str) -> dict[str, Any]:
    variant = site.store.shelf.by_sku[sku]
    return {
        "catalogItemId": variant.product.id,
        "appId": STORES_APP_ID,
        "options": {"variantId": variant.variant_id},
    }


async def draft_of_a_sale(site: Site, quantity: int = 2) -> tuple[str, str, str]:
    """Order, draft, line."""
    _, told = await site.buy("MUG", quantity)
    _, made = await site.call("POST", DRAFTS, {"sourceOrderId": told["order_id"]})
    draft = made["calculatedDraftOrder"]["draftOrder"]
    return told["order_id"], draft["id"], draft["lineItems"][0]["lineItem"]["id"]


async def change(site: Site, draft: str, call: str, **body: Any) -> Any:
    status, told = await site.call("POST", f"{DRAFTS}/{draft}/{call}", body)
    assert status == 200, told
    return told["calculatedDraftOrder"]["draftOrder"]


@pytest.mark.parametrize(("quantity", "named", "level"), [(4, True, 1), (4, False, 3), (1, True, 4), (1, False, 3)])
def test_a_committed_edit_moves_the_difference_for_the_lines_that_ask_for_it(
    quantity: int, named: bool, level: int
) -> None:
    async def play(site: Site) -> None:
        order, draft, line = await draft_of_a_sale(site)
        told = await change(site, draft, "line-items", lineItemChanges=[{"lineItemId": line, "newQuantity": quantity}])
        settings = {"updateInventory": [{"lineItemId": line}]} if named else {}
        _, done = await site.call("POST", f"{DRAFTS}/{draft}/commit", {"commitSettings": settings, "reason": "Wish"})
        after = done["orderAfterCommit"]
        truth = await site.truth()

        assert told["lineItems"][0]["changedDetails"] == {"quantityBeforeChange": 2}
        assert (after["lineItems"][0]["quantity"], after["lineItems"][0]["restockQuantity"]) == (quantity, 0)
        assert after["priceSummary"]["total"]["amount"] == f"{quantity * Decimal('12.50')}"
        assert (await site.levels())["MUG"] == level
        edits = [move["delta"] for move in truth["movements"] if move["cause"] == "edit"]
        assert edits == ([2 - quantity] if named else [])
        assert done["committedDraftOrder"]["status"] == "COMMITTED"
        assert truth["orders"][0]["id"] == order

    with_site(play)


def test_an_edit_adds_lines_discounts_and_fees_and_the_order_owes_the_rest() -> None:
    async def play(site: Site) -> None:
        _, draft, _ = await draft_of_a_sale(site)
        added = {"catalogReference": reference(site, "SHIRT-S"), "quantity": 2}
        custom = {
            "productName": {"original": "Engraving"},
            "price": {"amount": "4.00"},
            "quantity": 1,
            "itemType": {"preset": "SERVICE"},
        }
        told = await change(site, draft, "add-line-items", catalogLineItems=[added], customLineItems=[custom])
        shirt = told["lineItems"][1]["lineItem"]["id"]
        ten = {"percentage": "10", "discountType": "GLOBAL", "description": "Friend", "applyToDraftOrder": True}
        await change(site, draft, "create-custom-discounts", discounts=[ten])
        fee = {"name": "Gift wrap", "price": {"amount": "3.00"}, "applyToDraftOrder": False}
        told = await change(site, draft, "create-additional-fees", customAdditionalFees=[fee])
        fee_id = told["additionalFees"][0]["additionalFee"]["id"]
        before = told["priceSummary"]["total"]["amount"]
        await change(site, draft, "set-additional-fees", additionalFees=[{"id": fee_id, "applied": True}])
        settings = {"updateInventory": [{"lineItemId": shirt}]}
        site.mailbox.bodies.clear()
        _, done = await site.call("POST", f"{DRAFTS}/{draft}/commit", {"commitSettings": settings})
        order = done["orderAfterCommit"]
        events = {event["eventType"]: event["event"] for event in await site.events()}
        committed = events["wix.ecom.v1.order_committed"]["actionEvent"]["body"]

        assert before == "48.60"
        assert {name: price["amount"] for name, price in order["priceSummary"].items()} == {
            "subtotal": "54.00",
            "shipping": "0.00",
            "tax": "0.00",
            "discount": "5.40",
            "total": "51.60",
            "totalAdditionalFees": "3.00",
        }
        assert (order["paymentStatus"], order["balanceSummary"]["balance"]["amount"]) == ("PARTIALLY_PAID", "26.60")
        assert order["appliedDiscounts"][0]["merchantDiscount"]["description"] == "Friend"
        assert [fee["name"] for fee in order["additionalFees"]] == ["Gift wrap"]
        assert committed["changes"]["lineItems"][0] == {"lineItemId": shirt, "lineItemAdded": True}
        assert committed["commitSettings"]["inventoryUpdates"] == [
            {"actionType": "DECREASE", "lineItemId": shirt, "quantityChange": 2}
        ]
        assert ((await site.levels())["SHIRT-S"], (await site.levels())["MUG"]) == (1, 3)
        assert "DRAFT_ORDER_CHANGES_APPLIED" in {one["activityType"] for one in order["activities"]}

    with_site(play, WixOptions(webhook_url=HOOK))


def test_a_line_taken_out_leaves_the_order_and_its_goods_come_back() -> None:
    async def play(site: Site) -> None:
        _, told = await site.buy("MUG", 1)
        order = told["order_id"]
        _, made = await site.call("POST", DRAFTS, {"sourceOrderId": order})
        draft = made["calculatedDraftOrder"]["draftOrder"]["id"]
        line = made["calculatedDraftOrder"]["draftOrder"]["lineItems"][0]["lineItem"]["id"]
        added = {"catalogReference": reference(site, "SHIRT-S"), "quantity": 1}
        await change(site, draft, "add-line-items", catalogLineItems=[added])
        told = await change(site, draft, "line-items", lineItemChanges=[{"lineItemId": line, "newQuantity": 0}])
        assert told["lineItems"][0]["removed"] is True
        settings = {"updateInventory": [{"lineItemId": line}]}
        _, done = await site.call("POST", f"{DRAFTS}/{draft}/commit", {"commitSettings": settings})

        skus = [row["physicalProperties"]["sku"] for row in done["orderAfterCommit"]["lineItems"]]
        assert skus == ["SHIRT-S"]
        assert (await site.levels())["MUG"] == 5

    with_site(play)


def test_one_order_has_one_open_draft() -> None:
    async def play(site: Site) -> None:
        order, draft, _ = await draft_of_a_sale(site)
        _, again = await site.call("POST", DRAFTS, {"sourceOrderId": order})
        _, found = await site.call("POST", f"{DRAFTS}/query", {"query": {"filter": {"orderId": order}}})

        assert again["preexistingDraftOrder"] is True
        assert again["calculatedDraftOrder"]["draftOrder"]["id"] == draft
        assert [one["id"] for one in found["draftOrders"]] == [draft]

    with_site(play)


def test_which_orders_can_be_edited() -> None:
    async def play(site: Site) -> None:
        _, bought = await site.buy("MUG", 1)
        await site.ask("POST", f"/_sandbox/orders/{bought['order_id']}/refund", {"amount": "1.00"})
        _, cancelled = await site.buy("MUG", 1, channel="pos")
        await site.ask("POST", f"/_sandbox/orders/{cancelled['order_id']}/cancel", {})
        told = []
        for order in (bought["order_id"], cancelled["order_id"], NOBODY):
            _, status = await site.call("GET", f"{DRAFTS}/{order}/draftability")
            told.append((status["orderDraftable"], status["nonDraftableReasons"]))
        refused = await site.call("POST", DRAFTS, {"sourceOrderId": bought["order_id"]})

        assert told == [
            (False, ["PARTIALLY_OR_FULLY_REFUNDED"]),
            (False, ["ORDER_STATUS_IS_NOT_SUPPORTED"]),
            (False, ["ORDER_NOT_FOUND"]),
        ]
        assert code_of(refused) == (428, "ORDER_CANNOT_BE_EDITED")

    with_site(play)


@pytest.mark.parametrize(
    ("call", "body", "status", "code"),
    [
        (
            "line-items",
            {"lineItemChanges": [{"lineItemId": NOBODY, "newQuantity": 1}]},
            404,
            "LINE_ITEM_DOES_NOT_EXIST",
        ),
        ("line-items", {"lineItemChanges": [{}]}, 400, "EMPTY_CHANGE_REQUEST"),
        ("line-items", {"lineItemChanges": [{"newQuantity": 1}] * 2}, 400, "MULTIPLE_CHANGES_FOR_SAME_LINE_ITEM"),
        (
            "line-items",
            {"lineItemChanges": [{"newQuantity": 0, "newPrice": "1"}]},
            428,
            "UPDATING_PRICE_OF_REMOVED_ITEM_IS_FORBIDDEN",
        ),
        (
            "create-custom-discounts",
            {"discounts": [{"priceAmount": {"amount": "26"}, "applyToDraftOrder": True}]},
            400,
            "DISCOUNTS_AMOUNT_EXCEED_ORDER_TOTALS",
        ),
        (
            "create-custom-discounts",
            {"discounts": [{"priceAmount": {"amount": "1"}, "discountType": "SPECIFIC_ITEMS"}]},
            404,
            "LINE_ITEM_NOT_FOUND",
        ),
        ("set-discounts", {"discounts": [{"id": NOBODY, "applied": True}]}, 404, "DISCOUNT_NOT_FOUND"),
        ("set-additional-fees", {"additionalFees": [{"id": NOBODY}]}, 404, "ADDITIONAL_FEE_NOT_FOUND"),
        ("create-order", {}, 428, "CREATE_ORDER_FAILED_VALIDATIONS"),
    ],
)
def test_a_wrong_change_is_refused_and_the_draft_stays(call: str, body: dict[str, Any], status: int, code: str) -> None:
    async def play(site: Site) -> None:
        _, draft, line = await draft_of_a_sale(site)
        _, before = await site.call("GET", f"{DRAFTS}/{draft}")
        rows = [{"lineItemId": line, **row} for row in body.get("lineItemChanges", [])]
        asked = {**body, "lineItemChanges": rows} if rows else body
        answer = await site.call("POST", f"{DRAFTS}/{draft}/{call}", asked)
        _, after = await site.call("GET", f"{DRAFTS}/{draft}")

        assert code_of(answer) == (status, code)
        assert after == before

    with_site(play)


def test_a_catalogue_item_is_found_once_and_unknown_goods_are_refused() -> None:
    async def play(site: Site) -> None:
        _, draft, _ = await draft_of_a_sale(site)
        path = f"{DRAFTS}/{draft}/add-line-items"
        twice = {"catalogLineItems": [{"catalogReference": reference(site, "MUG"), "quantity": 1}]}
        unknown = {"catalogReference": {"catalogItemId": NOBODY, "appId": STORES_APP_ID}, "quantity": 1}

        assert code_of(await site.call("POST", path, twice)) == (428, "CATALOG_ITEM_ALREADY_EXIST")
        assert code_of(await site.call("POST", path, {"catalogLineItems": [unknown]})) == (
            404,
            "CATALOG_ITEM_NOT_FOUND",
        )

    with_site(play)


def test_fewer_than_are_on_their_way_cannot_be_committed() -> None:
    async def play(site: Site) -> None:
        order, draft, line = await draft_of_a_sale(site)
        await site.call("POST", f"/ecom/v1/fulfillments/orders/{order}/create-fulfillment", {"fulfillment": {}})
        await change(site, draft, "line-items", lineItemChanges=[{"lineItemId": line, "newQuantity": 1}])
        refused = await site.call("POST", f"{DRAFTS}/{draft}/commit", {})

        assert code_of(refused) == (428, "DRAFT_ORDER_COMMIT_FAILED_VALIDATIONS")
        _, told = await site.call("GET", f"{ORDERS}/{order}")
        assert told["order"]["lineItems"][0]["quantity"] == 2

    with_site(play)


def test_a_committed_draft_is_over() -> None:
    async def play(site: Site) -> None:
        _, draft, line = await draft_of_a_sale(site)
        await site.call("POST", f"{DRAFTS}/{draft}/commit", {})
        rows = [{"lineItemId": line, "newQuantity": 1}]
        path = f"{DRAFTS}/{draft}"
        answers = [
            await site.call("POST", f"{path}/line-items", {"lineItemChanges": rows}),
            await site.call("POST", f"{path}/commit", {}),
            await site.call("DELETE", path),
        ]

        assert [code_of(answer) for answer in answers] == [
            (428, "DRAFT_ORDER_ALREADY_COMMITTED"),
            (428, "DRAFT_ORDER_ALREADY_COMMITTED"),
            (428, "DRAFT_ORDER_CANNOT_BE_DELETED"),
        ]

    with_site(play)


def test_a_new_draft_becomes_a_manual_order_that_takes_its_stock() -> None:
    async def play(site: Site) -> None:
        _, made = await site.call("POST", f"{DRAFTS}/create-empty-draft-order", {})
        draft = made["calculatedDraftOrder"]["draftOrder"]["id"]
        line = {"catalogReference": reference(site, "MUG"), "quantity": 2}
        await change(site, draft, "add-line-items", catalogLineItems=[line])
        shipping = {"title": "Van", "cost": {"price": {"amount": "5.00"}}}
        await site.call("PUT", f"{DRAFTS}/set-shipping-info", {"draftOrderId": draft, "shippingInfo": shipping})
        buyer = {"draftOrderId": draft, "buyerInfo": {"email": "ann@example.org"}}
        await site.call("PUT", f"{DRAFTS}/set-buyer-info", buyer)
        exempt = {"draftOrderId": draft, "taxExempt": True}
        _, told = await site.call("PUT", f"{DRAFTS}/set-tax-exemption", exempt)
        _, done = await site.call("POST", f"{DRAFTS}/{draft}/create-order", {})
        order = done["createdOrder"]

        assert told["calculatedDraftOrder"]["draftOrder"]["priceSummary"]["total"]["amount"] == "30.00"
        assert (order["status"], order["paymentStatus"], order["channelInfo"]["type"]) == (
            "APPROVED",
            "NOT_PAID",
            "BACKOFFICE_MERCHANT",
        )
        assert (order["priceSummary"]["shipping"]["amount"], order["priceSummary"]["tax"]["amount"]) == ("5.00", "0.00")
        assert order["buyerInfo"]["contactId"]
        assert (await site.levels())["MUG"] == 3

    with_site(play, WixOptions(tax_rate=Decimal("0.2")))


def test_a_draft_may_begin_with_everything_in_it_or_not_at_all() -> None:
    async def play(site: Site) -> None:
        line = {"catalogReference": reference(site, "MUG"), "quantity": 1, "price": {"amount": "10.00"}}
        values = {
            "catalogLineItems": [line],
            "billingInfo": {"contactDetails": {"firstName": "Ann"}},
            "discounts": [{"percentage": "50", "applyToDraftOrder": True}],
        }
        _, made = await site.call("POST", DRAFTS, {"draftOrder": values})
        wrong = await site.call("POST", DRAFTS, {"draftOrder": {**values, "discounts": [{"percentage": "0"}]}})
        _, found = await site.call("POST", f"{DRAFTS}/query", {})
        told = made["calculatedDraftOrder"]["draftOrder"]

        assert (told["priceSummary"]["total"]["amount"], told["lineItems"][0]["added"]) == ("5.00", True)
        assert told["billingDetails"] == {"billingInfo": values["billingInfo"], "added": True}
        assert wrong[0] == 400
        assert [one["id"] for one in found["draftOrders"]] == [told["id"]]

    with_site(play)


def test_drafts_are_told_of_when_they_begin_change_and_go() -> None:
    async def play(site: Site) -> None:
        _, made = await site.call("POST", f"{DRAFTS}/create-empty-draft-order", {})
        draft = made["calculatedDraftOrder"]["draftOrder"]["id"]
        line = {"catalogReference": reference(site, "MUG"), "quantity": 2}
        await change(site, draft, "add-line-items", catalogLineItems=[line])
        await site.call("DELETE", f"{DRAFTS}/{draft}")
        events = [event["eventType"] for event in await site.events() if "draft" in event["eventType"]]

        assert sorted(events) == [f"wix.ecom.v1.draft_order_{slug}" for slug in ("created", "deleted", "updated")]
        assert (await site.call("GET", f"{DRAFTS}/{draft}"))[0] == 404

    with_site(play, WixOptions(webhook_url=HOOK))
