"""More was sold than exists: which orders lose, and what a cancellation that brings nothing back means for the pool.

A unit of an oversold order that is cancelled without restock never existed: it is credited to the goods, once, so that
the pool is not short of it for ever; so is one that a refund or an edit takes off an order before it was sent. Whether
what somebody else called off was one, the moment decides at which it was made: only while the pool was short. One that
we called off ourselves counts whatever the pool shows by the time its answer comes (docs/decisions/oversold.md).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.queue import place_in_queue, remember_lines
from storebridge.inventory.claims import SAME_MOMENT, called_off, claim_of, restocked_since, taken_off, units_beside
from storebridge.inventory.oversell import Claim, Loser, choose_losers, voided_units
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, ItemId, OrderKey, PoolId, Workspace
from storebridge.model.sales import Order, Standing
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import Pool
from storebridge.store.cases import last_case, open_subjects_of_reason
from storebridge.store.database import Tx
from storebridge.store.labels import residuals_of_items
from storebridge.store.lanes import StoredLane, add_goods, load_lanes
from storebridge.store.order_writes import DROPPED, get_writes, settle_write, writes_of_orders
from storebridge.store.oversold import (
    CALLED,
    VOID_PURPOSE,
    Item,
    StoredVoid,
    booked_as_edits_since,
    booked_since,
    decide_void,
    drop_voids,
    forget_idle,
    has_unsure_since,
    lanes_of_pools,
    losers_of_orders,
    losers_of_pools,
    note_cancelled,
    note_taken_off,
    ordered_parts,
    orders_changed_since,
    orders_waiting_for,
    part_called,
    pools_of_item,
    pools_with_losers,
    provided_orders,
    returns_unread_since,
    save_losers,
    sold_since,
    taken_by_lines,
    voids_of_order,
    waiting_voids,
)
from storebridge.store.policies import lane_terms
from storebridge.store.sales import add_history, copies_of, known_orders, load_files, order_key_of, set_queue
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

PATIENCE = timedelta(minutes=15)
"""So long levels and orders may disagree before a cancellation is judged by what is known."""
LONGEST_AGO = timedelta(days=1)
"""Of a refund that is older when it is first seen, nobody can tell any more whether the pool was short."""
MOST_NAMED = 10
"""Of an order's other goods, so many are named in a case."""
NOTES = {
    "": "units of a cancelled order that never existed",
    "refunded": "units that were refunded before they were sent and never existed",
    "edited": "units that were taken out of an order and never existed",
    "called": "units that we took off an order and that never existed",
}


def note_called_off(tx: Tx, workspace: Workspace, orders: Iterable[Order]) -> None:
    """Remember what cancellations, refunds and edits took off orders and did not bring back; in the transaction that
    stores the orders."""
    for order in orders:
        if order.origin is None:
            _note_taken_off(tx, workspace, _with_lines(tx, workspace, order))
            if order.standing is Standing.CANCELLED and order.cancelled_at is not None:
                _note_cancelled(tx, workspace, order, order.cancelled_at)


def _with_lines(tx: Tx, workspace: Workspace, order: Order) -> Order:
    """With what a take-off of ours took out whole, as far as an edit of ours is in it."""
    known = {line.line_id for line in order.lines}
    if all(line.line_id in known for refund in order.refunds for line in refund.lines):
        return order
    key = order_key_of(order.connection, order.order_id)
    earlier = known_orders(tx, workspace, [key]).get(key)
    return remember_lines(order, earlier.order if earlier else None)


def _note_cancelled(tx: Tx, workspace: Workspace, order: Order, at: datetime) -> None:
    """A refund of the same moment that was seen before the cancellation is not counted with it once more."""
    gone = _by_pool(tx, workspace, order, called_off(order, taken_by_lines(tx, workspace, order)), at)
    if not gone:
        return
    key = order_key_of(order.connection, order.order_id)
    for void in voids_of_order(tx, workspace, key):
        if void.part == "refunded" and void.cancelled_at is not None and void.cancelled_at >= at - SAME_MOMENT:
            gone[void.pool_id] = max(0, gone.get(void.pool_id, 0) - void.called_off)
    for pool_id, units in gone.items():
        note_cancelled(tx, workspace, key, pool_id, units, at)


def _note_taken_off(tx: Tx, workspace: Workspace, order: Order) -> None:
    """Each unit once: what is noted is named by the write of ours that took it off, or by how many were taken off by
    others up to then."""
    all_found = taken_off(order)
    key = order_key_of(order.connection, order.order_id)
    for one in all_found:
        if one.by is not None:
            for pool_id, units in _by_pool(tx, workspace, order, one.units, one.at).items():
                note_cancelled(tx, workspace, part_called(key, one.by), pool_id, units, one.at)
    found = [one for one in all_found if one.by is None]
    if all(tx.now - one.at > LONGEST_AGO for one in found):
        return
    known = voids_of_order(tx, workspace, key)
    if any(void.order_key == key and void.state != "ordered" for void in known):
        return  # what a cancellation took is known, and its store may date it anew with each change
    noted: Counter[tuple[str, PoolId]] = Counter()
    for void in known:
        if void.part != CALLED:
            noted[void.part, void.pool_id] += void.called_off
    seen: Counter[tuple[str, PoolId]] = Counter()
    for one in found:
        for pool_id, units in _by_pool(tx, workspace, order, one.units, one.at).items():
            name = one.how, pool_id
            seen[name] += units
            new = min(units, seen[name] - noted[name])
            if new > 0 and tx.now - one.at <= LONGEST_AGO:
                note_taken_off(tx, workspace, key, pool_id, f"{one.how}-{seen[name]}", new, one.at)


def _by_pool(
    tx: Tx, workspace: Workspace, order: Order, units: Mapping[ItemId, int], at: datetime
) -> dict[PoolId, int]:
    found: dict[PoolId, int] = {}
    for item, count in units.items():
        for pool in pools_of_item(tx, workspace, order.connection, item, at):
            found[pool.pool_id] = found.get(pool.pool_id, 0) + count * pool.weight
    return found


def judge_oversold(tx: Tx, terms: WorkspaceTerms) -> frozenset[ConnectionName]:
    """Decide what waits and choose the losers of every short pool; returns the stores that are to be read."""
    workspace = terms.workspace
    _forget_given_up(tx, workspace)
    voids = waiting_voids(tx, workspace)
    short = {PoolId(name) for name in open_subjects_of_reason(tx, workspace, Reason.OVERSOLD.value)}
    known = pools_with_losers(tx, workspace)
    lane_of = lanes_of_pools(tx, workspace, {void.pool_id for void in voids} | short | known)
    lanes = load_lanes(tx, workspace, lane_of.values(), lane_terms(tx, terms))
    wake: set[ConnectionName] = set()
    for void in voids:
        if void.pool_id in lane_of:
            wake |= _judge_void(tx, workspace, void, lanes[lane_of[void.pool_id]])
    unsure = Counter[PoolId]()
    for void in waiting_voids(tx, workspace) if voids else ():
        unsure[void.pool_id] += void.called_off
    for pool_id in sorted((short | known) & lane_of.keys()):
        wake |= _name_losers(tx, terms, lanes[lane_of[pool_id]], pool_id, unsure[pool_id])
    return frozenset(wake)


def _forget_given_up(tx: Tx, workspace: Workspace) -> None:
    """Units that we will not take off after all: the write that was to do it was given up."""
    parts = ordered_parts(tx, workspace)
    writes = get_writes(tx, {part.called_by for part in parts}) if parts else {}
    if given_up := [part.order_key for part in parts if writes[part.called_by].state == DROPPED]:
        drop_voids(tx, workspace, given_up)


# what a cancellation means for the pool


def _judge_void(tx: Tx, workspace: Workspace, void: StoredVoid, lane: StoredLane) -> frozenset[ConnectionName]:
    if void.allotted is not None:
        credited = min(void.allotted, void.called_off)
    else:
        items = items_of(lane, void.pool_id)
        if not _is_settled(tx, workspace, void, lane, items):
            return _ask_levels(tx, workspace, lane) if void.at == tx.now else frozenset()
        assert void.cancelled_at is not None
        left_then = _left_at(tx, workspace, void.pool_id, lane, items, void.cancelled_at)
        credited = voided_units(_not_come_back(tx, workspace, void), left_then)
    if not decide_void(tx, workspace, void, credited):
        return frozenset()
    returned = 0 if void.allotted is None else void.called_off - credited
    _book(tx, workspace, void, lane.pools[void.pool_id], credited, returned)
    if credited + returned == 0:
        return frozenset()
    lane.pools[void.pool_id] = _with_more(lane.pools[void.pool_id], credited + returned)
    return _ask_levels(tx, workspace, lane)


def _not_come_back(tx: Tx, workspace: Workspace, void: StoredVoid) -> int:
    """An edit does not say whether it put units back. Where it did not, the counter is found too low by them, as if
    staff had taken them away."""
    if void.part != "edited":
        return void.called_off
    assert void.cancelled_at is not None
    (file,) = load_files(tx, workspace, [void.order]).values()
    since = void.cancelled_at
    return min(void.called_off, booked_as_edits_since(tx, workspace, void.pool_id, file.order.connection, since))


def _is_settled(tx: Tx, workspace: Workspace, void: StoredVoid, lane: StoredLane, items: Mapping[Item, int]) -> bool:
    """Whether levels and orders tell the same of the pool, both read after the cancellation, and whole orders say when
    units came back: a poll's labels are ahead of them. A checkout that does not tell whether it took stock took
    it, or did not, when it was placed: one from before the cancellation changes nothing of what was left then, and may
    stand there for days."""
    assert void.cancelled_at is not None
    if tx.now - void.at > PATIENCE:
        return True
    reads = [stored.position.read_at for stored in lane.positions.values()]
    if any(at is None or at <= void.cancelled_at for at in reads) or lane.on_the_wire:
        return False
    if returns_unread_since(tx, workspace, items, void.cancelled_at):
        return False
    by_store: defaultdict[ConnectionName, list[ItemId]] = defaultdict(list)
    for connection, item in items:
        by_store[connection].append(item)
    residuals = [
        residual
        for connection, named in by_store.items()
        for residual in residuals_of_items(tx, workspace, connection, named)
        if residual.pool_id == void.pool_id
    ]
    return not any(one.unbooked for one in residuals) and not has_unsure_since(tx, workspace, items, void.cancelled_at)


def _left_at(
    tx: Tx, workspace: Workspace, pool_id: PoolId, lane: StoredLane, items: Mapping[Item, int], moment: datetime
) -> int:
    """What was left of the pool at a moment: what is left now, and what happened since taken back."""
    left = goods_left(lane.state({}), lane.pools[pool_id])
    sold = sold_since(tx, workspace, items, moment)
    later = orders_changed_since(tx, workspace, items, moment)
    came_back = sum(
        units * items[order.connection, item]
        for order in later.values()
        for item, units in restocked_since(order, moment).items()
        if (order.connection, item) in items
    )
    gone = sum(units * items[item] for item, units in sold.items())
    return left + gone - came_back - booked_since(tx, workspace, pool_id, moment)


def _book(tx: Tx, workspace: Workspace, void: StoredVoid, pool: Pool, credited: int, returned: int) -> None:
    """The ledger's lines, each with a cause that counts once for ever; the order's story; the audit."""
    movements = []
    if credited:
        note = NOTES[void.part]
        movements.append(_movement(void, "void", credited, "", note))
    if returned:
        note = "units of an order that we cancelled without restock, and that exist"
        movements.append(_movement(void, "receive", returned, "/rest", note))
    add_movements(tx, workspace, movements)
    if movements:
        add_goods(tx, workspace, void.pool_id, credited + returned)
    detail = {"sku": pool.sku, "called off": void.called_off, "voided": credited, "back in the pool": returned}
    add_history(tx, workspace, [(void.order, "voided", "storebridge", detail)])
    row = AuditRow(workspace=workspace, kind="order_voided", subject=void.order, actor="storebridge", record=detail)
    append(tx, [row])


def _movement(void: StoredVoid, kind: str, units: int, part: str, note: str) -> NewMovement:
    cause = f"void:{void.order_key}:{void.pool_id}{part}"
    return NewMovement(pool_id=void.pool_id, kind=kind, units=units, cause=cause, actor="storebridge", note=note)


def _with_more(pool: Pool, units: int) -> Pool:
    return msgspec.structs.replace(pool, goods=pool.goods + units)


# who loses


def _name_losers(
    tx: Tx, terms: WorkspaceTerms, lane: StoredLane, pool_id: PoolId, unsure: int
) -> frozenset[ConnectionName]:
    """Choose anew who loses in a pool; orders that lose or keep their goods from now on move in the queue. ``unsure``:
    units that were called off and perhaps never existed; nobody else loses for them before that is decided. Returns
    the stores whose orders are to be read."""
    pool, workspace = lane.pools[pool_id], terms.workspace
    short = max(0, -goods_left(lane.state({}), pool))
    before = {loser.order_key: loser.units for loser in losers_of_pools(tx, workspace, [pool_id])}
    missing = short - unsure
    claims = _claims(tx, workspace, lane, pool_id) if missing > 0 or before else []
    provided = provided_orders(tx, workspace, pool_id) & {claim.order_key for claim in claims}
    losing = choose_losers(claims, missing, terms.oversold_first, provided) if missing > 0 else []
    at_worst = choose_losers(claims, short, terms.oversold_first, provided) if unsure else []
    after = {loser.claim.order_key: loser.units for loser in losing}
    wake: frozenset[ConnectionName] = frozenset()
    if after != before:
        save_losers(tx, workspace, pool_id, after, provided | {loser.claim.order_key for loser in at_worst})
        wake = _move_in_queue(tx, terms, sorted({*before, *after}))
        if not (short and unsure):
            _call_off_voids(tx, workspace, pool_id, sorted(before.keys() - after.keys()))
    elif not unsure:
        forget_idle(tx, workspace, pool_id, provided)
    if short:
        _tell(tx, _case(tx, workspace, lane, pool, short, losing), anew=after != before)
    return wake


def _tell(tx: Tx, case: CaseOpening, *, anew: bool) -> None:
    """Who loses, and which copies of theirs were made meanwhile; a case that a person closed says no more than who."""
    known = None if anew else last_case(tx, case.workspace, case.reason.value, case.subject)
    if anew or (known is not None and known.state == "open" and known.payload != case.details):
        raise_cases(tx, [case])


def _claims(tx: Tx, workspace: Workspace, lane: StoredLane, pool_id: PoolId) -> list[Claim]:
    items = items_of(lane, pool_id)
    waiting = orders_waiting_for(tx, workspace, items)
    found = [
        claim_of(key, order, {item: weight for (store, item), weight in items.items() if store == order.connection})
        for key, order in waiting.items()
    ]
    return [claim for claim in found if claim is not None]


def _case(tx: Tx, workspace: Workspace, lane: StoredLane, pool: Pool, short: int, losing: list[Loser]) -> CaseOpening:
    details: dict[str, Any] = {"units short": short}
    if losing:
        details["orders"] = [f"{loser.claim.name} of {loser.claim.connection} ({loser.units})" for loser in losing]
    also = _also_in(tx, workspace, items_of(lane, pool.pool_id), losing)
    if also:
        details["also in them"] = also
    copied = _copies_of(tx, workspace, losing)
    if copied:
        details["copied before"] = copied
    return CaseOpening(
        workspace=workspace,
        reason=Reason.OVERSOLD,
        subject=pool.pool_id,
        sku=pool.sku,
        lane=lane.lane,
        field="goods",
        details=details,
    )


def _also_in(tx: Tx, workspace: Workspace, items: Mapping[Item, int], losing: list[Loser]) -> list[str]:
    """What losing orders hold besides the missing units: calling them off calls this off as well."""
    known = known_orders(tx, workspace, [loser.claim.order_key for loser in losing])
    found = []
    for loser in losing:
        order = known[loser.claim.order_key].order
        weights = {item: weight for (store, item), weight in items.items() if store == order.connection}
        rest = units_beside(order, weights, loser.units)
        if rest:
            goods = ", ".join(f"{units} × {name}" for name, units in list(rest.items())[:MOST_NAMED])
            found.append(f"{order.name}: {goods}{', …' if len(rest) > MOST_NAMED else ''}")
    return found


def _copies_of(tx: Tx, workspace: Workspace, losing: list[Loser]) -> list[str]:
    """Copies of losing orders that stand in another store: whoever packs there does not know that goods are missing."""
    known = copies_of(tx, workspace, [loser.claim.order_key for loser in losing])
    return [
        f"{copy.order.name} in {copy.connection}, of {loser.claim.name}"
        for loser in losing
        for copy in known.get(loser.claim.order_key, ())
        if copy.order is not None and copy.order.standing is Standing.OPEN
    ]


def _move_in_queue(tx: Tx, terms: WorkspaceTerms, keys: Collection[OrderKey]) -> frozenset[ConnectionName]:
    """An order that has its goods again may be copied now: it is read once more."""
    workspace, wake = terms.workspace, set[ConnectionName]()
    losing = {loser.order_key for loser in losers_of_orders(tx, workspace, keys)}
    for key, file in load_files(tx, workspace, keys).items():
        order = file.order
        place = place_in_queue(order, held=bool(file.held_by), oversold=key in losing).value
        if place == file.queue:
            continue
        set_queue(tx, workspace, key, queue=place, held_by=file.held_by)
        change = "oversold" if key in losing else "goods_found"
        add_history(tx, workspace, [(key, change, "storebridge", {})])
        row = AuditRow(workspace=workspace, kind=f"order_{change}", subject=key, actor="storebridge", record={})
        append(tx, [row])
        if key not in losing and terms.copy_to not in (None, order.connection):
            ask_looks(tx, workspace, order.connection, [Ask("orders", order.order_id, int(Urgency.ORDERS), tx.now)])
            wake.add(order.connection)
    return frozenset(wake)


def _call_off_voids(tx: Tx, workspace: Workspace, pool_id: PoolId, keys: Collection[OrderKey]) -> None:
    """There are goods for them after all: what is not on its way yet is not sent. Units of this pool stay on; an order
    is not called off once it misses nothing."""
    still = {loser.order_key for loser in losers_of_orders(tx, workspace, keys)}
    for key, writes in writes_of_orders(tx, workspace, keys, states=("planned",)).items():
        for write in writes:
            whole = write.purpose == f"{VOID_PURPOSE}{key}" and key not in still
            if whole or write.purpose.startswith(f"{VOID_PURPOSE}{key}:{pool_id}:"):
                settle_write(tx, write.write_id, DROPPED, message="there are goods for it after all")
                drop_voids(tx, workspace, [key if whole else part_called(key, write.write_id)])


# what both need


def items_of(lane: StoredLane, pool_id: PoolId) -> dict[Item, int]:
    """Units of the pool that one sale of an item takes."""
    return {
        (draw.position.connection, draw.position.item_id): draw.weight for draw in lane.draws if draw.pool_id == pool_id
    }


def _ask_levels(tx: Tx, workspace: Workspace, lane: StoredLane) -> frozenset[ConnectionName]:
    """Have every counter of the lane read; the read's turn plans with the new goods."""
    by_store: defaultdict[ConnectionName, set[ItemId]] = defaultdict(set)
    for key in lane.positions:
        by_store[key.connection].add(key.item_id)
    for connection, items in sorted(by_store.items()):
        asks = [Ask("levels", item, int(Urgency.STOCK_READ), tx.now) for item in sorted(items)]
        ask_looks(tx, workspace, connection, asks)
    return frozenset(by_store)
