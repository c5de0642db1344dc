"""A store's locations, looked at now and then: one that holds stock may close, and one may begin to sell online."""

from __future__ import annotations

from collections.abc import Sequence

from storebridge.errors import ConfigurationError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.mappings.groups import Placed, groups_sold_from, place_locations
from storebridge.model.catalogue import Location
from storebridge.model.ids import ConnectionName, LocationId
from storebridge.model.settings import GroupTerms, WorkspaceTerms
from storebridge.reconcile.sweep import ask_sweep
from storebridge.store.cases import open_subjects_of_reason
from storebridge.store.catalogue import note_locations
from storebridge.store.database import Tx
from storebridge.store.places import StockAtLocation, close_counters, stock_by_location


def record_locations(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, found: Sequence[Location]) -> None:
    """A location with stock that is closed or gone is a case, and nothing is written there until it is back."""
    note_locations(tx, terms.workspace, connection, found)
    is_open = {location.location_id: location.active for location in found}
    names = {location.location_id: location.name for location in found}
    held = stock_by_location(tx, terms.workspace, connection)
    closed = [stock for stock in held if not is_open.get(stock.location_id, False)]
    known = open_subjects_of_reason(tx, terms.workspace, Reason.LOCATION_GONE.value)
    new = [stock for stock in closed if _subject(connection, stock.location_id) not in known]
    close_counters(tx, terms.workspace, connection, [stock.location_id for stock in new])
    raise_cases(tx, [_case(terms, connection, stock, names.get(stock.location_id, "not listed")) for stock in new])
    back = [place for place, active in is_open.items() if active and _subject(connection, place) in known]
    proof = "the location is listed as active"
    settle_by_proof(tx, terms.workspace, [(Reason.LOCATION_GONE, _subject(connection, place), proof) for place in back])
    if new or back:
        ask_sweep(tx, terms, connection, everything=True)


def _subject(connection: ConnectionName, location: LocationId) -> str:
    return f"{connection}@{location}"


def _case(terms: WorkspaceTerms, connection: ConnectionName, stock: StockAtLocation, name: str) -> CaseOpening:
    return CaseOpening(
        workspace=terms.workspace,
        reason=Reason.LOCATION_GONE,
        subject=_subject(connection, stock.location_id),
        connection=connection,
        field="location",
        details={"location": name, "SKUs": stock.items, "units": stock.units},
    )


def sells_from_several_groups(
    terms: WorkspaceTerms, connection: ConnectionName, found: Sequence[Location]
) -> tuple[str, ...]:
    """The groups that the store's own checkout may sell from, when they are more than one."""
    groups = groups_sold_from(_placed(terms, connection, found), {connection: found})[connection]
    return tuple(sorted(groups)) if len(groups) > 1 else ()


def grouped_outside_default(
    terms: WorkspaceTerms, connection: ConnectionName, found: Sequence[Location]
) -> tuple[str, ...]:
    """Names of locations that belong to a group and are not the default one."""
    placed = _placed(terms, connection, found)
    return tuple(sorted(one.name for one in found if not one.is_default and (connection, one.location_id) in placed))


def _placed(
    terms: WorkspaceTerms, connection: ConnectionName, found: Sequence[Location]
) -> dict[tuple[ConnectionName, LocationId], Placed]:
    """Nothing where a location that the configuration names is gone, which is a case of its own."""
    groups = [
        GroupTerms(group.name, {connection: group.locations[connection]})
        for group in terms.groups
        if connection in group.locations
    ]
    try:
        return place_locations(groups, {connection: found})
    except ConfigurationError:
        return {}
