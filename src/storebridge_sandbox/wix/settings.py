"""How one pretend Wix site is set up, beyond its catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from storebridge_sandbox.wix.quirks import WixQuirks

CatalogVersion = Literal["v3", "v1"]
Trigger = Literal["ON_ORDER_PLACED", "ON_ORDER_PAID"]
Unpaid = Literal["INITIALIZED", "PENDING", "OFFLINE"]

STORES_APP_ID = "215238eb-22a5-4c36-9e7b-e7c08025e04e"
"""Wix Stores itself: in ``catalogReference.appId``, and in events about its own changes."""
DEFAULT_VARIANT_ID = "00000000-0000-0000-0000-000000000000"
"""The only variant of a V1 product without managed variants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WixOptions:
    """``webhook_url`` and ``webhook_events`` are what the app's dashboard holds (None: every event type).

    ``unpaid`` is the fate of a checkout with ``paid: false``: an online payment under way (INITIALIZED), one
    under review (PENDING), or a manual payment method, which is approved at once (OFFLINE). ``shipping_price`` and
    ``tax_rate`` (0.2 is 20 %) are what the storefront's checkout adds, or finds in its prices with ``tax_included``.
    ``guard_uri`` is where an app's Validations plugin answers (None: nobody is asked).
    """

    site_name: str = "Larkfield Wix"
    currency: str = "EUR"
    catalog: CatalogVersion = "v3"
    webhook_url: str | None = None
    webhook_events: tuple[str, ...] | None = None
    trigger: Trigger = "ON_ORDER_PLACED"
    unpaid: Unpaid = "INITIALIZED"
    default_location: str = "Online store"
    more_locations: tuple[str, ...] = ()
    denied_scopes: frozenset[str] = frozenset()
    first_order_number: int = 10_001
    shipping_price: Decimal = Decimal("0.00")
    tax_rate: Decimal = Decimal("0")
    tax_included: bool = False
    guard_uri: str | None = None
    guard_in_cart: bool = False
    quirks: WixQuirks = field(default_factory=WixQuirks)
