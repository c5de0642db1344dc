"""``/stores/v3/locations``: read only."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
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
        base = "/stores/v3/locations"
        return [
            Operation("getDefaultStoresLocation", ("GET",), f"{base}/default", self.default, READ, "v3"),
            Operation("queryStoresLocations", ("POST",), f"{base}/query", self.query, READ, "v3"),
            Operation("getStoresLocation", ("GET",), base + "/{storesLocationId}", self.get, READ, "v3"),
        ]

    def default(self, _call: Call) -> dict[str, Any]:
        return {"storesLocation": _payload(self._locations.default)}

    def get(self, call: Call) -> dict[str, Any]:
        for location in self._locations.all:
            if location.id == call.params["storesLocationId"]:
                return {"storesLocation": _payload(location)}
        raise application_error(404, "NOT_FOUND", "Stores location not found")

    def query(self, call: Call) -> dict[str, Any]:
        page = self._language.page(self._language.read(call.part("query")), self._locations.all)
        return {
            "storesLocations": [_payload(location) for location in page.rows],
            "pagingMetadata": page.metadata(),
        }


def _type(location: Location) -> str:
    return "VIRTUAL" if location.is_default else "PHYSICAL"


def _payload(location: Location) -> dict[str, Any]:
    return {
        "id": location.id,
        "revision": "1",
        "createdDate": wix_date(location.created_at),
        "updatedDate": wix_date(location.created_at),
        "wixLocationId": location.wix_location_id,
        "locationType": _type(location),
        "name": location.name,
        "defaultLocation": location.is_default,
    }
