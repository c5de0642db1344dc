"""What a site says about itself: catalogue version, when orders take stock, permissions, clock, currency."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.port import CallTrouble, Finding, Precondition, StoreFacts
from storebridge.connectors.wix.client import Operation, WixClient, server_time
from storebridge.connectors.wix.read import ITEMS_PER_PAGE, QUERY_ITEMS, SEARCH_ORDERS, ItemsPage
from storebridge.connectors.wix.read_v1 import QUERY_INVENTORY
from storebridge.connectors.wix.settings import WixSettings
from storebridge.connectors.wix.stamps import Stamps
from storebridge.connectors.wix.translate import WHEN_PAID, WHEN_PLACED, Shape

V3 = "V3_CATALOG"
V1 = "V1_CATALOG"
GET_VERSION = Operation("getCatalogVersion", "GET", "/stores/v3/provision/version")
GET_SETTINGS = Operation("getOrdersSettings", "GET", "/ecom/v1/orders-settings")
GET_INSTANCE = Operation("getAppInstance", "GET", "/apps/v1/instance")
CLOCK_TOLERANCE = timedelta(seconds=60)
WRITE_SCOPES = ("INVENTORY_ITEM_WRITE", "MANAGE-PRODUCTS", "MANAGE-STORES")


class SiteState(msgspec.Struct, frozen=True):
    """What later calls depend on."""

    catalogue: str
    """``V3_CATALOG``, ``V1_CATALOG`` or ``STORES_NOT_INSTALLED``."""
    inventory_trigger: str
    """``ON_ORDER_PLACED`` or ``ON_ORDER_PAID``."""


class VersionAnswer(Shape, frozen=True):
    """Which catalogue the site has."""

    catalog_version: str


class OrdersSettings(Shape, frozen=True):
    """When orders take stock."""

    inventory_update_trigger: str = WHEN_PLACED


class SettingsAnswer(Shape, frozen=True):
    """The orders settings."""

    orders_settings: OrdersSettings


class Instance(Shape, frozen=True):
    """This installation of the app, with what it was granted."""

    app_name: str | None = None
    permissions: tuple[str, ...] = ()


class Site(Shape, frozen=True):
    """The site that the app is installed on."""

    site_id: str | None = None
    site_display_name: str | None = None
    payment_currency: str | None = None


class InstanceAnswer(Shape, frozen=True):
    """Installation and site."""

    instance: Instance | None = None
    site: Site | None = None


class SiteProbe:
    """Asks; remembers nothing."""

    def __init__(self, settings: WixSettings, client: WixClient, clock: Clock, stamps: Stamps) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._stamps = stamps

    async def state(self) -> SiteState:
        """The two facts that reads and writes depend on."""
        version = await self._client.read(GET_VERSION, VersionAnswer)
        trigger = await self._trigger()
        return SiteState(version.catalog_version, trigger or WHEN_PLACED)

    async def look(self) -> tuple[SiteState, StoreFacts]:
        """Everything. Raises CallTrouble when not even the catalogue version can be read."""
        asked_at = self._clock.now()
        response = await self._client.exchange(GET_VERSION, b"")
        told_time, heard_at = server_time(response), self._clock.now()
        version = self._client.decode(response, VersionAnswer, GET_VERSION).catalog_version
        trigger = await self._trigger()
        instance = await self._instance()
        site = instance.site or Site()
        findings = [counted_when_placed(trigger), catalogue_writable(version)]
        findings.append(await self._scopes(version, instance.instance or Instance()))
        can_write = version in (V1, V3) and findings[-1].holds
        if version == V3 and findings[-1].holds:
            findings.append(await self._stamps_kept() if self._stamps.configured else no_stamps())
        if told_time is not None:
            findings.append(clock_agrees(asked_at, heard_at, told_time))
        facts = StoreFacts(
            account=self._settings.site_id or site.site_id or self._settings.instance_id or "",
            name=site.site_display_name or str(self._settings.name),
            currency=site.payment_currency or "",
            api_version=version,
            server_time=told_time,
            findings=tuple(findings),
            can_write_stock=can_write,
        )
        return SiteState(version, trigger or WHEN_PLACED), facts

    async def _trigger(self) -> str | None:
        """None when the settings may not be read."""
        try:
            answer = await self._client.read(GET_SETTINGS, SettingsAnswer)
        except CallTrouble as trouble:
            if trouble.status in (403, 404):
                return None
            raise
        return answer.orders_settings.inventory_update_trigger

    async def _instance(self) -> InstanceAnswer:
        """The app's installation; an API key has none."""
        if not self._settings.uses_app:
            return InstanceAnswer()
        try:
            return await self._client.read(GET_INSTANCE, InstanceAnswer)
        except CallTrouble as trouble:
            if trouble.status in (403, 404):
                return InstanceAnswer()
            raise

    async def _scopes(self, version: str, instance: Instance) -> Finding:
        """Reading is tried; writing is only looked up, because trying it would change something."""
        denied = []
        if version in (V1, V3):
            inventory = QUERY_ITEMS if version == V3 else QUERY_INVENTORY
            paging = {"cursorPaging": {"limit": 1}} if version == V3 else {"paging": {"limit": 1, "offset": 0}}
            if not await self._may(inventory, {"query": paging}):
                denied.append("reading inventory (SCOPE.STORES.INVENTORY_ITEM_READ)")
        if not await self._may(SEARCH_ORDERS, {"search": {"cursorPaging": {"limit": 1}}}):
            denied.append("reading orders (SCOPE.DC-STORES.READ-ORDERS)")
        granted = [scope.upper() for scope in instance.permissions]
        if granted and version == V3 and not any(word in scope for scope in granted for word in WRITE_SCOPES):
            denied.append("writing inventory (SCOPE.STORES.INVENTORY_ITEM_WRITE)")
        if denied:
            advice = "grant them in the app's permissions and let the site's owner accept the update"
            return Finding(Precondition.SCOPES_GRANTED, False, f"not allowed: {', '.join(denied)}; {advice}")
        return Finding(Precondition.SCOPES_GRANTED, True, "inventory and orders can be read")

    async def _stamps_kept(self) -> Finding:
        """Told by answers to our writes; before the first one, by what items show. Nothing is written to find out."""
        if not self._stamps.needs_a_look:
            return self._stamps.finding()
        question = {"query": {"cursorPaging": {"limit": ITEMS_PER_PAGE}}}
        page = await self._client.read(QUERY_ITEMS, ItemsPage, question)
        return self._stamps.finding([item.extended_fields for item in page.rows()])

    async def _may(self, operation: Operation, question: object) -> bool:
        try:
            await self._client.exchange(operation, msgspec.json.encode(question))
        except CallTrouble as trouble:
            if trouble.status == 403:
                return False
            raise
        return True


def no_stamps() -> Finding:
    """Nothing is wrong without them; a person is asked more often, and may want to know."""
    told = (
        "no stamp_namespace is set: when a write's answer and its delivery are both lost, a person is asked; with "
        "stamps the item itself tells. Recommended: see Stamps on Wix in docs/operating.md"
    )
    return Finding(Precondition.STAMPS_KEPT, True, told, known=False)


def counted_when_placed(trigger: str | None) -> Finding:
    """Stock that is lowered only when an order is paid can be sold twice while payments are under way."""
    if trigger == WHEN_PLACED:
        return Finding(Precondition.COUNTED_WHEN_PLACED, True, f"inventoryUpdateTrigger is {WHEN_PLACED}")
    if trigger is None:
        told = "the orders settings cannot be read; grant the app permission to read them"
    elif trigger == WHEN_PAID:
        told = (
            f"inventoryUpdateTrigger is {WHEN_PAID}: set 'When should inventory be updated' to 'when an "
            "order is placed' in the site's store settings, or the last unit can be sold twice"
        )
    else:
        told = f"inventoryUpdateTrigger is {trigger[:50]}, which storebridge does not know"
    return Finding(Precondition.COUNTED_WHEN_PLACED, False, told)


def catalogue_writable(version: str) -> Finding:
    """Catalog V3 has revisions; V1 takes differences that nothing guards."""
    if version == V3:
        return Finding(Precondition.CATALOGUE_WRITABLE, True, "the site has Catalog V3")
    if version == V1:
        told = (
            "the site still has Catalog V1: a write there that is not answered cannot be repeated, and often a person "
            "must look. Ask Wix to migrate the site to Catalog V3; storebridge notices the change by itself"
        )
        return Finding(Precondition.CATALOGUE_WRITABLE, True, told)
    told = f"the site has no catalogue to write ({version[:50]}): install Wix Stores on it"
    return Finding(Precondition.CATALOGUE_WRITABLE, False, told)


def clock_agrees(asked_at: datetime, heard_at: datetime, told: datetime) -> Finding:
    """Wix's Date header against the time during which it must have been written."""
    apart = max(asked_at - told, told - heard_at, timedelta(0))
    seconds = apart.total_seconds()
    if apart <= CLOCK_TOLERANCE:
        return Finding(Precondition.CLOCK_AGREES, True, f"Wix's clock is within {seconds:.0f} s of ours")
    return Finding(
        Precondition.CLOCK_AGREES,
        False,
        f"Wix's clock is {seconds:.0f} s away from ours: switch on time synchronisation on this machine",
    )
