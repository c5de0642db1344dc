"""What checkouts hold, turn by turn: falls may be theirs, a later reading frees them, a confirmed lower covers them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.inventory.reservations import cover, drop_impossible, free, key_of, note_fall
from storebridge.model.checkouts import Reservation
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.pipeline.normalize.fold import Movement
from storebridge.store.database import Tx
from storebridge.store.lanes import StoredLane
from storebridge.store.reservations import save_reservations
from storebridge.store.story import NewMovement, add_movements


class Change(msgspec.Struct, frozen=True):
    """A reservation before and after; None where it is new."""

    before: Reservation | None
    after: Reservation

    @property
    def covered(self) -> int:
        return self.after.covered - (0 if self.before is None else self.before.covered)


def keep_reservations(lane: StoredLane, movements: Iterable[Movement], now: datetime) -> list[Change]:
    """Follow what a turn folded; the lane's reservations are replaced in place."""
    before = dict(lane.reservations)
    for movement in movements:
        _note_fall(lane, movement, now)
    put(lane, free(lane.state({}), lane.reservations, now))
    put(lane, drop_impossible(lane.state({}), lane.reservations))
    put(lane, cover(lane.state({}), lane.reservations))
    gone = [Change(one, _over(one)) for key, one in before.items() if key not in lane.reservations]
    kept = [Change(before.get(key), one) for key, one in lane.reservations.items() if before.get(key) != one]
    return [*gone, *kept]


def _over(one: Reservation) -> Reservation:
    return msgspec.structs.replace(one, units=0, covered=0, wanted=0, free_at=None, seen=0, seen_at=None)


def put(lane: StoredLane, changed: Iterable[Reservation]) -> None:
    """Replace reservations of a lane; those that are over leave it."""
    for one in changed:
        if one.is_over:
            lane.reservations.pop(key_of(one), None)
        else:
            lane.reservations[key_of(one)] = one


def _note_fall(lane: StoredLane, movement: Movement, now: datetime) -> None:
    store = movement.position.connection
    if movement.units >= 0 or store not in lane.guards:
        return
    for draw in lane.draws:
        if draw.position == movement.position:
            mine = [r for r in lane.reservations.values() if (r.connection, r.pool_id) == (store, draw.pool_id)]
            put(lane, note_fall(mine, -movement.units * draw.weight, now))


def fell_unexplained(changed: Iterable[Change]) -> list[ConnectionName]:
    """Stores whose counter fell by what may be the order of a checkout: their orders are asked for at once."""
    stores = {
        change.after.connection
        for change in changed
        if change.after.order_id is None and change.after.seen > (0 if change.before is None else change.before.seen)
    }
    return sorted(stores)


def record_reservations(tx: Tx, workspace: Workspace, changed: Sequence[Change]) -> None:
    """Store what changed; what began or ceased to be held goes into the ledger and the audit log, once each."""
    save_reservations(tx, workspace, [change.after for change in changed])
    moved = [change for change in changed if change.covered]
    add_movements(tx, workspace, [_as_movement(change) for change in moved])
    append(tx, [_as_audit(workspace, change) for change in moved])


def _kind(change: Change) -> str:
    if change.covered > 0:
        return "held"
    return "freed" if change.after.order_id is None else "bought"


def _as_movement(change: Change) -> NewMovement:
    after = change.after
    return NewMovement(
        pool_id=after.pool_id,
        connection=after.connection,
        kind=_kind(change),
        units=abs(change.covered),
        actor="storebridge",
        note=f"purchase {after.flow}" if after.order_id is None else f"order {after.order_id}",
    )


def _as_audit(workspace: Workspace, change: Change) -> AuditRow:
    after = change.after
    return AuditRow(
        workspace=workspace,
        kind=f"checkout_{_kind(change)}",
        subject=after.pool_id,
        actor="storebridge",
        record={"purchase": after.flow, "store": after.connection, "units": abs(change.covered)},
    )
