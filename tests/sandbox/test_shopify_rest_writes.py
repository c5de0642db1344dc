"""Writes over the REST surface of the pretend Shopify shop, and what they do to stock, webhooks and the truth."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.ids import number_of

API = "/admin/api/2026-10"
NO_LIST = "expected Array of Hashes"


async def call(shop: Shop, method: str, path: str, body: object = None) -> tuple[int, Any]:
    proof = {"x-shopify-access-token": shop.store.credentials()["access_token"]}
    answer = await shop.ask(method, f"{API}/{path}.json", body, proof)
    return answer.status, msgspec.json.decode(answer.body)


async def written(shop: Shop, method: str, path: str, body: object) -> Any:
    """What stands under the resource's name of an answer that is no error."""
    status, content = await call(shop, method, path, body)
    assert status in (200, 201), content
    return next(iter(content.values()))


async def kettle(shop: Shop) -> Any:
    variants = [
        {"option1": "Blue", "price": "59.90", "sku": "K-B", "inventory_management": "shopify", "grams": 900},
        {"option1": "Red", "price": 61, "sku": "K-R", "inventory_policy": "continue"},
    ]
    given = {"title": "Kettle", "body_html": "<p>1.7 l</p>", "tags": "kitchen, new", "options": [{"name": "Colour"}]}
    return await written(shop, "POST", "products", {"product": {**given, "variants": variants}})


def number(shop: Shop, sku: str) -> int:
    return number_of(shop.store.shelves.by_sku[sku].variant_id)


async def order(shop: Shop, **more: object) -> Any:
    line = {"variant_id": number(shop, "MUG"), "quantity": 2}
    return await written(shop, "POST", "orders", {"order": {"line_items": [line], **more}})


def test_a_product_is_made_with_its_variants_changed_and_deleted_and_the_webhooks_tell() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("products/create", "products/update", "products/delete")
        made = await kettle(shop)
        assert (made["handle"], made["status"], made["tags"]) == ("kettle", "active", "kitchen, new")
        assert [
            (one["sku"], one["option1"], one["price"], one["inventory_management"], one["inventory_policy"])
            for one in made["variants"]
        ] == [("K-B", "Blue", "59.90", "shopify", "deny"), ("K-R", "Red", "61.00", None, "continue")]
        changed = await written(shop, "PUT", f"products/{made['id']}", {"product": {"title": "Kettle 2"}})
        assert (changed["title"], len(changed["variants"])) == ("Kettle 2", 2)
        kept = {"variants": [{"id": made["variants"][0]["id"], "price": "49.90"}, {"option1": "Green", "sku": "K-G"}]}
        changed = await written(shop, "PUT", f"products/{made['id']}", {"product": kept})
        assert [(one["sku"], one["price"]) for one in changed["variants"]] == [("K-B", "49.90"), ("K-G", "0.00")]
        assert await call(shop, "DELETE", f"products/{made['id']}") == (200, {})
        assert (await call(shop, "GET", f"products/{made['id']}"))[0] == 404
        await shop.clock.sleep(5)
        topics = [headers["x-shopify-topic"] for headers in shop.mailbox.headers]
        assert topics == ["products/create", "products/update", "products/update", "products/delete"]

    with_shop(play)


def test_a_variant_is_added_renamed_and_taken_away_and_its_item_has_a_cost() -> None:
    async def play(shop: Shop) -> None:
        made = await kettle(shop)
        here = f"products/{made['id']}/variants"
        pink = await written(shop, "POST", here, {"variant": {"option1": "Pink", "price": "5", "sku": "K-P"}})
        twice = await call(shop, "POST", here, {"variant": {"option1": "Pink"}})
        assert twice[0] == 422
        rose = {"variant": {"option1": "Rose", "price": "6.50", "compare_at_price": "9", "barcode": "4006381"}}
        changed = await written(shop, "PUT", f"variants/{pink['id']}", rose)
        assert [changed[name] for name in ("title", "sku", "price", "compare_at_price", "barcode")] == [
            "Rose", "K-P", "6.50", "9.00", "4006381",
        ]  # fmt: skip
        cost = {"inventory_item": {"cost": "1.20", "tracked": True}}
        item = await written(shop, "PUT", f"inventory_items/{pink['inventory_item_id']}", cost)
        assert (item["cost"], item["tracked"]) == ("1.20", True)
        assert await call(shop, "DELETE", f"{here}/{pink['id']}") == (200, {})
        assert (await call(shop, "DELETE", f"{here}/{pink['id']}"))[0] == 404

    with_shop(play)


def test_goods_without_options_have_one_variant_and_options_without_variants_their_first_values() -> None:
    async def play(shop: Shop) -> None:
        plain = await written(shop, "POST", "products", {"product": {"title": "Plain", "variants": [{"sku": "P"}]}})
        assert [(one["title"], one["sku"]) for one in plain["variants"]] == [("Default Title", "P")]
        sizes = {"title": "Bare", "options": [{"name": "Size", "values": ["S", "M"]}]}
        bare = await written(shop, "POST", "products", {"product": sizes})
        assert [one["option1"] for one in bare["variants"]] == ["S"]

    with_shop(play)


def test_an_order_obeys_the_policy_when_asked_to_and_takes_no_stock_unless_told() -> None:
    async def play(shop: Shop) -> None:
        assert (await order(shop))["financial_status"] == "pending"
        assert (await shop.levels())["MUG"] == 5
        paid = {"kind": "sale", "status": "success", "amount": "29.90"}
        made = await order(
            shop,
            inventory_behaviour="decrement_obeying_policy",
            shipping_lines=[{"title": "Standard", "price": "4.90"}],
            transactions=[paid],
            source_identifier="w-17",
            tags="wix, express",
            note_attributes=[{"name": "gift", "value": 1}],
            customer={"email": "ada@example.com", "first_name": "Ada"},
        )
        assert (await shop.levels())["MUG"] == 3
        assert [made[name] for name in ("financial_status", "total_price", "source_identifier", "tags")] == [
            "paid", "29.90", "w-17", "express, wix",
        ]  # fmt: skip
        assert made["note_attributes"] == [{"name": "gift", "value": "1"}]
        assert made["customer"]["first_name"] == "Ada"
        lines = [{"variant_id": number(shop, "MUG"), "quantity": 4}]
        short = {"order": {"line_items": lines, "inventory_behaviour": "decrement_obeying_policy"}}
        assert await call(shop, "POST", "orders", short) == (
            422,
            {"errors": {"line_items": ["Unable to reserve inventory"]}},
        )

    with_shop(play)


def test_an_order_is_changed_sent_tracked_called_back_and_cancelled_with_its_stock() -> None:
    async def play(shop: Shop) -> None:
        made = await order(shop, inventory_behaviour="decrement_obeying_policy")
        changed = await written(shop, "PUT", f"orders/{made['id']}", {"order": {"note": "ring", "tags": "late"}})
        assert (changed["note"], changed["tags"]) == ("ring", "late")
        (to_send,) = (await call(shop, "GET", f"orders/{made['id']}/fulfillment_orders"))[1]["fulfillment_orders"]
        row = {"id": to_send["line_items"][0]["id"], "quantity": 1}
        picks = [{"fulfillment_order_id": to_send["id"], "fulfillment_order_line_items": [row]}]
        parcel = {"line_items_by_fulfillment_order": picks, "tracking_info": {"number": "T-1", "company": "DHL"}}
        sent = await written(shop, "POST", "fulfillments", {"fulfillment": parcel})
        assert (sent["tracking_number"], sent["line_items"][0]["quantity"]) == ("T-1", 1)
        tracked = {"fulfillment": {"tracking_info": {"number": "T-2", "company": "DHL"}}}
        again = await written(shop, "POST", f"fulfillments/{sent['id']}/update_tracking", tracked)
        assert again["tracking_number"] == "T-2"
        back = await written(shop, "POST", f"fulfillments/{sent['id']}/cancel", {})
        assert back["status"] == "cancelled"
        gone = await written(shop, "POST", f"orders/{made['id']}/cancel", {"reason": "customer", "restock": True})
        assert (gone["cancel_reason"], gone["cancelled_at"] is None) == ("customer", False)
        assert (await shop.levels())["MUG"] == 5
        assert await call(shop, "POST", f"orders/{made['id']}/cancel", {}) == (
            422,
            {"errors": {"base": ["Cannot cancel an order that has already been canceled"]}},
        )
        assert (await written(shop, "POST", f"orders/{made['id']}/close", {}))["closed_at"] is not None
        assert (await written(shop, "POST", f"orders/{made['id']}/open", {}))["closed_at"] is None
        assert await call(shop, "DELETE", f"orders/{made['id']}") == (200, {})

    with_shop(play)


def test_money_that_was_authorized_is_captured_and_given_back() -> None:
    async def play(shop: Shop) -> None:
        held = {"kind": "authorization", "status": "success", "amount": "25.00", "gateway": "bogus"}
        made = await order(shop, transactions=[held], inventory_behaviour="decrement_ignoring_policy")
        assert made["financial_status"] == "authorized"
        here = f"orders/{made['id']}"
        taken = await written(shop, "POST", f"{here}/transactions", {"transaction": {"kind": "capture"}})
        assert (taken["kind"], taken["amount"]) == ("capture", "25.00")
        line = {"line_item_id": made["line_items"][0]["id"], "quantity": 1, "restock_type": "cancel"}
        line["location_id"] = number_of(shop.place(0))
        money = {"kind": "refund", "amount": "12.50", "gateway": "bogus", "parent_id": taken["id"]}
        given = {"refund": {"note": "one too many", "refund_line_items": [line], "transactions": [money]}}
        refund = await written(shop, "POST", f"{here}/refunds", given)
        assert (refund["note"], [one["amount"] for one in refund["transactions"]]) == ("one too many", ["12.50"])
        assert (await shop.levels())["MUG"] == 4
        assert len((await call(shop, "GET", f"{here}/refunds"))[1]["refunds"]) == 1
        assert [one["kind"] for one in (await call(shop, "GET", f"{here}/transactions"))[1]["transactions"]] == [
            "authorization", "capture", "refund",
        ]  # fmt: skip

    with_shop(play)


def test_a_customer_is_made_found_changed_and_deleted_unless_orders_hang_on_it() -> None:
    async def play(shop: Shop) -> None:
        consent = {"state": "subscribed", "opt_in_level": "single_opt_in"}
        address = {"address1": "Hafen 1", "city": "Ulm", "country_code": "DE", "zip": "89073"}
        given = {"first_name": "Ada", "email": "ada@example.com", "tags": "vip", "addresses": [address]}
        made = await written(shop, "POST", "customers", {"customer": {**given, "email_marketing_consent": consent}})
        here = f"customers/{made['id']}"
        assert (made["tags"], made["default_address"]["city"]) == ("vip", "Ulm")
        taken = await call(shop, "POST", "customers", {"customer": {"email": "ada@example.com"}})
        assert taken == (422, {"errors": {"email": ["has already been taken"]}})
        assert (await written(shop, "PUT", here, {"customer": {"note": "likes blue"}}))["note"] == "likes blue"
        proof = {"x-shopify-access-token": shop.store.credentials()["access_token"]}
        found = await shop.ask("GET", f"{API}/customers/search.json?query=email:ada@example.com", None, proof)
        assert [one["id"] for one in msgspec.json.decode(found.body)["customers"]] == [made["id"]]
        bought = await order(shop, customer={"id": made["id"]})
        assert [one["id"] for one in (await call(shop, "GET", f"{here}/orders"))[1]["orders"]] == [bought["id"]]
        assert (await call(shop, "DELETE", here))[0] == 422
        await call(shop, "DELETE", f"orders/{bought['id']}")
        assert await call(shop, "DELETE", here) == (200, {})

    with_shop(play)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "errors"),
    [
        ("POST", "products", {}, 400, {"product": "Required parameter missing or invalid"}),
        ("POST", "products", {"product": {"title": ""}}, 422, {"title": ["can't be blank"]}),
        ("POST", "products", {"product": {"title": "x", "variants": "no"}}, 400, {"variants": NO_LIST}),
        ("PUT", "variants/1", {"variant": {}}, 404, "Not Found"),
        ("POST", "orders", {"order": {}}, 422, {"line_items": ["must have at least one line item"]}),
        ("POST", "orders/1/cancel", {}, 404, "Not Found"),
        ("POST", "fulfillments/1/cancel", {}, 404, "Not Found"),
        ("POST", "customers", {"customer": {"email": "nobody"}}, 422, {"email": ["is invalid"]}),
        ("PUT", "orders", {}, 404, "Not Found"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_older_words_and_changes_nothing(
    method: str, path: str, body: object, status: int, errors: object
) -> None:
    async def play(shop: Shop) -> None:
        before = await shop.truth()
        assert await call(shop, method, path, body) == (status, {"errors": errors})
        assert await shop.truth() == before

    with_shop(play)
