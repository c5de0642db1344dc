"""Movements that copies of orders caused, booked into the rights of their counters.

Only what a copy that was read since the hour before the last poll can have done is booked, once each: the cause names
the copy, the item and how far it has come. What is left of a movement is an edit by staff, as ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.copied_stock import (
    GIVES,
    TAKES,
    is_acquitted,
    left_in_doubt,
    part_of,
    possible_deeds,
    put_back,
    stock_effect,
)
from storebridge.inventory.versions import changed_at
from storebridge.model.copying import CopiesTake, CopyDeed, Deed
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, PoolId, Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.bundles import bundles_among
from storebridge.store.cases import StoredCase, open_cases_of_reason
from storebridge.store.copies import booked_for_copy, copies_of_items, copies_with_returns
from storebridge.store.copy_deeds import (
    ByStaff,
    booked_by_staff,
    bookings_of_pool,
    deeds_to_copies,
    items_of_pool,
    late_orders,
    moved_unexplained,
    steps_since,
)
from storebridge.store.database import Tx
from storebridge.store.labels import Residual, residuals_of_items, weights_in
from storebridge.store.lanes import StoredPosition, lanes_of_items, load_lanes, save_positions
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask
from storebridge.work.urgency import Urgency

REASON = Reason.COPY_MOVED_STOCK
MOST = 200
LABELLED = timedelta(hours=1)
WAIT = timedelta(minutes=10)
"""So long other copies may prove that none of them moves stock, before a person is asked."""
SHOWN = timedelta(seconds=20)
"""So long after its deed a store may still show a level from before it (S26)."""
HIDDEN = timedelta(days=7)
"""So long an order may have stayed hidden (a checkout not paid yet) and still explain what was booked meanwhile."""
COPIES_WINDOW = timedelta(hours=1)
"""A copy that has not moved anything within this has moved nothing: later movements are not its doing."""


def book_copied_stock(
    tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, moved: Sequence[Residual], since: datetime
) -> dict[PoolId, int]:
    """Of these movements the part that copies read ``since`` caused, in units of the pool; it is booked. A bundle's
    counter has rights in several pools: what a copy did there is left to a person."""
    items = {item for residual in moved for item in residual.items}
    items -= bundles_among(tx, terms.workspace, connection, items).keys()
    found = copies_of_items(tx, terms.workspace, connection, items, since) if items else []
    takes = terms.copies_take.get(connection, CopiesTake.NEVER)
    booked: dict[PoolId, int] = {}
    for residual in moved:
        for copy in found:
            for item in sorted(items.intersection(residual.items)):
                left = residual.unbooked - booked.get(residual.pool_id, 0)
                if left:
                    expected = stock_effect(copy, item, takes)
                    later = _later_change(tx, terms, residual, item, copy) if expected > 0 else None
                    units = _book(tx, terms, residual, item, copy.order_id, expected, left)
                    if later is not None and units == later.units:
                        _ask_who(tx, terms, residual, copy, later)
                    booked[residual.pool_id] = booked.get(residual.pool_id, 0) + units
    return booked


def _book(
    tx: Tx, terms: WorkspaceTerms, residual: Residual, item: ItemId, order_id: str, expected: int, left: int
) -> int:
    connection, pool_id = residual.connection, residual.pool_id
    weight = weights_in(tx, terms.workspace, connection, pool_id).get(item, 0)
    cause = cause_of(connection, order_id, item)
    times, before = booked_for_copy(tx, terms.workspace, pool_id, cause)
    units = part_of(int(left / weight) if weight else 0, expected - before)
    stored = _counter(tx, terms, connection, item) if units else None
    if stored is None:
        return 0
    position = replace(stored.position, granted=stored.position.granted + units)
    save_positions(tx, terms.workspace, [replace(stored, position=position)])
    movement = NewMovement(
        pool_id=pool_id,
        kind="copy",
        units=units,
        position=position.key,
        connection=connection,
        cause=f"{cause}{times}:{before + units}",
        actor=connection,
        note="a copied order moved no goods",
    )
    add_movements(tx, terms.workspace, [movement])
    return units * weight


class LaterChange(msgspec.Struct, frozen=True):
    """A change of a counter that came long after what a copy did."""

    lane: LaneKey
    units: int
    """Of the pool, by which the counter moved since the copy."""
    at: datetime


def _later_change(tx: Tx, terms: WorkspaceTerms, residual: Residual, item: ItemId, copy: Order) -> LaterChange | None:
    """Where the counter moved in one step since the copy, and its store says that it changed last so long after the
    copy that something else changed it, which nothing that is known explains: the step may be that."""
    connection, lane, positions = residual.connection, *_counters(tx, terms, residual.connection, item)
    steps = steps_since(tx, terms.workspace, residual.pool_id, connection, item, copy.updated_at)
    if lane is None or len(steps) != 1:
        return None
    (step,) = steps
    moved = [one.position.version for one in positions if one.position.key.location_id == step.location_id]
    at = changed_at(moved[0]) if moved else None
    known = max(copy.updated_at, residual.last_order_change_at or copy.updated_at)
    later = at is not None and known + SHOWN < at <= step.at
    return LaterChange(lane, step.units, at) if later and at is not None else None


def _ask_who(tx: Tx, terms: WorkspaceTerms, residual: Residual, copy: Order, later: LaterChange) -> None:
    """It is booked as the copy's doing, so that nothing is sold that does not exist; a person is asked who did it."""
    _, sku = items_of_pool(tx, terms.workspace, residual.connection, residual.pool_id)
    opening = CaseOpening(
        workspace=terms.workspace,
        reason=Reason.COPY_RETURN_UNCLEAR,
        subject=f"{residual.connection}/{residual.pool_id}/{copy.order_id}",
        connection=residual.connection,
        sku=sku,
        lane=later.lane,
        details={
            "units": later.units,
            "pool": residual.pool_id,
            "copy": copy.name,
            "copy_changed": copy.updated_at.isoformat(),
            "counter_changed": later.at.isoformat(),
        },
    )
    raise_cases(tx, [opening])


def forget_returns(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, since: datetime) -> set[ItemId]:
    """Nothing more is expected of copies read ``since`` that say goods of theirs are on sale again, where a reading
    long enough after that shows no such movement (S28: a copy that never took any): a later raise is no doing of
    theirs. Returns items whose counters have to be read for it."""
    to_read: set[ItemId] = set()
    for copy in copies_with_returns(tx, terms.workspace, connection, since):
        items = {line.item_id for line in copy.lines if line.item_id is not None and put_back(line)}
        items -= bundles_among(tx, terms.workspace, connection, items).keys()
        for residual in residuals_of_items(tx, terms.workspace, connection, items):
            for item in sorted(items.intersection(residual.items)):
                if _expects_more(tx, terms, residual, item, copy) and not _forget(tx, terms, residual, item, copy):
                    to_read.add(item)
    return to_read


def looks_after_returns(tx: Tx, read: Sequence[Order]) -> list[Ask]:
    """Copies that were just read and lately put goods back on sale: their counters are read, and orders polled, as soon
    as the movement must show, so that it is known whether there was one before anybody types another."""
    fresh = [one for one in read if one.origin is not None and one.updated_at > tx.now - WAIT]
    items = {line.item_id for one in fresh for line in one.lines if line.item_id is not None and put_back(line)}
    if not items:
        return []
    due_at = max(one.updated_at for one in fresh) + SHOWN
    levels = [Ask("levels", item, int(Urgency.STOCK_READ), due_at) for item in sorted(items)]
    return [*levels, Ask("order_poll", "all", int(Urgency.ORDERS), due_at + SHOWN / 4)]


def _expects_more(tx: Tx, terms: WorkspaceTerms, residual: Residual, item: ItemId, copy: Order) -> bool:
    expected = stock_effect(copy, item, terms.copies_take.get(residual.connection, CopiesTake.NEVER))
    cause = cause_of(residual.connection, copy.order_id, item)
    return expected > booked_for_copy(tx, terms.workspace, residual.pool_id, cause)[1]


def _forget(tx: Tx, terms: WorkspaceTerms, residual: Residual, item: ItemId, copy: Order) -> bool:
    """False while the counters were not read late enough, or something moved that nothing explains."""
    if not _is_settled(residual, copy.updated_at + SHOWN):
        return False
    connection, pool_id = residual.connection, residual.pool_id
    cause = cause_of(connection, copy.order_id, item)
    times, _ = booked_for_copy(tx, terms.workspace, pool_id, cause)
    expected = stock_effect(copy, item, terms.copies_take.get(connection, CopiesTake.NEVER))
    movement = NewMovement(
        pool_id=pool_id,
        kind="copy",
        units=0,
        connection=connection,
        cause=f"{cause}{times}:{expected}",
        actor=connection,
        note="a copied order says that goods are on sale again, and its store did not move",
    )
    add_movements(tx, terms.workspace, [movement])
    return True


def cause_of(connection: ConnectionName, order_id: str, item: ItemId) -> str:
    """How the movements of one copy and one item begin."""
    return f"copy:{connection}:{order_id}:{item}:"


def _counter(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, item: ItemId) -> StoredPosition | None:
    """The item's counter that moved most."""
    _, mine = _counters(tx, terms, connection, item)
    return max(mine, key=lambda one: abs(one.position.level - one.position.granted), default=None)


def _counters(
    tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, item: ItemId
) -> tuple[LaneKey | None, list[StoredPosition]]:
    lane = lanes_of_items(tx, terms.workspace, connection, [item]).get(item)
    if lane is None:
        return None, []
    positions = load_lanes(tx, terms.workspace, [lane], lane_terms(tx, terms))[lane].positions
    return lane, [one for key, one in positions.items() if key.connection == connection and key.item_id == item]


def tell_of_copies(
    tx: Tx, workspace: Workspace, connection: ConnectionName, before: datetime | None, begun: datetime, lag: timedelta
) -> None:
    """What stayed unexplained while a copy was about is told to a person: it may have been the copy.

    Not at once: a store that moves stock for one copy does so for the next, so copies that came later and moved nothing
    prove that it was not. ``before`` and ``begun``: when the poll before this one, and this one, began; what was booked
    so long before them is judged now, each movement once.
    """
    since = (begun - LABELLED if before is None else before) - WAIT
    booked = booked_by_staff(tx, workspace, connection, since, begun - WAIT)
    open_ones = [one for one in open_cases_of_reason(tx, workspace, REASON.value, MOST) if one.connection == connection]
    told = _still_in_doubt(tx, workspace, connection, open_ones)
    since_told = {one.subject: period[0] for one in told if (period := _booked_within(one))}
    told = [case for case in told if case.opened_at > begun - COPIES_WINDOW]
    if not booked and not told:
        return
    deeds = deeds_to_copies(tx, workspace, connection, begun - COPIES_WINDOW - WAIT)
    innocent = _moved_nothing(tx, workspace, connection, deeds, begun - lag - lag)
    _acquit(tx, workspace, told, innocent)
    _tell(tx, workspace, connection, booked, deeds, innocent, since_told)


def _still_in_doubt(
    tx: Tx, workspace: Workspace, connection: ConnectionName, cases: Sequence[StoredCase]
) -> list[StoredCase]:
    """Without those that orders explain which were read meanwhile: these are closed."""
    explained = [
        case
        for case in cases
        if (period := _booked_within(case)) is not None
        and not any(_doubted(tx, workspace, connection, _pool_of(case), *period))
    ]
    settle_by_proof(
        tx, workspace, [(REASON, case.subject, "an order that was read later explains it") for case in explained]
    )
    return [case for case in cases if case not in explained]


def _pool_of(case: StoredCase) -> PoolId:
    return PoolId(case.subject.partition("/")[2])


def _booked_within(case: StoredCase) -> tuple[datetime, datetime] | None:
    """When the first and the last of the bookings that a case speaks of were made; None for one of an older version."""
    first, last = ((case.payload or {}).get(name) for name in ("booked", "booked_until"))
    return None if first is None or last is None else (datetime.fromisoformat(first), datetime.fromisoformat(last))


def _doubted(
    tx: Tx, workspace: Workspace, connection: ConnectionName, pool_id: PoolId, since: datetime, until: datetime
) -> list[int]:
    """Units of each booking of a period as an edit by staff, less those that orders explain which were hidden then."""
    history = since - HIDDEN
    rows = bookings_of_pool(tx, workspace, connection, pool_id, history)
    left = left_in_doubt(rows, late_orders(tx, workspace, connection, pool_id, history))
    return [units for row, units in zip(rows, left, strict=True) if since <= row.at <= until]


def _moved_nothing(
    tx: Tx, workspace: Workspace, connection: ConnectionName, deeds: Sequence[CopyDeed], until: datetime
) -> list[CopyDeed]:
    """Deeds after which every counter of their items was read, with nothing that is not explained by orders: neither
    in the end, nor on the way there, as when staff put back what a copy took."""
    old = [one for one in deeds if one.at <= until]
    items = {item for one in old for item in one.items}
    residuals = residuals_of_items(tx, workspace, connection, items) if items else []
    since = min((one.at for one in old), default=until)
    touched = {(one.pool_id, one.at) for one in booked_by_staff(tx, workspace, connection, since, tx.now)}
    clean = []
    for one in old:
        mine = [residual for residual in residuals if one.items.intersection(residual.items)]
        moved = any((residual.pool_id == pool and at >= one.at) for residual in mine for pool, at in touched)
        settled = mine and not moved and all(_is_settled(residual, one.at) for residual in mine)
        if settled and not _was_undone(tx, workspace, connection, one):
            clean.append(one)
    return clean


def _was_undone(tx: Tx, workspace: Workspace, connection: ConnectionName, deed: CopyDeed) -> bool:
    """Whether a movement against what the deed may have done hides it."""
    ways = [up for up, whose in ((True, TAKES), (False, GIVES)) if deed.deed in whose]
    return any(moved_unexplained(tx, workspace, connection, deed, up=up) for up in ways)


def _is_settled(residual: Residual, since: datetime) -> bool:
    read = residual.oldest_read_at
    return residual.unexplained == residual.booked and not residual.uncertain and read is not None and read > since


def _acquit(tx: Tx, workspace: Workspace, told: Sequence[StoredCase], innocent: Sequence[CopyDeed]) -> None:
    closings = []
    for case in told:
        possible = (case.payload or {}).get("possible", {})
        known = {Deed(deed): datetime.fromisoformat(at) for deed, at in possible.items()}
        if known and is_acquitted(known, innocent):
            closings.append((REASON, case.subject, "copies that came later moved nothing"))
    settle_by_proof(tx, workspace, closings)


def _tell(
    tx: Tx,
    workspace: Workspace,
    connection: ConnectionName,
    booked: Sequence[ByStaff],
    deeds: Sequence[CopyDeed],
    innocent: Sequence[CopyDeed],
    since_told: Mapping[str, datetime],
) -> None:
    openings = []
    for pool_id in sorted({one.pool_id for one in booked}):
        rows = [one for one in booked if one.pool_id == pool_id]
        subject, moved_at = f"{connection}/{pool_id}", max(one.at for one in rows)
        since = min(since_told.get(subject, rows[0].at), rows[0].at)
        if not any(_doubted(tx, workspace, connection, pool_id, rows[0].at, moved_at)):
            continue
        units = sum(_doubted(tx, workspace, connection, pool_id, since, moved_at))
        items, sku = items_of_pool(tx, workspace, connection, pool_id)
        about = [one for one in deeds if moved_at - COPIES_WINDOW <= one.at <= moved_at]
        possible = possible_deeds(units, items, about) if units else {}
        if not possible or is_acquitted(possible, innocent):
            continue
        details = {
            "units": units,
            "booked": since.isoformat(),
            "booked_until": moved_at.isoformat(),
            "possible": {deed.value: at.isoformat() for deed, at in sorted(possible.items())},
        }
        openings.append(
            CaseOpening(
                workspace=workspace,
                reason=REASON,
                subject=subject,
                connection=connection,
                sku=sku,
                details=details,
            )
        )
    raise_cases(tx, openings)
