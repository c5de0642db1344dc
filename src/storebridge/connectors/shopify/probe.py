"""What a shop says about itself: name, currency, scopes, clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from storebridge.clock import Clock
from storebridge.connectors.port import Finding, Precondition, StoreFacts
from storebridge.connectors.shopify.client import Operation, Shape, ShopifyClient, encode, server_time
from storebridge.connectors.shopify.settings import API_VERSION, ShopifySettings

STOCK_SCOPES = ("read_products", "read_inventory", "write_inventory", "read_locations", "read_orders")
ORDER_SCOPES = (
    "write_orders",
    "read_customers",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_returns",
)
"""Whole orders are read with buyer, shipments and returns; parcels, refunds and cancellations are written."""
COPY_SCOPES = ("write_order_edits",)
"""A copy follows its original: its lines are changed by Shopify's order editing."""
REACH_OF_ORDERS = timedelta(days=60)
"""What ``read_orders`` shows; ``read_all_orders``, which Shopify grants on request, shows the others too."""
BOOKS_SCOPES = ("read_shopify_payments_payouts",)
"""Fees and payouts of Shopify Payments are read. Nothing but settlement statements needs them."""
CLOCK_TOLERANCE = timedelta(seconds=60)
LOOK = Operation(
    "shop",
    """query shop { shop { name currencyCode myshopifyDomain }
  currentAppInstallation { accessScopes { handle } } }""",
)


class _Shop(Shape, frozen=True):
    name: str
    currency_code: str
    myshopify_domain: str


class _Scope(Shape, frozen=True):
    handle: str


class _Installation(Shape, frozen=True):
    access_scopes: tuple[_Scope, ...] = ()


class ShopAnswer(Shape, frozen=True):
    """What is used of Shopify's shop."""

    shop: _Shop
    current_app_installation: _Installation


async def look_at_shop(client: ShopifyClient, clock: Clock, order_scopes: tuple[str, ...] = ()) -> StoreFacts:
    """Ask once for everything; ``order_scopes`` are those beyond stock. Raises CallTrouble."""
    asked_at = clock.now()
    answer = await client.exchange(LOOK, encode(LOOK, {}), ShopAnswer)
    told, heard_at = server_time(answer.response), clock.now()
    shop = answer.data.shop
    granted = {scope.handle for scope in answer.data.current_app_installation.access_scopes}
    findings = [
        Finding(Precondition.COUNTED_WHEN_PLACED, True, "Shopify lowers stock when an order is placed"),
        Finding(Precondition.CATALOGUE_WRITABLE, True, f"Admin API {API_VERSION} writes stock"),
        scopes_granted(granted, order_scopes),
    ]
    if told is not None:
        findings.append(clock_agrees(asked_at, heard_at, told))
    return StoreFacts(
        account=shop.myshopify_domain,
        name=shop.name,
        currency=shop.currency_code,
        api_version=API_VERSION,
        server_time=told,
        findings=tuple(findings),
        can_write_stock=not missing_scopes(STOCK_SCOPES, granted),
    )


async def reach_of_orders(client: ShopifyClient) -> timedelta | None:
    """How far back orders are shown; None: all of them. Raises CallTrouble."""
    found = await client.ask(LOOK, {}, ShopAnswer)
    granted = {scope.handle for scope in found.current_app_installation.access_scopes}
    return None if "read_all_orders" in granted else REACH_OF_ORDERS


def scopes_for_orders(settings: ShopifySettings) -> tuple[str, ...]:
    """What is needed beyond stock, by what is done with orders of this shop."""
    return (ORDER_SCOPES if settings.keeps_orders else ()) + (COPY_SCOPES if settings.gets_copies else ())


def missing_scopes(needed: tuple[str, ...], granted: set[str]) -> list[str]:
    """A write scope includes its read scope."""
    have = granted | {scope.replace("write_", "read_") for scope in granted}
    return [scope for scope in needed if scope not in have]


def scopes_granted(granted: set[str], order_scopes: tuple[str, ...]) -> Finding:
    """What is missing for stock stops writing; what is missing for orders only is told. Statements do without fees and
    payouts, so what is missing for them does not count as missing."""
    missing = (("stock", missing_scopes(STOCK_SCOPES, granted)), ("orders", missing_scopes(order_scopes, granted)))
    told = [f"missing for {what}: {', '.join(scopes)}" for what, scopes in missing if scopes]
    poorer = missing_scopes(BOOKS_SCOPES, granted) if order_scopes else []
    without = f"; without {', '.join(poorer)} settlement statements know no fees and payouts" if poorer else ""
    if told:
        advice = "add them to the app and let the merchant approve the update"
        return Finding(Precondition.SCOPES_GRANTED, False, f"{'; '.join(told)}; {advice}{without}")
    return Finding(Precondition.SCOPES_GRANTED, True, f"every needed scope is granted{without}")


def clock_agrees(asked_at: datetime, heard_at: datetime, told: datetime) -> Finding:
    """The Date header against the time during which it must have been written."""
    apart = max(asked_at - told, told - heard_at, timedelta(0))
    seconds = apart.total_seconds()
    if apart <= CLOCK_TOLERANCE:
        return Finding(Precondition.CLOCK_AGREES, True, f"Shopify's clock is within {seconds:.0f} s of ours")
    told_apart = f"Shopify's clock is {seconds:.0f} s away from ours: switch on time synchronisation on this machine"
    return Finding(Precondition.CLOCK_AGREES, False, told_apart)
