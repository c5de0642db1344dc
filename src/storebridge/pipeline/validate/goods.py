"""Validate the goods: more sold than exists, or a store that was emptied at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.mass_zero import looks_emptied, was_emptied_in_steps
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, LaneKey, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import LevelsRead
from storebridge.model.words import in_units
from storebridge.store.cases import last_case
from storebridge.store.database import Tx
from storebridge.store.emptied import count_dropped, count_stocked
from storebridge.store.lanes import StoredLane


def record_oversold(
    tx: Tx, workspace: Workspace, lanes: Iterable[StoredLane], open_now: Collection[tuple[str, str]]
) -> None:
    """A pool below zero is a case; one that has goods again closes it."""
    openings: list[CaseOpening] = []
    closings: list[tuple[Reason, str, str]] = []
    for lane in lanes:
        state = lane.state({})
        for pool in state.pools:
            left = goods_left(state, pool)
            is_open = (Reason.OVERSOLD.value, pool.pool_id) in open_now
            if left < 0 and not is_open:
                openings.append(
                    CaseOpening(
                        workspace=workspace,
                        reason=Reason.OVERSOLD,
                        subject=pool.pool_id,
                        sku=pool.sku,
                        lane=lane.lane,
                        field="goods",
                        details={"units short": -left},
                    )
                )
            elif left >= 0 and is_open:
                closings.append((Reason.OVERSOLD, pool.pool_id, f"{in_units(left)} left"))
    raise_cases(tx, openings)
    settle_by_proof(tx, workspace, closings)


def find_emptied(
    tx: Tx,
    terms: WorkspaceTerms,
    lanes: Mapping[LaneKey, StoredLane],
    connection: ConnectionName,
    read: LevelsRead,
) -> tuple[int, list[LaneKey]]:
    """How many counters fell to zero, in this read or one by one within a sweep, and whose lanes to freeze; (0, [])
    when nothing is suspicious.

    A counter with our own write on the wire is left out: a first demo on PostgreSQL held a store whose own
    baseline writes had just emptied its outlet.
    """
    shown = {(reading.item_id, reading.location_id): reading.available for reading in read.readings}
    changes: list[tuple[LaneKey, int, int | None]] = [
        (lane.lane, stored.position.level, shown[key.item_id, key.location_id])
        for lane in lanes.values()
        for key, stored in lane.positions.items()
        if key.connection == connection and (key.item_id, key.location_id) in shown and key not in lane.on_the_wire
    ]
    at_zero = [(lane, before) for lane, before, after in changes if before > 0 and after is not None and after <= 0]
    fallen = looks_emptied(((before, after) for _, before, after in changes), share=terms.mass_zero_share)
    if fallen:
        return fallen, sorted({lane for lane, _ in at_zero})
    dropped = [lane for lane, before in at_zero if before > terms.hot_below_units]
    fallen = _emptied_in_steps(tx, terms, connection, len(dropped)) if dropped else 0
    return fallen, sorted(set(dropped)) if fallen else []


def _emptied_in_steps(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, dropped: int) -> int:
    """How many counters fell from well above zero within a sweep, the last ``dropped`` of them now; 0 when that is
    nothing unusual. What a person has released before does not count again."""
    above = terms.hot_below_units
    last = last_case(tx, terms.workspace, Reason.MASS_ZERO_HELD.value, connection)
    released = last.closed_at if last is not None and last.closed_at is not None else None
    begin = tx.now - timedelta(seconds=terms.sweep_seconds)
    since = begin if released is None else max(begin, released)
    fallen = dropped + count_dropped(tx, terms.workspace, connection, since=since, above=above)
    still = count_stocked(tx, terms.workspace, connection, above=above) - dropped
    return fallen if was_emptied_in_steps(fallen, still, share=terms.mass_zero_share) else 0


def hold_emptied(tx: Tx, workspace: Workspace, connection: ConnectionName, fallen: int, read: int) -> None:
    """Open the case; the lanes are frozen by the caller in the same transaction."""
    opening = CaseOpening(
        workspace=workspace,
        reason=Reason.MASS_ZERO_HELD,
        subject=connection,
        connection=connection,
        field="available",
        details={"fell to zero": fallen, "items read": read},
    )
    raise_cases(tx, [opening])
