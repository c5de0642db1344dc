"""What a shop says about itself: name, currency, scopes, clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from storebridge.clock import Clock
from storebridge.connectors.port import Finding, Precondition, StoreFacts
from storebridge.connectors.shopify.client import Operation, Shape, ShopifyClient, encode, server_time
from storebridge.connectors.shopify.settings import API_VERSION

NEEDED_SCOPES = ("read_products", "read_inventory", "write_inventory", "read_locations", "read_orders")
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


async def look_at_shop(client: ShopifyClient, clock: Clock) -> StoreFacts:
    """Ask once for everything. Raises CallTrouble."""
    asked_at = clock.now()
    answer = await client.exchange(LOOK, encode(LOOK, {}), ShopAnswer)
    told, heard_at = server_time(answer.response), clock.now()
    shop = answer.data.shop
    scopes = scopes_granted({scope.handle for scope in answer.data.current_app_installation.access_scopes})
    findings = [
        Finding(Precondition.COUNTED_WHEN_PLACED, True, "Shopify lowers stock when an order is placed"),
        Finding(Precondition.CATALOGUE_WRITABLE, True, f"Admin API {API_VERSION} writes stock"),
        scopes,
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
        can_write_stock=scopes.holds,
    )


def scopes_granted(granted: set[str]) -> Finding:
    """A write scope includes its read scope."""
    have = granted | {scope.replace("write_", "read_") for scope in granted}
    missing = [scope for scope in NEEDED_SCOPES if scope not in have]
    if missing:
        told = f"missing: {', '.join(missing)}; add them to the app and let the merchant approve the update"
        return Finding(Precondition.SCOPES_GRANTED, False, told)
    return Finding(Precondition.SCOPES_GRANTED, True, "every needed scope is granted")


def clock_agrees(asked_at: datetime, heard_at: datetime, told: datetime) -> Finding:
    """The Date header against the time during which it must have been written."""
    apart = max(asked_at - told, told - heard_at, timedelta(0))
    seconds = apart.total_seconds()
    if apart <= CLOCK_TOLERANCE:
        return Finding(Precondition.CLOCK_AGREES, True, f"Shopify's clock is within {seconds:.0f} s of ours")
    told_apart = f"Shopify's clock is {seconds:.0f} s away from ours: switch on time synchronisation on this machine"
    return Finding(Precondition.CLOCK_AGREES, False, told_apart)
