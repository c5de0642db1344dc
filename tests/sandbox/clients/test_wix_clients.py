"""Wix's own SDK, unmodified, holds whole sessions with the pretend site, of both catalogue generations."""

from __future__ import annotations

from pathlib import Path

import pytest
from vendor_clients import play

pytestmark = pytest.mark.process


def test_wixs_sdk_makes_goods_and_counts_them_under_their_revisions_on_a_v3_site(node: Path) -> None:
    outcome = play("wix_catalog_v3.mjs", "wix", node)

    assert outcome.seen == {
        "version": "V3_CATALOG",
        "token": [True, "APP", True, True],
        "places": [["Online store", True]],
        "made": ["Kettle", "1", 2],
        "renamed": ["Kettle 1.7 l", "2"],
        "lateRename": ["REVISION_MISMATCH", 409],
        "sorted": ["UNSUPPORTED_SORT_FIELD", 400],
        "names": ["Mug", "Lamp", "Kettle 1.7 l"],
        "variants": [["KETTLE-BLUE", "59.90"], ["KETTLE-RED", "59.90"]],
        "missing": ["PRODUCT_NOT_FOUND", 404],
        "opening": [4, True, "IN_STOCK", True],
        "set": [12, 1],
        "lateSet": ["INVENTORY_ITEM_REVISION_MISMATCH", 409],
        "less": ["done"],
        "tooMuch": ["INSUFFICIENT_INVENTORY", "done"],
        "more": ["done"],
        "left": 11,
        "plenty": [7, 11],
        "called": [True, 9, "MANUAL", True],
        "metadata": ["wix.stores.catalog.v3.inventory_item", "updated_with_reason", True],
        "event": ["wix.stores.catalog.v3.inventory_item_updated_with_reason", True, "APP"],
        "forged": "signature verification failed",
    }
    assert outcome.left == {"MUG": 7, "LAMP": 2}
    assert outcome.answers == [200]
    assert [status for _operation, status in outcome.others] == [409, 400, 404, 409]


def test_wixs_sdk_counts_by_differences_on_a_v1_site(node: Path) -> None:
    outcome = play("wix_catalog_v1.mjs", "wix", node, catalog="v1")

    assert outcome.seen == {
        "version": "V1_CATALOG",
        "otherCatalogue": ["CATALOG_V1_SITE_CALLING_CATALOG_V3_API", 428],
        "made": ["Kettle", 59.9, 2],
        "variants": [["Blue", "KETTLE-BLUE", 59.9], ["Red", "KETTLE-RED", 59.9]],
        "renamed": "Kettle 1.7 l",
        "names": ["Kettle 1.7 l", "Lamp", "Mug"],
        "missing": ["PRODUCT_NOT_FOUND", 404],
        "set": [True, 12, 1],
        "changed": [True, 10, 4],
        "read": [[10, True], [4, True]],
        "storeVariants": [["KETTLE-BLUE", 10], ["KETTLE-RED", 4], ["LAMP", 2], ["MUG", 7]],
        "called": [True, True, 10, 9],
        "event": ["com.wix.ecommerce.inventory.api.v1.InventoryVariantsChanged", True],
    }
    assert outcome.left == {"MUG": 7, "LAMP": 2, "KETTLE-BLUE": 9, "KETTLE-RED": 4}
    assert outcome.answers == [200]


def test_wixs_sdk_takes_contacts_and_orders_from_the_sale_to_refund_and_cancellation(node: Path) -> None:
    outcome = play("wix_orders.mjs", "wix", node)

    assert outcome.seen == {
        "contact": ["Ada", "ada@example.com", 1, True],
        "again": ["DUPLICATE_CONTACT_EXISTS", 409],
        "found": [1, True],
        "renamed": ["Lovelace", 2],
        "lateRename": ["CONTACT_ALREADY_CHANGED", 409],
        "merged": ["ada@example.com", "ada.byron@example.com"],
        "gone": ["CONTACT_NOT_FOUND", 404],
        "order": ["10001", "INITIALIZED", "NOT_PAID", "NOT_FULFILLED", "37.50"],
        "afterSale": 4,
        "called": [["elsewhere-1", "created"], ["elsewhere-2", "created"]],
        "event": ["wix.ecom.v1.order_created", True],
        "hidden": [],
        "paid": [1, "PAID"],
        "search": [["10001", "APPROVED", True]],
        "moved": ["ada.lovelace@example.com", 3],
        "missing": ["ORDER_NOT_FOUND", 404],
        "partly": "PARTIALLY_FULFILLED",
        "parcels": [[2, "JD1"], [1, "JD2"]],
        "shipped": "FULFILLED",
        "tooMany": [400, [["fulfillment.lineItems[0].quantity", "only 0 are left to fulfill"]]],
        "refundable": [["OFFLINE", "37.50"]],
        "refund": [[["12.50", "SUCCEEDED"]]],
        "afterRefund": [5, "PARTIALLY_REFUNDED"],
        "beforeCancel": 4,
        "cancelled": ["CANCELED", 5],
        "twice": "accepted",
    }
    assert outcome.left == {"MUG": 5, "LAMP": 2}
    assert outcome.answers == [200, 200]
