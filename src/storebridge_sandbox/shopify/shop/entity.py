"""The one business that the shop belongs to."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.call import Resolver

ENTITY: dict[str, Any] = {
    "id": "gid://shopify/BusinessEntity/1",
    "companyName": "Larkfield",
    "displayName": "Larkfield",
    "primary": True,
    "archived": False,
    "address": {"address1": "Hafenstrasse 1", "city": "Ulm", "zip": "89073", "countryCode": "DE"},
}


def the_business() -> Resolver:
    """A field that names the business."""
    return lambda _source, _args, _call: ENTITY
