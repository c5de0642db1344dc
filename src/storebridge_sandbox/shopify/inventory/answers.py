"""Inventory items and their levels, as of now or of some moment ago."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from storebridge_sandbox.rows_in_order import RowsInOrder
from storebridge_sandbox.shopify.call import Call, Resolvers, iso, shows
from storebridge_sandbox.shopify.ids import level_gid, level_parts, number_of
from storebridge_sandbox.shopify.paging import Page, Row, compile_search, page_of
from storebridge_sandbox.shopify.products.answers import variant_candidates
from storebridge_sandbox.shopify.products.state import InventoryItem, Shelves, Variant
from storebridge_sandbox.shopify.shop.state import Location, ShopState
from storebridge_sandbox.stock import ON_HAND_PARTS, STATES, Level, Snapshot, Stock


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """A level as of some moment."""

    graphql_type: ClassVar[str] = "InventoryLevel"
    level: Level
    snapshot: Snapshot


class InventoryAnswers:
    """Reads by item."""

    def __init__(
        self,
        stock: Stock,
        shelves: Shelves,
        shop: ShopState,
        lags: Callable[[datetime], datetime | None],
        *,
        lists_inactive: bool = True,
    ) -> None:
        """``lags`` gives the moment that a read by id shows, None for the present (S26)."""
        self._stock = stock
        self._shelves = shelves
        self._shop = shop
        self._lags = lags
        self._lists_inactive = lists_inactive
        self._items_in_order = RowsInOrder(
            shelves.by_item, lambda item_id: (item_id, number_of(item_id)), shelves.by_item.__getitem__
        )

    def resolvers(self) -> Resolvers:
        return {
            ("QueryRoot", "inventoryItem"): lambda _s, args, _c: self.item_of(args["id"]),
            ("QueryRoot", "inventoryLevel"): lambda _s, args, call: self.find_level(args["id"], call),
            ("InventoryItem", "id"): lambda item, _a, _c: item.variant.item_id,
            ("InventoryItem", "legacyResourceId"): lambda item, _a, _c: str(number_of(item.variant.item_id)),
            ("InventoryItem", "sku"): lambda item, _a, _c: item.variant.sku or None,
            ("InventoryItem", "tracked"): lambda item, _a, _c: item.variant.tracked,
            ("InventoryItem", "requiresShipping"): lambda item, _a, _c: item.variant.requires_shipping,
            ("InventoryItem", "countryCodeOfOrigin"): lambda item, _a, _c: item.variant.country_of_origin,
            ("InventoryItem", "provinceCodeOfOrigin"): lambda item, _a, _c: item.variant.province_of_origin,
            ("InventoryItem", "harmonizedSystemCode"): lambda item, _a, _c: item.variant.harmonized_system_code,
            ("InventoryItem", "measurement"): _measurement,
            ("InventoryItem", "unitCost"): self._cost,
            ("InventoryItem", "duplicateSkuCount"): self._twins,
            ("InventoryItem", "trackedEditable"): lambda _i, _a, _c: {"locked": False, "reason": None},
            ("InventoryItem", "locationsCount"): lambda item, _a, _c: len(self._active(item)),
            ("InventoryItem", "inventoryHistoryUrl"): self._history,
            ("InventoryItem", "variants"): lambda item, args, _c: page_of(_one_row(item.variant), args),
            ("QueryRoot", "inventoryItems"): self._items,
            ("QueryRoot", "inventoryProperties"): lambda _s, _a, _c: {"quantityNames": QUANTITY_NAMES},
            ("InventoryLevel", "canDeactivate"): self._can_deactivate,
            ("InventoryItem", "createdAt"): lambda item, _a, _c: iso(item.variant.created_at),
            ("InventoryItem", "updatedAt"): lambda item, _a, _c: iso(item.variant.updated_at),
            ("InventoryItem", "variant"): shows("variant"),
            ("InventoryItem", "inventoryLevels"): self._levels,
            ("InventoryItem", "inventoryLevel"): self._level_at,
            ("InventoryLevel", "id"): lambda shown, _a, _c: level_gid(shown.level.location_id, shown.level.item_id),
            ("InventoryLevel", "isActive"): lambda shown, _a, _c: shown.snapshot.active,
            ("InventoryLevel", "updatedAt"): lambda shown, _a, _c: iso(shown.snapshot.since),
            ("InventoryLevel", "createdAt"): lambda shown, _a, _c: iso(shown.level.created_at),
            ("InventoryLevel", "location"): lambda shown, _a, _c: self._shop.location(shown.level.location_id),
            ("InventoryLevel", "item"): lambda shown, _a, _c: self.item_of(shown.level.item_id),
            ("InventoryLevel", "quantities"): _quantities,
            **{("InventoryQuantity", name): _of(name) for name in ("name", "quantity", "updatedAt", "id")},
        }

    # -- reads -------------------------------------------------------------------------------------------------

    def find_level(self, global_id: str, call: Call) -> ShownLevel | None:
        """A level by its own id."""
        parts = level_parts(global_id)
        level = None if parts is None else self._stock.level(parts[1], parts[0])
        return None if level is None else self.shown(level, call)

    def shown(self, level: Level, call: Call) -> ShownLevel:
        moments = [moment for moment in (call.read_moment, self._lags(call.now)) if moment is not None]
        return ShownLevel(level, level.as_of(min(moments) if moments else None))

    def location_of(self, level: Level) -> Location | None:
        """Where a level is."""
        return self._shop.location(level.location_id)

    def item_of(self, item_id: str) -> InventoryItem | None:
        variant = self._shelves.by_item.get(item_id)
        return None if variant is None else InventoryItem(variant)

    def _levels(self, item: InventoryItem, args: dict[str, Any], call: Call) -> Page:
        shown = [self.shown(level, call) for level in self._stock.levels_of(item.variant.item_id)]
        wanted = [one for one in shown if one.snapshot.active or self._may_see_inactive(args)]
        rows = [(one.level.location_id, number_of(one.level.location_id), one) for one in wanted]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _may_see_inactive(self, args: dict[str, Any]) -> bool:
        return self._lists_inactive and bool(args.get("includeInactive"))

    def _active(self, item: InventoryItem) -> list[Level]:
        return [level for level in self._stock.levels_of(item.variant.item_id) if level.active]

    def _can_deactivate(self, shown: ShownLevel, _args: dict[str, Any], _call: Call) -> bool:
        return len([one for one in self._stock.levels_of(shown.level.item_id) if one.active]) > 1

    def _twins(self, item: InventoryItem, _args: dict[str, Any], _call: Call) -> int:
        sku = item.variant.sku
        alike = self._shelves.rows.variants["sku"].having(sku.lower()) if sku else []
        return sum(1 for _, _, one in alike if one.sku == sku and one is not item.variant)

    def _cost(self, item: InventoryItem, _args: dict[str, Any], _call: Call) -> dict[str, str] | None:
        cost = item.variant.cost
        return None if cost is None else {"amount": f"{cost:.2f}", "currencyCode": self._shop.currency}

    def _history(self, item: InventoryItem, _args: dict[str, Any], _call: Call) -> str:
        place = f"{number_of(item.variant.product_id)}/variants/{number_of(item.variant.variant_id)}"
        return f"https://{self._shop.domain}/admin/products/{place}/inventory_history"

    def _items(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        fields = {
            "id": lambda variant: number_of(variant.item_id),
            "sku": lambda variant: variant.sku,
            "created_at": lambda variant: variant.created_at,
            "updated_at": lambda variant: variant.updated_at,
            "tracked": lambda variant: str(variant.tracked).lower(),
        }
        search = compile_search(args.get("query"), fields, lambda variant: variant.sku, call=call)
        found = variant_candidates(self._shelves, search)
        rows: Sequence[Row]
        if found is None:
            rows = self._items_in_order.rows()
        else:
            rows = sorted(((one.item_id, number_of(one.item_id), one) for one in found), key=lambda row: row[:2])
        page = page_of(rows, args, None if search.is_open else search.test)
        return replace(page, nodes=[InventoryItem(variant) for variant in page.nodes])

    def _level_at(self, item: InventoryItem, args: dict[str, Any], call: Call) -> ShownLevel | None:
        level = self._stock.level(item.variant.item_id, args["locationId"])
        if level is None or not (level.active or self._may_see_inactive(args)):
            return None
        return self.shown(level, call)


QUANTITY_NAMES = [
    {
        "name": name,
        "displayName": name.replace("_", " ").capitalize() if name != "quality_control" else "Quality control",
        "belongsTo": ["on_hand"] if name in ON_HAND_PARTS else [],
        "comprises": sorted(ON_HAND_PARTS) if name == "on_hand" else [],
        "isInUse": name in ("available", "committed", "incoming", "on_hand"),
    }
    for name in sorted((*STATES, "on_hand"))
]


def _one_row(variant: Variant) -> list[tuple[str, int, Variant]]:
    return [(variant.variant_id, number_of(variant.variant_id), variant)]


def _measurement(item: InventoryItem, _args: dict[str, Any], _call: Any) -> dict[str, Any]:
    variant = item.variant
    return {
        "id": f"gid://shopify/InventoryItemMeasurement/{number_of(variant.item_id)}",
        "weight": {"value": variant.weight, "unit": variant.weight_unit},
    }


def _quantities(shown: ShownLevel, args: dict[str, Any], _call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{number_of(shown.level.item_id)}?name={name}",
            "name": name,
            "quantity": shown.snapshot.quantity(name),
            "updatedAt": None if (at := shown.snapshot.changed_at(name)) is None else iso(at),
        }
        for name in args["names"]
    ]


def _of(name: str) -> Callable[[dict[str, Any], dict[str, Any], Any], Any]:
    return lambda source, _args, _call: source[name]
