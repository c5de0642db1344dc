"""eCommerce orders by the API: created, brought in, searched, changed, cancelled. Every call is held against the
declared messages as well (``with_site``)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import STORES_APP_ID, WixOptions

ORDERS = "/ecom/v1/orders"
HOOKED = WixOptions(webhook_url=HOOK)
NOBODY = "6c3a1e8e-52a3-4d0c-9c1b-0d6e3f0b8f11"


def line_of(site: Site, sku: str, quantity: int, price: str = "12.50") -> dict[str, Any]:
    variant = site.store.shelf.by_sku[sku]
    return {
        "productName": {"original": variant.product.name},
        "catalogReference": {
            "catalogItemId": variant.product.id,
            "appId": STORES_APP_ID,
            "options": {"variantId": variant.variant_id},
        },
        "quantity": quantity,
        "price": {"amount": price},
        "physicalProperties": {"sku": sku, "shippable": True},
        "itemType": {"preset": "PHYSICAL"},
    }


def copy_of(site: Site, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An Order message as a client that mirrors another shop sends it."""
    return {
        "channelInfo": {"type": "OTHER_PLATFORM", "externalOrderId": "gid://shopify/Order/7"},
        "lineItems": list(lines) or [line_of(site, "MUG", 2)],
        "priceSummary": {"subtotal": {"amount": "25.00"}, "total": {"amount": "25.00"}},
        "buyerInfo": {"email": "ann@example.org"},
        "shippingInfo": {"title": "Post"},
        **more,
    }


def code_of(told: dict[str, Any]) -> str:
    return str(told["details"]["applicationError"]["code"])


async def kinds(site: Site) -> list[str]:
    return [
        told["eventType"].removeprefix("wix.ecom.v1.") for told in await site.events() if "ecom" in told["eventType"]
    ]


# -- created -------------------------------------------------------------------------------------------------


def test_a_created_order_lowers_stock_once_knows_its_origin_and_is_found_by_it() -> None:
    async def play(site: Site) -> None:
        status, told = await site.call(
            "POST", ORDERS, {"order": copy_of(site, status="APPROVED", paymentStatus="PAID")}
        )
        order = told["order"]
        truth = await site.truth()
        query = {"search": {"filter": {"channelInfo.externalOrderId": {"$eq": "gid://shopify/Order/7"}}}}
        _, found = await site.call("POST", f"{ORDERS}/search", query)

        assert status == 200
        assert (order["number"], order["status"], order["paymentStatus"]) == ("10001", "APPROVED", "PAID")
        assert order["buyerInfo"]["contactId"]
        assert list(order["createdBy"]) == ["userId"]
        assert [(move["sku"], move["delta"], move["cause"], move["ref"]) for move in truth["movements"]] == [
            ("MUG", -2, "sale", order["id"])
        ]
        assert [(told["origin"], told["payment"], told["total"]) for told in truth["orders"]] == [
            ("gid://shopify/Order/7", "paid", "25.00")
        ]
        assert found["orders"] == [order]
        assert await kinds(site) == ["order_created", "order_approved", "order_payment_status_updated"]

    with_site(play, HOOKED)


@pytest.mark.parametrize(("takes", "level"), [(True, 3), (False, 5)])
def test_w8_whether_a_created_order_takes_stock(takes: bool, level: int) -> None:
    async def play(site: Site) -> None:
        await site.call("POST", ORDERS, {"order": copy_of(site)})

        assert (await site.levels())["MUG"] == level

    with_site(play, WixOptions(quirks=WixQuirks(w8_created_orders_take_stock=takes)))


@pytest.mark.parametrize("status", ["INITIALIZED", "APPROVED"])
def test_w8_what_an_unpaid_created_order_is(status: Any) -> None:
    async def play(site: Site) -> None:
        _, told = await site.call("POST", ORDERS, {"order": copy_of(site)})

        assert (told["order"]["status"], told["order"]["paymentStatus"]) == (status, "NOT_PAID")

    with_site(play, WixOptions(quirks=WixQuirks(w8_unpaid_created_status=status)))


def test_a_created_order_may_go_below_zero_because_nobody_asks_the_stock() -> None:
    async def play(site: Site) -> None:
        order = copy_of(site, line_of(site, "MUG", 8), status="APPROVED")
        assert (await site.call("POST", ORDERS, {"order": order}))[0] == 200

        assert (await site.levels())["MUG"] == -3

    with_site(play)


def test_sums_are_told_as_stated_and_a_missing_total_is_added_up() -> None:
    async def play(site: Site) -> None:
        line = {
            **line_of(site, "MUG", 2, "10.00"),
            "priceBeforeDiscounts": {"amount": "12.50"},
            "taxInfo": {"taxAmount": {"amount": "1.60"}, "taxRate": "0.08"},
        }
        summary = {name: {"amount": amount} for name, amount in PARTS.items()}
        fee = {"id": NOBODY, "name": "Gift wrap", "price": {"amount": "3.00"}, "source": "MANUAL"}
        order = copy_of(site, line, priceSummary=summary, additionalFees=[fee])
        _, told = await site.call("POST", ORDERS, {"order": order})
        shown = told["order"]
        row = shown["lineItems"][0]

        assert {name: price["amount"] for name, price in shown["priceSummary"].items()} == {
            "subtotal": "25.00",
            "total": "29.60",
            **PARTS,
        }
        assert shown["balanceSummary"]["balance"]["amount"] == "29.60"
        assert shown["taxInfo"]["totalTax"]["amount"] == "1.60"
        assert shown["additionalFees"] == [fee]
        assert (row["totalDiscount"]["amount"], row["lineItemPrice"]["amount"]) == ("5.00", "20.00")
        assert (row["totalPriceBeforeTax"]["amount"], row["totalPriceAfterTax"]["amount"]) == ("20.00", "21.60")
        assert row["taxInfo"] == line["taxInfo"]

    with_site(play)


PARTS = {"shipping": "5.00", "tax": "1.60", "discount": "5.00", "totalAdditionalFees": "3.00"}


def test_an_order_that_ships_nothing_reads_as_fulfilled() -> None:
    async def play(site: Site) -> None:
        order = copy_of(site)
        del order["shippingInfo"]
        _, told = await site.call("POST", ORDERS, {"order": order})

        assert told["order"]["fulfillmentStatus"] == "FULFILLED"
        assert "shippingInfo" not in told["order"]

    with_site(play)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"channelInfo": None}, "order.channelInfo"),
        ({"channelInfo": {"type": "SHOPIFY"}}, "order.channelInfo.type"),
        ({"channelInfo": {"type": "WEB", "externalOrderId": "x" * 101}}, "order.channelInfo.externalOrderId"),
        ({"lineItems": []}, "order.lineItems"),
        ({"priceSummary": None}, "order.priceSummary"),
        ({"priceSummary": {"total": {"amount": "-1"}}}, "order.priceSummary.total.amount"),
        ({"status": "SHIPPED"}, "order.status"),
        ({"checkoutId": "7"}, "order.checkoutId"),
    ],
)
def test_a_wrong_order_is_refused_by_field_and_leaves_no_gap_in_the_numbers(wrong: dict[str, Any], field: str) -> None:
    async def play(site: Site) -> None:
        status, told = await site.call("POST", ORDERS, {"order": {**copy_of(site), **wrong}})
        violation = told["details"]["validationError"]["fieldViolations"][0]
        _, good = await site.call("POST", ORDERS, {"order": copy_of(site)})

        assert (status, violation["field"]) == (400, field)
        assert good["order"]["number"] == "10001"
        assert (await site.levels())["MUG"] == 3

    with_site(play)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"price": None}, "price"),
        ({"productName": {}}, "productName.original"),
        ({"itemType": {"preset": "DIGITAL"}}, "digitalFile"),
        ({"catalogReference": {"appId": STORES_APP_ID}}, "catalogReference.catalogItemId"),
        ({"id": "line-1"}, "id"),
    ],
)
def test_a_wrong_line_is_refused_by_field(wrong: dict[str, Any], field: str) -> None:
    async def play(site: Site) -> None:
        order = copy_of(site, {**line_of(site, "MUG", 1), **wrong})
        status, told = await site.call("POST", ORDERS, {"order": order})
        violation = told["details"]["validationError"]["fieldViolations"][0]

        assert (status, violation["field"]) == (400, f"order.lineItems[0].{field}")
        assert (await site.truth())["movements"] == []

    with_site(play)


def test_a_purchase_in_the_future_is_refused() -> None:
    async def play(site: Site) -> None:
        order = copy_of(site, purchasedDate="2999-01-01T00:00:00Z")
        status, told = await site.call("POST", ORDERS, {"order": order})

        assert (status, code_of(told)) == (400, "PURCHASED_DATE_CANNOT_BE_IN_FUTURE")

    with_site(play)


def test_goods_of_another_app_are_a_line_without_stock() -> None:
    async def play(site: Site) -> None:
        line = {**line_of(site, "MUG", 1), "catalogReference": {"appId": NOBODY, "catalogItemId": "x"}}
        _, told = await site.call("POST", ORDERS, {"order": copy_of(site, line)})

        assert told["order"]["lineItems"][0]["catalogReference"] == {"appId": NOBODY, "catalogItemId": "x"}
        assert (await site.truth())["movements"] == []

    with_site(play)


# -- brought in ----------------------------------------------------------------------------------------------


def test_an_import_moves_no_stock_fires_one_event_and_is_replaced_under_its_id() -> None:
    async def play(site: Site) -> None:
        message = copy_of(site, number="S-1007", createdDate="2025-01-02T03:04:05.000Z", paymentStatus="PAID")
        _, first = await site.call("POST", f"{ORDERS}/import", {"order": {**message, "fulfillmentStatus": "FULFILLED"}})
        order_id = first["order"]["id"]
        again = {**message, "id": order_id, "number": "S-1008"}
        _, second = await site.call("POST", f"{ORDERS}/import", {"order": again})
        truth = await site.truth()

        assert (first["order"]["number"], first["order"]["imported"]) == ("S-1007", True)
        assert first["order"]["createdDate"] == "2025-01-02T03:04:05.000Z"
        assert (first["order"]["paymentStatus"], first["order"]["fulfillmentStatus"]) == ("PAID", "FULFILLED")
        assert (second["order"]["id"], second["order"]["number"]) == (order_id, "S-1008")
        assert (second["order"]["fulfillmentStatus"], len(truth["orders"])) == ("NOT_FULFILLED", 1)
        assert (truth["movements"], truth["orders"][0]["origin"]) == ([], "gid://shopify/Order/7")
        assert await kinds(site) == ["order_imported", "order_imported"]

    with_site(play, HOOKED)


def test_an_import_never_overwrites_another_order() -> None:
    async def play(site: Site) -> None:
        _, bought = await site.buy("MUG", 1)
        order = copy_of(site, id=bought["order_id"])
        status, told = await site.call("POST", f"{ORDERS}/import", {"order": order})
        _, kept = await site.call("GET", f"{ORDERS}/{bought['order_id']}")

        assert (status, code_of(told)) == (428, "CANNOT_OVERWRITE_NON_IMPORTED_ORDER")
        assert (kept["order"]["imported"], kept["order"]["channelInfo"]) == (False, {"type": "WEB"})

    with_site(play)


@pytest.mark.parametrize(("takes", "level"), [(False, 5), (True, 3)])
def test_w9_whether_an_import_takes_stock(takes: bool, level: int) -> None:
    async def play(site: Site) -> None:
        _, told = await site.call("POST", f"{ORDERS}/import", {"order": copy_of(site)})
        await site.call("POST", f"{ORDERS}/import", {"order": copy_of(site, id=told["order"]["id"])})

        assert (await site.levels())["MUG"] == level

    with_site(play, WixOptions(quirks=WixQuirks(w9_imports_take_stock=takes)))


@pytest.mark.parametrize(
    ("fires", "events"), [(False, ["order_imported"]), (True, ["order_imported", "order_created"])]
)
def test_w9_which_events_an_import_fires(fires: bool, events: list[str]) -> None:
    async def play(site: Site) -> None:
        await site.call("POST", f"{ORDERS}/import", {"order": copy_of(site)})

        assert await kinds(site) == events

    with_site(play, WixOptions(webhook_url=HOOK, quirks=WixQuirks(w9_import_fires_standard_events=fires)))


@pytest.mark.parametrize(("unasked", "restock", "level"), [(False, False, 5), (False, True, 7), (True, False, 7)])
def test_w10_when_a_cancelled_import_moves_stock(unasked: bool, restock: bool, level: int) -> None:
    async def play(site: Site) -> None:
        _, told = await site.call("POST", f"{ORDERS}/import", {"order": copy_of(site)})
        path = f"{ORDERS}/{told['order']['id']}/cancel"
        _, cancelled = await site.call("POST", path, {"restockAllItems": restock})

        assert (await site.levels())["MUG"] == level
        assert cancelled["order"]["lineItems"][0]["restockQuantity"] == level - 5

    with_site(play, WixOptions(quirks=WixQuirks(w10_imported_restocks_unasked=unasked)))


def test_imports_are_deleted_and_other_orders_are_not() -> None:
    async def play(site: Site) -> None:
        _, bought = await site.buy("MUG", 1)
        _, told = await site.call("POST", f"{ORDERS}/import", {"order": copy_of(site)})
        ids = [told["order"]["id"], bought["order_id"]]
        site.mailbox.bodies.clear()
        status, job = await site.call("POST", f"{ORDERS}/import/bulk-delete-imported-orders", {"orderIds": ids})

        assert (status, list(job)) == (200, ["jobId"])
        assert [order["id"] for order in (await site.truth())["orders"]] == [bought["order_id"]]
        assert (await site.call("GET", f"{ORDERS}/{ids[0]}"))[0] == 404
        assert await kinds(site) == ["order_imported_order_deleted"]

    with_site(play, HOOKED)


def test_the_number_counter_goes_up_and_down_only_when_allowed() -> None:
    async def play(site: Site) -> None:
        path = f"{ORDERS}/import/set-order-number-counter"
        _, up = await site.call("POST", path, {"counter": "20000"})
        status, down = await site.call("POST", path, {"counter": "15000"})
        _, allowed = await site.call("POST", path, {"counter": "15000", "allowLowerCounter": True})

        assert up == {"oldCounter": "10001", "newCounter": "20000"}
        assert (status, code_of(down)) == (428, "CANNOT_SET_LOWER_ORDER_NUMBER_COUNTER")
        assert allowed["newCounter"] == "15000"
        assert (await site.buy("MUG", 1))[1]["name"] == "15000"

    with_site(play)


# -- found ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lag_ms", "numbers"), [(0, ["10001"]), (5_000, [])])
def test_w25_how_soon_an_order_is_found_by_its_external_id(lag_ms: int, numbers: list[str]) -> None:
    async def play(site: Site) -> None:
        await site.call("POST", ORDERS, {"order": copy_of(site, status="APPROVED")})
        by_origin = {"channelInfo.externalOrderId": "gid://shopify/Order/7"}

        assert await found(site, filter=by_origin) == numbers
        assert await found(site) == ["10001"]
        await asyncio.sleep(5)
        assert await found(site, filter=by_origin) == ["10001"]

    with_site(play, WixOptions(quirks=WixQuirks(w25_external_id_lag_ms=lag_ms)))


async def found(site: Site, **search: Any) -> list[str]:
    _, told = await site.call("POST", f"{ORDERS}/search", {"search": search})
    return [order["number"] for order in told["orders"]]


def test_searches_hide_what_is_not_approved_unless_asked_and_initialized_orders_always() -> None:
    async def play(site: Site) -> None:
        for status in ("APPROVED", "INITIALIZED", "PENDING", "REJECTED", "CANCELED"):
            await asyncio.sleep(1)
            await site.call("POST", ORDERS, {"order": copy_of(site, status=status)})

        assert await found(site) == ["10005", "10001"]
        assert await found(site, filter={"status": {"$in": ["PENDING", "REJECTED", "INITIALIZED"]}}) == [
            "10004",
            "10003",
        ]

    with_site(play)


def test_orders_are_found_by_what_they_say_of_themselves() -> None:
    async def play(site: Site) -> None:
        await site.buy("MUG", 1, customer={"email": "bob@example.org", "first_name": "Bob"})
        await asyncio.sleep(1)
        more = {
            "status": "APPROVED",
            "priceSummary": {"total": {"amount": "99.00"}},
            "tags": {"tags": {"tagIds": ["a"]}},
        }
        _, told = await site.call("POST", ORDERS, {"order": copy_of(site, line_of(site, "SHIRT-S", 1), **more)})
        shirt = site.store.shelf.by_sku["SHIRT-S"].product.id
        filters: list[dict[str, Any]] = [
            {"channelInfo.type": "OTHER_PLATFORM"},
            {"channelInfo.externalOrderId": {"$in": ["gid://shopify/Order/7"]}},
            {"priceSummary.total.amount": {"$gt": 50}},
            {"buyerInfo.contactId": told["order"]["buyerInfo"]["contactId"]},
            {"checkoutId": told["order"]["checkoutId"]},
            {"lineItems.catalogReference.catalogItemId": {"$hasSome": [shirt]}},
            {"tags.tags.tagIds": {"$hasAll": ["a"]}},
            {"purchasedDate": {"$gte": told["order"]["purchasedDate"]}},
            {"$not": {"buyerInfo.email": {"$startsWith": "bob"}}},
            {"paymentStatus": {"$ne": "PAID"}},
        ]

        assert [await found(site, filter=one) for one in filters] == [["10002"]] * len(filters)
        assert await found(site, filter={"imported": False}, sort=[{"fieldName": "updatedDate"}]) == ["10001", "10002"]
        sort = [{"fieldName": "priceSummary.total.amount", "order": "DESC"}]
        assert await found(site, sort=sort) == ["10002", "10001"]

    with_site(play)


def test_a_search_takes_at_most_four_sorts_and_a_hundred_orders() -> None:
    async def play(site: Site) -> None:
        sort = [{"fieldName": name} for name in ("status", "number", "currency", "createdDate", "updatedDate")]

        assert (await site.call("POST", f"{ORDERS}/search", {"search": {"sort": sort}}))[0] == 400
        assert (await site.call("POST", f"{ORDERS}/search", {"search": {"cursorPaging": {"limit": 101}}}))[0] == 400

    with_site(play)


def test_orders_are_counted_and_added_up() -> None:
    async def play(site: Site) -> None:
        await site.buy("MUG", 1)
        await site.buy("SHIRT-S", 2)
        asked = {
            "filter": {"paymentStatus": "PAID"},
            "aggregation": {
                "kinds": {"$count": ["status", "fulfillmentStatus"]},
                "money": {"$sum": "priceSummary.total.amount"},
            },
        }
        _, told = await site.call("POST", f"{ORDERS}/aggregate", asked)

        assert told == {"aggregates": {"kinds": {"APPROVED|NOT_FULFILLED": 2}, "money": 37.5}}

    with_site(play)


# -- changed -------------------------------------------------------------------------------------------------


def test_an_update_changes_what_it_may_and_nothing_else() -> None:
    async def play(site: Site) -> None:
        _, bought = await site.buy("MUG", 1, customer={"email": "bob@example.org", "first_name": "Bob"})
        path = f"{ORDERS}/{bought['order_id']}"
        site.mailbox.bodies.clear()
        change = {
            "archived": True,
            "buyerInfo": {"email": "rob@example.org"},
            "recipientInfo": {"contactDetails": {"lastName": "Ross"}},
            "shippingInfo": {"title": "Pigeon", "logistics": {"shippingDestination": {"address": {"city": "Oslo"}}}},
            "status": "CANCELED",
            "number": "7",
        }
        _, told = await site.call("PATCH", path, {"order": change})
        order = told["order"]

        assert (order["archived"], order["buyerInfo"]["email"]) == (True, "rob@example.org")
        assert order["recipientInfo"]["contactDetails"] == {"firstName": "Bob", "lastName": "Ross"}
        assert order["shippingInfo"]["logistics"]["shippingDestination"]["address"] == {"city": "Oslo"}
        assert (order["shippingInfo"]["title"], order["status"], order["number"]) == (
            "Standard shipping",
            "APPROVED",
            "10001",
        )
        assert {activity["activityType"] for activity in order["activities"]} >= {
            "EMAIL_EDITED",
            "SHIPPING_ADDRESS_EDITED",
        }
        assert await kinds(site) == ["order_updated"]

    with_site(play, HOOKED)


@pytest.mark.parametrize("status", ["PENDING", "REJECTED"])
def test_pending_and_rejected_orders_refuse_changes_and_cancellation(status: str) -> None:
    async def play(site: Site) -> None:
        _, told = await site.call("POST", ORDERS, {"order": copy_of(site, status=status)})
        path = f"{ORDERS}/{told['order']['id']}"
        answers = [
            await site.call("PATCH", path, {"order": {"archived": True}}),
            await site.call("POST", f"{path}/cancel"),
        ]

        assert [(code, code_of(body)) for code, body in answers] == [(428, f"ORDER_IS_{status}")] * 2
        assert (await site.call("GET", path))[1]["order"] == told["order"]

    with_site(play)


def test_a_bulk_update_does_the_others_when_one_is_unknown() -> None:
    async def play(site: Site) -> None:
        _, bought = await site.buy("MUG", 1)
        rows = [{"order": {"id": NOBODY, "archived": True}}, {"order": {"id": bought["order_id"], "archived": True}}]
        _, told = await site.call("POST", "/ecom/v1/bulk/orders/update", {"orders": rows, "returnEntity": True})
        first, second = told["results"]

        assert first["itemMetadata"]["error"]["code"] == "ORDER_NOT_FOUND"
        assert (second["item"]["archived"], second["itemMetadata"]["originalIndex"]) == (True, 1)
        assert told["bulkActionMetadata"] == {"totalSuccesses": 1, "totalFailures": 1, "undetailedFailures": 0}

    with_site(play)


def test_tags_are_assigned_and_taken_away() -> None:
    async def play(site: Site) -> None:
        _, bought = await site.buy("MUG", 1)
        path, ids = "/ecom/v1/bulk/orders/update-tags", [bought["order_id"]]
        await site.call("POST", path, {"orderIds": ids, "assignTags": {"tags": {"tagIds": ["a", "b"]}}})
        more = {"assignTags": {"tags": {"tagIds": ["c", "a"]}}, "unassignTags": {"tags": {"tagIds": ["b"]}}}
        await site.call("POST", path, {"orderIds": ids, **more})
        _, told = await site.call("GET", f"{ORDERS}/{ids[0]}")

        assert told["order"]["tags"]["tags"] == {"tagIds": ["a", "c"]}

    with_site(play)


def test_the_status_moves_forward_only() -> None:
    async def play(site: Site) -> None:
        _, told = await site.call("POST", ORDERS, {"order": copy_of(site)})
        path = f"{ORDERS}/{told['order']['id']}/update-status"
        answers = []
        for status in ("REJECTED", "APPROVED", "APPROVED", "CANCELED", "APPROVED"):
            code, told = await site.call("POST", path, {"status": status})
            answers.append((code, told["order"]["status"] if code == 200 else code_of(told)))

        assert answers == [
            (400, "STATUS_NOT_SUPPORTED"),
            (200, "APPROVED"),
            (428, "STATUS_ALREADY_SET"),
            (200, "CANCELED"),
            (428, "UNSUPPORTED_TRANSITION"),
        ]
        assert (await site.levels())["MUG"] == 3

    with_site(play)


def test_a_cancellation_restocks_only_when_asked_and_says_so() -> None:
    async def play(site: Site) -> None:
        ids = [(await site.buy("MUG", 1))[1]["order_id"] for _ in range(2)]
        site.mailbox.bodies.clear()
        await site.call("POST", f"{ORDERS}/{ids[0]}/cancel", {})
        _, told = await site.call(
            "POST", f"{ORDERS}/{ids[1]}/cancel", {"restockAllItems": True, "customMessage": "Sorry"}
        )
        events = {event["eventType"]: event for event in await site.events()}
        body = events["wix.ecom.v1.order_canceled"]["event"]["actionEvent"]["body"]

        assert (await site.levels())["MUG"] == 4
        assert told["order"]["lineItems"][0]["restockQuantity"] == 1
        assert (body["restockAllItems"], body["customMessage"], body["order"]["status"]) == (True, "Sorry", "CANCELED")

    with_site(play, HOOKED)


def test_an_order_that_never_took_stock_gives_none_back() -> None:
    async def play(site: Site) -> None:
        _, bought = await site.buy("MUG", 2, paid=False)
        await site.call("POST", f"{ORDERS}/{bought['order_id']}/cancel", {"restockAllItems": True})

        assert (await site.levels())["MUG"] == 5
        assert (await site.truth())["movements"] == []

    with_site(play, WixOptions(trigger="ON_ORDER_PAID", unpaid="OFFLINE"))


def test_an_order_event_that_nobody_takes_comes_twelve_times_again_as_it_was_at_first() -> None:
    async def play(site: Site) -> None:
        site.mailbox.bodies.clear()
        site.mailbox.answers = [500] * 13
        await site.ask("PUT", "/_sandbox/webhook_address", {"url": HOOK, "events": ["wix.ecom.v1.order_created"]})
        began, moments = site.clock.now(), []
        await site.buy("MUG", 1)
        for minutes in (0, 1, 10, 60, 120, 120, 120, 240, 240, 240, 480, 480, 720, 720):
            await asyncio.sleep(60 * minutes + 0.5)
            moments.append(len(site.mailbox.bodies))
        events = await site.events()

        assert moments == [*range(1, 14), 13]
        assert len({event["event"]["id"] for event in events}) == 1
        assert len({str(event["event"]["createdEvent"]) for event in events}) == 1
        assert (site.clock.now() - began).total_seconds() > 48 * 3600

    with_site(play)
