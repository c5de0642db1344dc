"""``/locations/v1/locations``: where locations are written. One of type INVENTORY is a stores location as well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from storebridge_sandbox.wix.calls import Call, Handler, Operation
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.locations.state import INVENTORY, Location, Locations
from storebridge_sandbox.wix.query import Field, Language
from storebridge_sandbox.wix.wire import WixRefusal, application_error, validation_error

READ = "SCOPE.DC.READ-LOCATIONS"
MANAGE = "SCOPE.DC.MANAGE-LOCATIONS"
BASE = "/locations/v1/locations"
ONE = BASE + "/{id}"
WRITABLE = (
    "description",
    "status",
    "fax",
    "timeZone",
    "email",
    "phone",
    "address",
    "businessSchedule",
    "extendedFields",
)

Announce = Callable[[str, dict[str, Any], Actor], None]


class PlaceAnswers:
    """Answers about the business's places. ``announce`` takes a slug and the location."""

    def __init__(self, locations: Locations, now: Callable[[], datetime], announce: Announce) -> None:
        self._locations = locations
        self._now = now
        self._announce = announce
        self._language = Language(
            {
                "id": Field(lambda place: place.wix_location_id),
                "name": Field(lambda place: place.name, sortable=True),
                "default": Field(lambda place: place.is_main, "flag"),
                "archived": Field(lambda place: place.archived, "flag"),
                "status": Field(lambda place: place.details.get("status", "ACTIVE")),
            },
            tie=lambda place: locations.all.index(place),
            default_limit=50,
            most=1000,
        )

    def operations(self) -> list[Operation]:
        takes = "business-tools_locations:"

        def make(name: str, method: str, path: str, handler: Handler, message: str, scope: str = MANAGE) -> Operation:
            return Operation(name, (method,), path, handler, scope, takes=f"{takes}{message}Request")

        return [
            make("listLocations", "GET", BASE, self.list, "ListLocations", READ),
            make("queryLocations", "POST", f"{BASE}/query", self.query, "QueryLocations", READ),
            make("createLocation", "POST", BASE, self.create, "CreateLocation"),
            make("bulkCreateLocation", "POST", f"{BASE}/bulk-create", self.create_many, "BulkCreateLocation"),
            make("getLocation", "GET", ONE, self.get, "GetLocation", READ),
            make("updateLocation", "PUT", ONE, self.update, "UpdateLocation"),
            make("archiveLocation", "POST", f"{ONE}/archive", self.archive, "ArchiveLocation"),
            make("setDefaultLocation", "POST", f"{ONE}/set-default", self.set_main, "SetDefaultLocation"),
            make("addTypeToLocation", "PATCH", f"{ONE}/add-type", self.add_type, "AddTypeToLocation"),
            make("addLocationType", "PATCH", f"{ONE}/add-location-type", self.add_type, "AddLocationType"),
            make("removeTypeFromLocation", "PATCH", f"{ONE}/remove-type", self.remove_type, "RemoveTypeFromLocation"),
            make("removeLocationType", "PATCH", f"{ONE}/remove-location-type", self.remove_type, "RemoveLocationType"),
        ]

    def list(self, call: Call) -> dict[str, Any]:
        sort = call.part("sort")
        query = {"paging": call.part("paging"), "sort": [sort] if sort else None}
        return self._page(query, archived=call.flag("includeArchived"))

    def query(self, call: Call) -> dict[str, Any]:
        return self._page(call.part("query"), archived=True)

    def get(self, call: Call) -> dict[str, Any]:
        return {"location": place_payload(self._find(call)), "locationManagementAuthorized": True}

    def create(self, call: Call) -> dict[str, Any]:
        return {"location": self._created(call, call.part("location"))}

    def create_many(self, call: Call) -> dict[str, Any]:
        rows = call.rows("locations", 10)
        return {"successfulLocations": [self._created(call, row) for row in rows], "failedLocations": []}

    def update(self, call: Call) -> dict[str, Any]:
        """A PUT: what is not sent is gone."""
        asked, place = call.part("location"), self._find(call)
        self._check_alive(place)
        if str(asked.get("revision") or "") != str(place.revision):
            raise application_error(409, "REVISION_MISMATCH", "entity has already changed since the requested revision")
        place.name = _name(asked)
        place.details = {name: asked[name] for name in WRITABLE if asked.get(name) is not None}
        if asked.get("locationTypes"):
            place.types = list(asked["locationTypes"])
        return self._changed(call, place)

    def archive(self, call: Call) -> dict[str, Any]:
        place = self._find(call)
        if place.is_main or place.is_default:
            raise application_error(428, "CANNOT_ARCHIVE_DEFAULT", "The default location cannot be archived")
        place.archived = True
        return self._changed(call, place)

    def set_main(self, call: Call) -> dict[str, Any]:
        place = self._find(call)
        self._check_alive(place)
        if place.is_main:
            raise application_error(428, "DEFAULT_NOT_CHANGED", "The location is the default one already")
        for one in self._locations.all:
            one.is_main = one is place
        return self._changed(call, place)

    def add_type(self, call: Call) -> dict[str, Any]:
        place, kind = self._find(call), str(call.arguments["locationType"])
        self._check_types(place)
        if kind not in place.types:
            place.types.append(kind)
        return self._changed(call, place)

    def remove_type(self, call: Call) -> dict[str, Any]:
        place, kind = self._find(call), str(call.arguments["locationType"])
        self._check_types(place)
        if place.is_default and kind == INVENTORY:
            raise application_error(
                428, "CANNOT_UPDATE_LOCATION_TYPES_FOR_LOCATION", "The stores' default location keeps stock"
            )
        place.types = [held for held in place.types if held != kind]
        return self._changed(call, place)

    def _page(self, query: dict[str, Any], *, archived: bool) -> dict[str, Any]:
        question = self._language.read(query)
        page = self._language.page(question, (one for one in self._locations.all if archived or not one.archived))
        more = question.offset + len(page.rows) < page.total
        return {
            "locations": [place_payload(place) for place in page.rows],
            "pagingMetadata": {"count": len(page.rows), "offset": question.offset, "hasNext": more},
        }

    def _created(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        place = self._locations.add(_name(asked), self._now())
        place.types = list(asked.get("locationTypes") or [])
        place.details = {name: asked[name] for name in WRITABLE if asked.get(name) is not None}
        call.wrote = True
        told = place_payload(place)
        self._announce("created", told, call.actor)
        return told

    def _changed(self, call: Call, place: Location) -> dict[str, Any]:
        place.revision += 1
        place.updated_at = self._now()
        call.wrote = True
        told = place_payload(place)
        self._announce("updated", told, call.actor)
        return {"location": told}

    def _find(self, call: Call) -> Location:
        place = self._locations.find_place(call.params["id"])
        if place is None:
            raise _not_found(call.params["id"])
        return place

    def _check_alive(self, place: Location) -> None:
        if place.archived:
            raise application_error(
                428, "CANNOT_PERFORM_ACTION_ON_ARCHIVED_LOCATION", "An archived location cannot be changed"
            )

    def _check_types(self, place: Location) -> None:
        if place.archived:
            raise application_error(
                428, "CANNOT_UPDATE_LOCATION_TYPES_FOR_LOCATION", "An archived location keeps its types"
            )


def _name(asked: dict[str, Any]) -> str:
    if not asked.get("name"):
        raise validation_error("location.name", "must not be empty", "REQUIRED_FIELD")
    return str(asked["name"])


def _not_found(place_id: str) -> WixRefusal:
    return application_error(404, "LOCATION_NOT_FOUND", f"Location {place_id!r} was not found")


def place_payload(place: Location) -> dict[str, Any]:
    """The Location message of the Locations API."""
    return {
        "status": "ACTIVE",
        **place.details,
        "id": place.wix_location_id,
        "name": place.name,
        "default": place.is_main,
        "archived": place.archived,
        "revision": str(place.revision),
        "locationTypes": list(place.types),
    }
