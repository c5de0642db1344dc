"""The site's locations.

Each is told twice: in Wix's own Locations API, where it is written, and as a stores location, which is what
inventory items name. The first is the stores' default one, which is all that the site's checkout sells from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storebridge_sandbox.wix.identities import Guids

INVENTORY = "INVENTORY"


@dataclass(slots=True)
class Location:
    """``wix_location_id`` is the same place in the Locations API; ``details`` what a caller wrote about it.

    ``is_default`` is about the stores, ``is_main`` about the business as a whole.
    """

    id: str
    wix_location_id: str
    name: str
    is_default: bool
    created_at: datetime
    updated_at: datetime
    is_main: bool = False
    archived: bool = False
    revision: int = 1
    types: list[str] = field(default_factory=lambda: [INVENTORY])
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def keeps_stock(self) -> bool:
        """Whether it is told as a stores location."""
        return self.is_default or (INVENTORY in self.types and not self.archived)


class Locations:
    """All locations of the site."""

    def __init__(self, new_id: Guids, created_at: datetime, default: str, more: Iterable[str]) -> None:
        self._new_id = new_id
        self.all: list[Location] = []
        for name in (default, *more):
            self.add(name, created_at)
        self.default = self.all[0]

    def add(self, name: str, created_at: datetime) -> Location:
        """One more; the first is the default in both senses."""
        first = not self.all
        location = Location(self._new_id(), self._new_id(), name, first, created_at, created_at, is_main=first)
        self.all.append(location)
        return location

    def find(self, location_id: str) -> Location | None:
        """By the stores' id, which inventory items name."""
        return next((one for one in self.all if one.id == location_id and one.keeps_stock), None)

    def find_place(self, wix_location_id: str) -> Location | None:
        """By the id of the Locations API."""
        return next((one for one in self.all if one.wix_location_id == wix_location_id), None)
