"""Which location belongs to which group: a group's locations hold the same goods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from storebridge.errors import ConfigurationError
from storebridge.model.catalogue import Location
from storebridge.model.ids import ConnectionName, LocationId
from storebridge.model.settings import GroupTerms


class Placed(msgspec.Struct, frozen=True):
    """A location's group, and its place in the order of writing."""

    group: str
    rank: int


def place_locations(
    groups: Sequence[GroupTerms], locations: Mapping[ConnectionName, Sequence[Location]]
) -> dict[tuple[ConnectionName, LocationId], Placed]:
    """The group of each active location that has one. Raises ConfigurationError for a name that matches nothing."""
    placed: dict[tuple[ConnectionName, LocationId], Placed] = {}
    for group in groups:
        for connection, names in group.locations.items():
            known = locations.get(connection, ())
            chosen = [loc for name in names for loc in _matching(group, connection, name, known)]
            for rank, location in enumerate(dict.fromkeys(chosen)):
                placed.setdefault((connection, location.location_id), Placed(group.name, rank))
    return placed


def _matching(group: GroupTerms, connection: ConnectionName, name: str, known: Sequence[Location]) -> list[Location]:
    if name == "*":
        selling = [location for location in known if location.active and location.sells_online]
        return sorted(selling, key=lambda location: (not location.is_default, location.location_id))
    found = [location for location in known if name in (location.location_id, location.name)]
    if not found:
        names = ", ".join(sorted(location.name for location in known)) or "none"
        raise ConfigurationError(
            f"Group {group.name!r} names the location {name!r} of {connection}, which has no such location; "
            f"it has: {names}. Change the group's locations in the configuration."
        )
    return found


def groups_sold_from(
    placed: Mapping[tuple[ConnectionName, LocationId], Placed],
    locations: Mapping[ConnectionName, Sequence[Location]],
) -> dict[ConnectionName, set[str]]:
    """The groups from which each store's own checkout can sell; more than one breaks the guarantee."""
    return {
        connection: {
            placed[connection, location.location_id].group
            for location in known
            if location.active and location.sells_online and (connection, location.location_id) in placed
        }
        for connection, known in locations.items()
    }
