"""Shopify's own clients, unmodified, hold whole sessions with the pretend shop."""

from __future__ import annotations

from pathlib import Path

import pytest
from vendor_clients import play

pytestmark = pytest.mark.process


def test_shopifys_app_library_makes_goods_counts_them_and_believes_the_webhook(node: Path) -> None:
    outcome = play("shopify_api.mjs", "shopify", node)

    assert outcome.seen == {
        "scopes": 17,
        "expires": True,
        "shop": {
            "name": "Larkfield Shopify",
            "myshopifyDomain": "larkfield-sandbox.myshopify.com",
            "currencyCode": "EUR",
        },
        "locations": ["Main warehouse", "Outlet"],
        "setErrors": [],
        "variants": [["KETTLE-BLUE", "59.90"], ["KETTLE-RED", "59.90"]],
        "updated": {"product": {"title": "Kettle 1.7 l", "tags": ["kitchen"]}, "userErrors": []},
        "titles": ["Kettle 1.7 l", "Lamp", "Mug"],
        "activated": {"inventoryLevel": {"quantities": [{"quantity": 3}]}, "userErrors": []},
        "set": {
            "inventoryAdjustmentGroup": {
                "reason": "correction",
                "changes": [{"name": "available", "delta": 12}, {"name": "on_hand", "delta": 12}],
            },
            "userErrors": [],
        },
        "stale": ["CHANGE_FROM_QUANTITY_STALE"],
        "adjusted": {
            "inventoryAdjustmentGroup": {
                "changes": [{"name": "available", "delta": 5}, {"name": "on_hand", "delta": 5}]
            },
            "userErrors": [],
        },
        "level": [{"name": "available", "quantity": 17}, {"name": "on_hand", "quantity": 17}],
        "wrong": [["Field 'favouriteColour' doesn't exist on type 'Shop'", "undefinedField"]],
        "bulk": ["COMPLETED", "7", ["KETTLE-BLUE", "KETTLE-RED", "LAMP", "MUG"]],
        "registered": [[True, "create"]],
        "delivery": {
            "valid": True,
            "topic": "INVENTORY_LEVELS_UPDATE",
            "domain": "larkfield-sandbox.myshopify.com",
            "apiVersion": "2026-10",
            "available": 11,
        },
        "forged": [False, "invalid_hmac"],
        "called": ["INVENTORY_LEVELS_UPDATE", "larkfield-sandbox.myshopify.com", 11],
        "installed": [False, None, "Larkfield Shopify"],
        "exchanged": ["https://larkfield-sandbox.myshopify.com", True, "Olive"],
    }
    assert outcome.left == {"MUG": 7, "LAMP": 2, "KETTLE-BLUE": 11, "KETTLE-RED": 3}
    assert (outcome.answers, outcome.others) == ([200], [("authorize", 302)])


def test_shopifys_admin_client_takes_orders_from_the_sale_to_refund_and_cancellation(node: Path) -> None:
    outcome = play("admin_api_client.mjs", "shopify", node)

    assert outcome.seen == {
        "customerErrors": [],
        "customer": "Ada Byron",
        "renamed": {"customer": {"displayName": "Ada Lovelace", "tags": ["vip"]}, "userErrors": []},
        "before": [7, 0, 7],
        "order": {
            "name": "#1001",
            "sourceIdentifier": "elsewhere-1",
            "displayFinancialStatus": "PAID",
            "displayFulfillmentStatus": "UNFULFILLED",
            "totalPriceSet": {"shopMoney": {"amount": "37.5", "currencyCode": "EUR"}},
            "lines": [["MUG", 3]],
        },
        "afterSale": [4, 3, 7],
        "tooMany": [
            {
                "code": "INVALID",
                "field": ["order", "lineItems"],
                "message": "Line items Unable to reserve inventory",
            }
        ],
        "toShip": ["OPEN", 3],
        "shipped": ["SUCCESS", "01234567890123", []],
        "afterShipping": [4, 1, 5],
        "refund": {
            "refund": {
                "totalRefundedSet": {"shopMoney": {"amount": "12.5"}},
                "refundLineItems": {"nodes": [{"quantity": 1, "restockType": "CANCEL"}]},
            },
            "userErrors": [],
        },
        "afterRefund": [5, 0, 5],
        "again": {
            "displayFinancialStatus": "PARTIALLY_REFUNDED",
            "displayFulfillmentStatus": "FULFILLED",
            "currentSubtotalLineItemsQuantity": 2,
        },
        "cancelErrors": [],
        "cancelled": ["CUSTOMER", True, "REFUNDED"],
        "afterCancel": [5, 0, 5],
        "stranger": 401,
        "wrong": [["Field 'nickname' doesn't exist on type 'Order'", "undefinedField"]],
    }
    assert outcome.left == {"MUG": 5, "LAMP": 2}
    assert [status for _operation, status in outcome.others] == [401]


def test_pythons_shopifyapi_asks_by_graphql_and_by_its_older_rest_classes(python: Path) -> None:
    outcome = play("shopify_python.py", "shopify", python)

    assert outcome.seen == {
        "signed": [True, False],
        "shop": ["Larkfield Shopify", "EUR"],
        "locations": ["Main warehouse", "Outlet"],
        "made": ["Kettle", []],
        "untitled": [{"field": ["title"], "message": "Title can't be blank"}],
        "titles": ["Mug", "Lamp", "Kettle"],
        "adjusted": [[{"name": "available", "delta": -2}, {"name": "on_hand", "delta": -2}], []],
        "stale": ["CHANGE_FROM_QUANTITY_STALE"],
        "order": ["#1001", "25.0", []],
        "paid": [None, "PAID"],
        "rest_shop": [True, "EUR", 40, True],
        "rest_locations": ["Main warehouse", "Outlet"],
        "rest_pages": [["Mug", "Lamp"], ["Kettle"]],
        "rest_count": 3,
        "rest_levels": [9, 7, 7],
        "rest_order": ["#1001", "25.00", "paid", "MUG"],
        "rest_orders": [1, "#1001", "grace@example.com"],
        "rest_customers": [["grace@example.com", 0]],
        "rest_missing": 404,
        "rest_made": [True, "KET", "9.00"],
        "rest_untitled": [False, ["title can't be blank"]],
        "rest_priced": [True, "11.50"],
        "rest_ordered": ["11.50", "paid", True, "ring twice"],
        "rest_cancelled": "customer",
        "rest_customer": [True, ["vip"]],
        "rest_gone": [False, False],
        "wrong": ["undefinedField"],
        "stranger": 401,
    }
    assert outcome.left == {"MUG": 3, "LAMP": 9}
    assert [status for _operation, status in outcome.others if status and status >= 400] == [404, 422, 404, 404, 401]
