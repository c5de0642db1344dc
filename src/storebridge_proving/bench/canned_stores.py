"""The stores' answers from memory: levels are read and written here at no delay, in the shape in which the pretend
stores answered when they were asked first. Everything else is passed on to them.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from storebridge.connectors.http import Request, Response, Transport

JSON = {"content-type": "application/json"}
WIX_READ, WIX_WRITE = "/inventory-items/query", "/bulk/inventory-items/update"
SHOPIFY_READ = "query inventoryLevels("
COST = {
    "requestedQueryCost": 50,
    "actualQueryCost": 10,
    "throttleStatus": {"maximumAvailable": 1_000_000.0, "currentlyAvailable": 1_000_000, "restoreRate": 1_000_000.0},
}


class CannedStores:
    """A transport. ``seconds`` is the processor time that the answers themselves took."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._items: dict[str, dict[str, Any]] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._by_product: dict[str, list[dict[str, Any]]] = {}
        self.calls = 0
        self.rows_written = 0
        self.seconds = 0.0

    async def send(self, request: Request) -> Response:
        self.calls += 1
        began = time.perf_counter()
        answer = self._answer(request)
        if answer is not None:
            self.seconds += time.perf_counter() - began
            return Response(200, JSON, msgspec.json.encode(answer))
        response = await self._inner.send(request)
        self._learn(request, response)
        return response

    async def close(self) -> None:
        """The inner transport is closed by whoever opened it."""

    def stocked(self) -> list[tuple[str, str]]:
        """Shopify items, each with a location that has goods to sell."""
        found = []
        for item, node in self._items.items():
            for level in node["inventoryLevels"]["nodes"]:
                if level["isActive"] and level["quantities"][0]["quantity"] > 1:
                    found.append((item, level["location"]["id"]))
                    break
        return found

    def sell_one(self, item: str, location: str, at: str) -> int:
        """A sale in Shopify at ``at``; returns what is left."""
        for level in self._items[item]["inventoryLevels"]["nodes"]:
            if level["location"]["id"] == location:
                level["updatedAt"] = at
                level["quantities"][0]["quantity"] -= 1
                return int(level["quantities"][0]["quantity"])
        raise LookupError(location)

    def _answer(self, request: Request) -> dict[str, Any] | None:
        if request.url.endswith(WIX_READ):
            return self._wix_read(msgspec.json.decode(request.body))
        if request.url.endswith(WIX_WRITE):
            return self._wix_write(msgspec.json.decode(request.body))
        if request.url.endswith("/graphql.json"):
            return self._shopify_read(msgspec.json.decode(request.body))
        return None

    def _shopify_read(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if not asked["query"].startswith(SHOPIFY_READ):
            return None
        ids = asked["variables"]["ids"]
        if any(item not in self._items for item in ids):
            return None
        return {"data": {"nodes": [self._items[item] for item in ids]}, "extensions": {"cost": COST}}

    def _wix_read(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        products = asked["query"].get("filter", {}).get("productId", {}).get("$in", [])
        if not products or any(product not in self._by_product for product in products):
            return None
        rows = [row for product in products for row in self._by_product[product]]
        return {"inventoryItems": rows, "pagingMetadata": {"count": len(rows), "hasNext": False, "cursors": {}}}

    def _wix_write(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        wanted = [row["inventoryItem"] for row in asked["inventoryItems"]]
        if any(row["id"] not in self._rows for row in wanted):
            return None
        results = [self._write_row(place, row) for place, row in enumerate(wanted)]
        failed = sum(not result["itemMetadata"]["success"] for result in results)
        totals = {"totalSuccesses": len(results) - failed, "totalFailures": failed, "undetailedFailures": 0}
        return {"results": results, "bulkActionMetadata": totals}

    def _write_row(self, place: int, wanted: dict[str, Any]) -> dict[str, Any]:
        row = self._rows[wanted["id"]]
        about = {"id": wanted["id"], "originalIndex": place, "success": True}
        if row["revision"] != wanted["revision"]:
            error = {"code": "INVENTORY_ITEM_REVISION_MISMATCH", "description": "revision mismatch"}
            return {"itemMetadata": {**about, "success": False, "error": error}}
        row["revision"] = str(int(row["revision"]) + 1)
        row["quantity"] = wanted["quantity"]
        self.rows_written += 1
        return {"itemMetadata": about, "item": row}

    def _learn(self, request: Request, response: Response) -> None:
        """Keep what a read of levels showed; a page that is not the last is asked again."""
        if response.status != 200:
            return
        if request.url.endswith("/graphql.json"):
            self._learn_items(msgspec.json.decode(request.body), msgspec.json.decode(response.body))
        elif request.url.endswith(WIX_READ):
            self._learn_rows(msgspec.json.decode(request.body), msgspec.json.decode(response.body))

    def _learn_items(self, asked: dict[str, Any], told: dict[str, Any]) -> None:
        if asked["query"].startswith(SHOPIFY_READ) and told.get("data"):
            self._items.update({node["id"]: node for node in told["data"]["nodes"] if node})

    def _learn_rows(self, asked: dict[str, Any], told: dict[str, Any]) -> None:
        products = asked["query"].get("filter", {}).get("productId", {}).get("$in", [])
        if not products or told.get("pagingMetadata", {}).get("hasNext"):
            return
        self._by_product.update({product: [] for product in products})
        for row in told["inventoryItems"]:
            self._rows[row["id"]] = row
            self._by_product[row["productId"]].append(row)
