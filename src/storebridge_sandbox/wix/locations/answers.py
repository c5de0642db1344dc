"""``/stores/v3/locations``: what inventory items name; read only."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Handler, Operation
from storebridge_sandbox.wix.locations.state import Location, Locations
from storebridge_sandbox.wix.query import Field, Language
from storebridge_sandbox.wix.wire import application_error, wix_date

READ = "SCOPE.STORES.INVENTORY_ITEM_READ"


class LocationAnswers:
    """Answers about where goods lie."""

    def __init__(self, locations: Locations) -> None:
        self._locations = locations
        self._language = Language(
            {
                "id": Field(lambda location: location.id),
                "name": Field(lambda location: location.name, sortable=True),
                "defaultLocation": Field(lambda location: location.is_default, "flag"),
                "locationType": Field(_type),
            },
            tie=lambda location: locations.all.index(location),
            default_limit=50,
            most=100,
        )

    def operations(self) -> list[Operation]:
        base, takes = "/stores/v3/locations", "stores_stores-locations-v-3:"

        def read(name: str, method: str, path: str, handler: Handler, message: str) -> Operation:
            return Operation(name, (method,), base + path, handler, READ, "v3", takes=takes + message)

        return [
            read("getDefaultStoresLocation", "GET", "/default", self.default, "GetDefaultStoresLocationRequest"),
            read("queryStoresLocations", "POST", "/query", self.query, "QueryStoresLocationsRequest"),
            read("getStoresLocation", "GET", "/{storesLocationId}", self.get, "GetStoresLocationRequest"),
        ]

    def default(self, _call: Call) -> dict[str, Any]:
        return {"storesLocation": _payload(self._locations.default)}

    def get(self, call: Call) -> dict[str, Any]:
        location = self._locations.find(call.params["storesLocationId"])
        if location is None:
            raise application_error(404, "NOT_FOUND", "Stores location not found")
        return {"storesLocation": _payload(location)}

    def query(self, call: Call) -> dict[str, Any]:
        stocked = (location for location in self._locations.all if location.keeps_stock)
        page = self._language.page(self._language.read(call.part("query")), stocked)
        return {
            "storesLocations": [_payload(location) for location in page.rows],
            "pagingMetadata": page.metadata(),
        }


def _type(location: Location) -> str:
    return "VIRTUAL" if location.is_default else "PHYSICAL"


def _payload(location: Location) -> dict[str, Any]:
    return {
        "id": location.id,
        "revision": str(location.revision),
        "createdDate": wix_date(location.created_at),
        "updatedDate": wix_date(location.updated_at),
        "wixLocationId": location.wix_location_id,
        "locationType": _type(location),
        "name": location.name,
        "defaultLocation": location.is_default,
    }
