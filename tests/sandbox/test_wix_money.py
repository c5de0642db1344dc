"""Payments and refunds of Wix orders by the API. Every call is held against the declared messages as well."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

ORDERS = "/ecom/v1/orders"
PAYMENTS = "/ecom/v1/payments"
BILLING = "/ecom/v1/order-billing"
COLLECTOR = "/ecom/v1/payments-collector/orders"
NOBODY = "6c3a1e8e-52a3-4d0c-9c1b-0d6e3f0b8f11"
OFFLINE = WixOptions(unpaid="OFFLINE")


def code_of(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], str(answer[1]["details"]["applicationError"]["code"])


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount}


async def order_of(site: Site, order: str) -> Any:
    _, told = await site.call("GET", f"{ORDERS}/{order}")
    return told["order"]


async def bought(site: Site, quantity: int = 2, **more: Any) -> tuple[str, str, str]:
    """Order, line and first payment (empty without one)."""
    _, told = await site.buy("MUG", quantity, **more)
    order = told["order_id"]
    _, money = await site.call("GET", f"{PAYMENTS}/orders/{order}")
    payments = money["orderTransactions"]["payments"]
    return order, (await order_of(site, order))["lineItems"][0]["id"], payments[0]["id"] if payments else ""


async def refund(site: Site, order: str, payment: str, **more: Any) -> tuple[int, Any]:
    row = {"paymentId": payment, **more.pop("row", {})}
    return await site.call("POST", f"{BILLING}/refund-payments", {"orderId": order, "paymentRefunds": [row], **more})


# -- payments ------------------------------------------------------------------------------------------------


def test_recorded_payments_decide_status_and_balance() -> None:
    async def play(site: Site) -> None:
        order, _, _ = await bought(site, paid=False)
        stamp = {"providerTransactionId": "gid://shopify/OrderTransaction/1", "offlinePayment": False}
        faces = []
        for amount in ("10.00", "15.00"):
            payment = {"amount": usd(amount), "status": "APPROVED", "regularPaymentDetails": stamp}
            _, told = await site.call("POST", f"{PAYMENTS}/orders/{order}/add-payment", {"payments": [payment]})
            face = await order_of(site, order)
            faces.append((face["paymentStatus"], face["status"], face["balanceSummary"]["balance"]["amount"]))
        payments = told["orderTransactions"]["payments"]

        assert faces == [("PARTIALLY_PAID", "INITIALIZED", "15.00"), ("PAID", "APPROVED", "0.00")]
        assert payments[0]["regularPaymentDetails"]["providerTransactionId"] == stamp["providerTransactionId"]
        assert told["paymentsIds"] == [payments[1]["id"]]
        assert face["balanceSummary"]["paid"]["amount"] == "25.00"
        assert (await site.truth())["orders"][0]["payment"] == "paid"

    with_site(play)


def test_under_on_order_paid_stock_goes_with_the_payment_that_completes_the_order() -> None:
    async def play(site: Site) -> None:
        order, _, _ = await bought(site, paid=False)
        levels = [(await site.levels())["MUG"]]
        for amount in ("10.00", "15.00"):
            body = {"payments": [{"amount": usd(amount)}]}
            await site.call("POST", f"{PAYMENTS}/orders/{order}/add-payment", body)
            levels.append((await site.levels())["MUG"])

        assert levels == [5, 5, 3]

    with_site(play, WixOptions(trigger="ON_ORDER_PAID"))


@pytest.mark.parametrize(("restocks", "level"), [(True, 5), (False, 3)])
def test_w11_a_declined_payment_rejects_the_order_and_its_goods_go_back(restocks: bool, level: int) -> None:
    async def play(site: Site) -> None:
        order, _, payment = await bought(site, paid=False)
        path = f"{PAYMENTS}/{payment}/orders/{order}/update-payment-transaction-status"
        refused = await site.call("POST", path, {"status": "REFUNDED"})
        _, told = await site.call("POST", path, {"status": "DECLINED"})
        face = await order_of(site, order)

        assert code_of(refused) == (428, "STATUS_NOT_ALLOWED")
        assert told["orderTransactions"]["payments"][0]["status"] == "DECLINED"
        assert (face["status"], face["paymentStatus"]) == ("REJECTED", "DECLINED")
        assert (await site.levels())["MUG"] == level

    quirks = WixQuirks(w11_failed_payment_restocks=restocks)
    with_site(play, WixOptions(unpaid="PENDING", quirks=quirks))


def test_payment_statuses_are_set_in_bulk_and_the_unknown_is_told_apart() -> None:
    async def play(site: Site) -> None:
        order, _, payment = await bought(site, paid=False)
        rows = [{"orderId": order, "paymentId": payment}, {"orderId": order, "paymentId": NOBODY}]
        path = "/ecom/v1/bulk/payments/update-payment-transaction-status"
        body = {"paymentAndOrderIds": rows, "status": "APPROVED", "returnFullEntity": True}
        _, told = await site.call("POST", path, body)

        assert told["results"][0]["item"]["status"] == "APPROVED"
        assert told["results"][1]["itemMetadata"]["error"]["code"] == "PAYMENT_NOT_FOUND"
        assert (await order_of(site, order))["status"] == "APPROVED"

    with_site(play, WixOptions(unpaid="PENDING"))


def test_marking_as_paid_records_an_offline_payment_once() -> None:
    async def play(site: Site) -> None:
        order, _, _ = await bought(site, paid=False)
        status, told = await site.call("POST", f"{COLLECTOR}/{order}/mark-as-paid", {})
        again = await site.call("POST", f"{COLLECTOR}/{order}/mark-as-paid", {})
        _, several = await site.call("POST", "/v1/bulk/payments-collector/mark-as-paid", {"ecomOrderIds": [order]})
        _, collectable = await site.call("GET", f"{COLLECTOR}/{order}/payment-collectability-status")

        assert (status, told["order"]["paymentStatus"]) == (200, "PAID")
        assert code_of(again) == (428, "ORDER_ALREADY_PAID")
        assert several["results"][0]["itemMetadata"]["error"]["code"] == "ORDER_ALREADY_PAID"
        assert collectable["status"] == "NONCOLLECTABLE_ORDER_IS_PAID"

    with_site(play, OFFLINE)


def test_a_manual_payment_covers_at_most_what_is_left() -> None:
    async def play(site: Site) -> None:
        order, _, _ = await bought(site, paid=False)
        path = f"{COLLECTOR}/{order}/manual-payment"
        too_much = await site.call("POST", path, {"amount": usd("25.01")})
        taken = [await site.call("POST", path, {"amount": usd(amount)}) for amount in ("5.00", "20.00")]
        over = await site.call("POST", path, {"amount": usd("1.00")})

        assert code_of(too_much) == (400, "INVALID_AMOUNT")
        assert [status for status, _ in taken] == [200, 200]
        assert code_of(over) == (428, "ORDER_ALREADY_PAID")

    with_site(play, OFFLINE)


def test_a_charge_is_made_once_per_key_held_money_is_captured_or_voided() -> None:
    async def play(site: Site) -> None:
        order, _, _ = await bought(site, paid=False)
        charge = {
            "orderId": order,
            "idempotencyKey": NOBODY,
            "regularCharge": {"paymentIntentId": NOBODY, "amount": usd("10.00"), "delayedCaptureSettings": {}},
        }
        first = await site.call("POST", f"{BILLING}/charge-order", charge)
        second = await site.call("POST", f"{BILLING}/charge-order", charge)
        held = first[1]["payments"][0]
        cancelled = await site.call("POST", f"{ORDERS}/{order}/cancel", {})
        capture = {"orderId": order, "payments": [{"paymentId": held["id"], "amount": usd("8.00")}]}
        _, captured = await site.call("POST", f"{BILLING}/capture-authorized-payments", capture)
        again = await site.call("POST", f"{BILLING}/capture-authorized-payments", capture)
        void = {"orderId": order, "paymentIds": [held["id"]]}

        assert (held["status"], held["chargeCorrelationId"]) == ("AUTHORIZED", NOBODY)
        assert second[1]["payments"] == first[1]["payments"]
        assert code_of(cancelled) == (428, "ORDER_HAS_AUTHORIZED_TRANSACTION")
        assert captured["orderTransactions"]["payments"][0]["amount"]["amount"] == "8.00"
        assert code_of(again) == (428, "PAYMENT_ALREADY_CAPTURED")
        assert code_of(await site.call("POST", f"{BILLING}/void-authorized-payments", void)) == (
            428,
            "PAYMENT_ALREADY_CAPTURED",
        )
        assert (await order_of(site, order))["paymentStatus"] == "PARTIALLY_PAID"

    with_site(play)


# -- refunds -------------------------------------------------------------------------------------------------


def test_a_refund_gives_money_back_and_goods_only_where_asked() -> None:
    async def play(site: Site) -> None:
        order, line, payment = await bought(site)
        site.mailbox.bodies.clear()
        one = {"lineItemId": line, "quantity": 1}
        items = {"refundItems": {"lineItems": [one]}}
        first = await refund(site, order, payment, row={"amount": usd("12.50")}, **items, customerReason="Broken")
        levels = [(await site.levels())["MUG"]]
        faces = [await order_of(site, order)]
        await refund(site, order, payment, **items, sideEffects={"restock": {"lineItems": [one]}})
        levels.append((await site.levels())["MUG"])
        faces.append(await order_of(site, order))
        told = first[1]["refund"]
        completed = [e for e in await site.events() if e["eventType"].endswith("refund_completed")]
        bodies = [event["event"]["actionEvent"]["body"] for event in completed]

        assert levels == [3, 4]
        assert [face["paymentStatus"] for face in faces] == ["PARTIALLY_REFUNDED", "FULLY_REFUNDED"]
        assert [face["lineItems"][0]["refundQuantity"] for face in faces] == [1, 2]
        assert [face["lineItems"][0]["restockQuantity"] for face in faces] == [0, 1]
        assert faces[1]["balanceSummary"]["refunded"]["amount"] == "25.00"
        assert (told["details"]["reason"], told["summary"]["refunded"]["amount"]) == ("Broken", "12.50")
        assert [body["sideEffects"]["restockInfo"] for body in bodies] == [
            {"type": "NO_ITEMS"},
            {"type": "SOME_ITEMS", "items": [one]},
        ]
        moves = [(move["delta"], move["cause"]) for move in (await site.truth())["movements"]]
        assert moves == [(-2, "sale"), (1, "refund")]

    with_site(play, WixOptions(webhook_url=HOOK))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"paymentRefunds": [{"paymentId": NOBODY}]}, 404, "PAYMENT_NOT_FOUND"),
        ({"row": {"amount": usd("25.01")}}, 400, "INVALID_PAYMENT_REFUND_AMOUNT"),
        ({"row": {"amount": usd("0")}}, 400, "INVALID_PAYMENT_REFUND_AMOUNT"),
        ({"line": {"lineItemId": NOBODY, "quantity": 1}}, 404, "LINE_ITEM_NOT_FOUND"),
        ({"line": {"quantity": 3}}, 400, "INVALID_LINE_ITEM_REFUND_QUANTITY"),
        ({"restock": {"quantity": 2}}, 400, "INVALID_LINE_ITEM_RESTOCK_QUANTITY"),
        ({"fee": {"additionalFeeId": NOBODY}}, 404, "ADDITIONAL_FEE_NOT_FOUND"),
        ({"shipping": {"amount": usd("1.00")}}, 404, "SHIPPING_NOT_FOUND"),
    ],
)
def test_a_refund_that_cannot_be_is_refused_and_changes_nothing(body: dict[str, Any], status: int, code: str) -> None:
    async def play(site: Site) -> None:
        order, line, payment = await bought(site)
        before = await order_of(site, order)
        items: dict[str, Any] = {"lineItems": [{"lineItemId": line, "quantity": 1, **body.get("line", {})}]}
        if "fee" in body:
            items["additionalFees"] = [body["fee"]]
        if "shipping" in body:
            items["shipping"] = body["shipping"]
        asked = {
            "orderId": order,
            "paymentRefunds": body.get("paymentRefunds", [{"paymentId": payment, **body.get("row", {})}]),
            "refundItems": items,
        }
        if "restock" in body:
            asked["sideEffects"] = {"restock": {"lineItems": [{"lineItemId": line, **body["restock"]}]}}
        answer = await site.call("POST", f"{BILLING}/refund-payments", asked)

        assert code_of(answer) == (status, code)
        assert await order_of(site, order) == before
        assert (await site.levels())["MUG"] == 3

    with_site(play)


def test_offline_money_is_given_back_by_hand_only_and_nothing_twice() -> None:
    async def play(site: Site) -> None:
        order, _, _ = await bought(site, paid=False)
        await site.call("POST", f"{COLLECTOR}/{order}/mark-as-paid", {})
        _, money = await site.call("GET", f"{PAYMENTS}/orders/{order}")
        payment = money["orderTransactions"]["payments"][0]["id"]
        by_provider = await refund(site, order, payment)
        by_hand = await refund(site, order, payment, row={"externalRefund": True})
        again = await refund(site, order, payment, row={"externalRefund": True})

        assert code_of(by_provider) == (428, "EXTERNAL_REFUND_EXPECTED")
        assert "providerRefundId" not in by_hand[1]["refund"]["transactions"][0]
        assert code_of(again) == (428, "PAYMENT_NOT_REFUNDABLE")
        assert again[1]["details"]["applicationError"]["data"]["nonRefundableReason"] == "ALREADY_REFUNDED"

    with_site(play, OFFLINE)


@pytest.mark.parametrize("calls", [False, True])
def test_w30_whether_an_external_refund_calls_the_provider(calls: bool) -> None:
    async def play(site: Site) -> None:
        order, _, payment = await bought(site)
        _, told = await refund(site, order, payment, row={"externalRefund": True})

        assert ("providerRefundId" in told["refund"]["transactions"][0]) == calls

    with_site(play, WixOptions(quirks=WixQuirks(w30_external_refund_calls_provider=calls)))


def test_what_can_be_refunded_is_told_before_and_after() -> None:
    async def play(site: Site) -> None:
        order, line, payment = await bought(site)
        told = []
        for amount in ("10.00", None):
            _, answer = await site.call("POST", f"{BILLING}/get-order-refundability", {"orderId": order})
            told.append(answer)
            items = {"lineItems": [{"lineItemId": line, "quantity": 1}]}
            await refund(site, order, payment, row={"amount": usd(amount)} if amount else {}, refundItems=items)
        _, last = await site.call("POST", f"{BILLING}/get-order-refundability", {"orderId": order})
        _, older = await site.call("GET", f"{COLLECTOR}/{order}/refundability")

        assert [one["payments"][0]["payment"]["monetary"]["maxRefund"]["amount"] for one in told] == ["25.00", "15.00"]
        assert [one["lineItems"][0]["availableRefundQuantity"] for one in told] == [2, 1]
        assert told[0]["payments"][0]["refundable"] is True
        assert last["payments"][0]["nonRefundable"] == {"reason": "ALREADY_REFUNDED"}
        assert older["refundabilities"][0]["refundabilityStatus"] == "NOT_REFUNDABLE"

    with_site(play)


def test_a_refund_is_calculated_with_its_share_of_tax_and_discount() -> None:
    async def play(site: Site) -> None:
        order, line, _ = await bought(site)
        asked = {"orderId": order, "refundItems": {"lineItems": [{"lineItemId": line, "quantity": 1}], "shipping": {}}}
        _, told = await site.call("POST", f"{BILLING}/calculate-refund", asked)
        summary = {name: price["amount"] for name, price in told["summary"].items()}
        wrong = {"orderId": order, "refundItems": {"lineItems": [{"lineItemId": NOBODY, "quantity": 1}]}}
        _, cannot = await site.call("POST", f"{BILLING}/calculate-refund", wrong)

        assert summary == {
            "total": "20.00",
            "tax": "2.50",
            "discount": "0.00",
            "subtotal": "17.50",
            "lineItemsSubtotal": "12.50",
            "additionalFeesTotal": "0.00",
        }
        error = cannot["notAvailable"]["errors"][0]
        assert error["error"]["applicationError"]["code"] == "LINE_ITEM_NOT_FOUND"

    with_site(play, WixOptions(tax_rate=Decimal("0.2"), shipping_price=Decimal("5.00")))


def test_a_checkout_with_tax_and_shipping_adds_up_also_when_prices_hold_the_tax() -> None:
    sums: list[list[str]] = []

    async def play(site: Site) -> None:
        order, _, _ = await bought(site)
        summary = (await order_of(site, order))["priceSummary"]
        sums.append([summary[name]["amount"] for name in ("subtotal", "shipping", "tax", "total")])

    for included in (False, True):
        with_site(play, WixOptions(tax_rate=Decimal("0.25"), shipping_price=Decimal("5.00"), tax_included=included))

    assert sums == [["25.00", "5.00", "6.25", "36.25"], ["25.00", "5.00", "5.00", "30.00"]]


def test_the_older_refund_call_restocks_by_its_kind() -> None:
    async def play(site: Site) -> None:
        order, line, payment = await bought(site)
        body = {
            "payments": [{"paymentId": payment, "amount": usd("12.50")}],
            "details": {"lineItems": [{"lineItemId": line, "quantity": 1}]},
            "sideEffects": {"restockInfo": {"type": "SOME_ITEMS", "items": [{"lineItemId": line, "quantity": 1}]}},
        }
        path = f"{COLLECTOR}/{order}/trigger-refund"
        _, told = await site.call("POST", path, body)
        too_much = await site.call("POST", path, {"payments": [{"paymentId": payment, "amount": usd("13")}]})

        assert told["orderTransactions"]["refunds"][0]["id"] == told["refundId"]
        assert (await site.levels())["MUG"] == 4
        assert code_of(too_much) == (400, "INVALID_AMOUNT")

    with_site(play)


# -- chargebacks ---------------------------------------------------------------------------------------------


def test_a_bank_takes_money_back_and_gives_it_up_again() -> None:
    async def play(site: Site) -> None:
        order, _, payment = await bought(site)
        path = f"/_sandbox/orders/{order}/chargeback"
        site.mailbox.bodies.clear()
        statuses = [(await site.ask("POST", path, body)).status for body in ({"amount": "30"}, {"amount": "25.00"})]
        face = await order_of(site, order)
        refused = await refund(site, order, payment)
        statuses.append((await site.ask("POST", path, {"reverse": True})).status)
        after = await order_of(site, order)
        events = [event["eventType"].removeprefix("wix.ecom.v1.") for event in await site.events()]

        assert statuses == [422, 200, 200]
        assert face["balanceSummary"]["chargeback"]["amount"] == "25.00"
        assert code_of(refused) == (428, "PAYMENT_NOT_REFUNDABLE")
        assert after["balanceSummary"]["chargebackReversal"]["amount"] == "25.00"
        assert [event for event in events if "chargeback" in event] == [
            "order_transactions_chargeback_approved",
            "order_transactions_chargeback_reversed",
        ]
        assert (await refund(site, order, payment))[0] == 200

    with_site(play, WixOptions(webhook_url=HOOK))


# -- the log -------------------------------------------------------------------------------------------------


def test_comments_are_added_changed_and_deleted_and_the_sites_own_entries_are_not() -> None:
    async def play(site: Site) -> None:
        order, _, _ = await bought(site)
        path = f"{ORDERS}/{order}/activities"
        _, one = await site.call("POST", path, {"activity": {"merchantComment": {"message": "Call first"}}})
        comments = [{"merchantComment": {"message": text}} for text in ("a", "b")]
        _, several = await site.call("POST", f"{path}/add", {"orderActivities": comments})
        change = {"activity": {"merchantComment": {"message": "Rang"}}}
        await site.call("PATCH", f"{path}/{one['activityId']}", change)
        _, told = await site.call("DELETE", f"{path}/{several['activityIds'][0]}")
        activities = told["order"]["activities"]
        own = next(activity["id"] for activity in activities if activity["activityType"] == "ORDER_PLACED")

        messages = [activity["merchantComment"]["message"] for activity in activities if "merchantComment" in activity]
        assert messages == ["Rang", "b"]
        assert (await site.call("DELETE", f"{path}/{own}"))[0] == 404

    with_site(play)
