"""Validate the goods: more sold than exists, or a store that was emptied at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.mass_zero import looks_emptied
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, LaneKey, Workspace
from storebridge.model.stock import LevelsRead
from storebridge.model.words import in_units
from storebridge.store.database import Tx
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
    lanes: Mapping[LaneKey, StoredLane], connection: ConnectionName, read: LevelsRead, *, share: float
) -> tuple[int, list[LaneKey]]:
    """How many counters fell to zero at once and whose lanes to freeze; (0, []) when nothing is suspicious.

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
    fallen = looks_emptied(((before, after) for _, before, after in changes), share=share)
    if not fallen:
        return 0, []
    return fallen, sorted({lane for lane, before, after in changes if before > 0 and after is not None and after <= 0})


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
