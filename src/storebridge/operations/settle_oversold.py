"""What a person decides about orders whose goods do not exist.

``wait`` and ``substitute`` are noted at the orders, and the case stays open until the pool has goods again. ``split``
takes the goods from another group that has them. ``cancel`` is a saga: every losing order is called off and paid back
without restock, each step is written down before it is sent and proven by a read, and the units that never existed are
credited once, when a read shows the cancellation (reconcile/oversell.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.errors import RefusedError
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, LaneKey, OrderKey, PoolId, WriteId
from storebridge.model.order_writes import CancelOrder, PlannedOrderWrite
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.pipeline.flow import PersonChanged, take_turn
from storebridge.pipeline.order_flow import WRITE_LOOK
from storebridge.reconcile.oversell import VOID_PURPOSE
from storebridge.store.cases import StoredCase
from storebridge.store.database import Tx
from storebridge.store.lanes import StoredLane, add_goods, load_lanes, pool_of_sku
from storebridge.store.order_writes import plan_order_writes
from storebridge.store.oversold import StoredLoser, choose_for_losers, losers_of_pools, order_void, pools_of_item
from storebridge.store.policies import lane_terms
from storebridge.store.sales import OrderFile, add_history, load_files
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

Wake = frozenset[ConnectionName]


def note_choice(tx: Tx, terms: WorkspaceTerms, case: StoredCase, choice: str, actor: str) -> Wake:
    """Wait for goods, or exchange them in the store's admin: noted at every losing order."""
    losers = _losers(tx, terms, case)
    choose_for_losers(tx, terms.workspace, PoolId(case.subject), choice)
    kind = "waits_for_goods" if choice == "wait" else "to_be_substituted"
    _remember(tx, terms, losers, kind, actor, {"sku": case.sku or case.subject})
    return frozenset()


def cancel_losers(tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, actor: str) -> Wake:
    """Call every losing order off. Raises RefusedError when no order loses; then nothing was changed."""
    losers = _losers(tx, terms, case)
    choose_for_losers(tx, terms.workspace, PoolId(case.subject), "cancel")
    files = load_files(tx, terms.workspace, [loser.order_key for loser in losers])
    wake = {
        connection
        for loser in losers
        for connection in _call_off(tx, terms, ids, files[loser.order_key], loser, case.case_id)
    }
    _remember(tx, terms, losers, "being_called_off", actor, {"sku": case.sku or case.subject})
    return frozenset(wake)


def _call_off(tx: Tx, terms: WorkspaceTerms, ids: Ids, file: OrderFile, loser: StoredLoser, case_id: str) -> Wake:
    """Its goods in other pools exist: they are allotted nothing, and come back to their pools."""
    order, write_id = file.order, WriteId(ids.new("write"))
    for pool_id in _pools_of(tx, terms, order):
        order_void(tx, terms.workspace, file.order_key, pool_id, loser.units if pool_id == loser.pool_id else 0)
    write = CancelOrder(order.order_id, refund=order.totals.paid.shop.amount > 0, note=f"storebridge {case_id}")
    plan = PlannedOrderWrite(order.connection, f"{VOID_PURPOSE}{file.order_key}", write, "its goods do not exist")
    plan_order_writes(tx, terms.workspace, file.order_key, [(write_id, plan)], priority=int(Urgency.ORDERS))
    ask_looks(tx, terms.workspace, order.connection, [Ask(WRITE_LOOK, write_id, int(Urgency.ORDERS), tx.now)])
    return frozenset({order.connection})


def _pools_of(tx: Tx, terms: WorkspaceTerms, order: Order) -> list[PoolId]:
    items = dict.fromkeys(line.item_id for line in order.lines if line.item_id is not None)
    found = [pools_of_item(tx, terms.workspace, order.connection, item, tx.now) for item in items]
    return list(dict.fromkeys(pool.pool_id for pools in found for pool in pools))


def split_to_other_group(tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, actor: str) -> Wake:
    """The goods come from another group's shelf. Raises RefusedError when no group has enough."""
    pool_id = PoolId(case.subject)
    found = pool_of_sku(tx, terms.workspace, case.sku or "")
    lanes = load_lanes(tx, terms.workspace, [lane for _, lane, _ in found], lane_terms(tx, terms))
    left = {pool: _left(lanes[lane], pool) for pool, lane, _ in found}
    short = -left.get(pool_id, 0)
    if short <= 0:
        raise RefusedError(f"{case.sku} is not short any more; nothing was changed.")
    giving = max((pool for pool in left if pool != pool_id), key=lambda pool: left[pool], default=None)
    if giving is None or left[giving] < short:
        raise RefusedError(
            f"No other group has {short} of {case.sku} left; nothing was changed. Receive goods, or cancel the orders."
        )
    names = {pool: group for pool, _, group in found}
    _move_goods(tx, terms, ids, giving, pool_id, short, actor, f"to meet orders of {names[pool_id]}")
    losers = losers_of_pools(tx, terms.workspace, [pool_id])
    _remember(tx, terms, losers, "ships_from_other_group", actor, {"sku": case.sku or "", "group": names[giving]})
    both: Sequence[LaneKey] = sorted({lane for pool, lane, _ in found if pool in (giving, pool_id)})
    return take_turn(tx, terms, ids, frozenset(), PersonChanged(tuple(both), "split")).wake


def _left(lane: StoredLane, pool_id: PoolId) -> int:
    return goods_left(lane.state({}), lane.pools[pool_id])


def _move_goods(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, giving: PoolId, getting: PoolId, units: int, actor: str, note: str
) -> None:
    cause = ids.new("moved")
    changes = [(giving, -units, f"{cause}/from"), (getting, units, f"{cause}/to")]
    for pool_id, change, _ in changes:
        add_goods(tx, terms.workspace, pool_id, change)
    add_movements(
        tx,
        terms.workspace,
        [NewMovement(pool, "moved", change, cause=name, actor=actor, note=note) for pool, change, name in changes],
    )


def _losers(tx: Tx, terms: WorkspaceTerms, case: StoredCase) -> list[StoredLoser]:
    losers = losers_of_pools(tx, terms.workspace, [PoolId(case.subject)])
    if not losers:
        raise RefusedError(
            f"No order that waits to be shipped is known for {case.sku}; nothing was changed. Its orders are read "
            "within a minute; if there are none, count the shelf (storebridge count)."
        )
    return losers


def _remember(
    tx: Tx, terms: WorkspaceTerms, losers: Sequence[StoredLoser], kind: str, actor: str, words: dict[str, str]
) -> None:
    entries: list[tuple[OrderKey, str, str, dict[str, object]]] = [
        (loser.order_key, kind, actor, {**words, "units": loser.units}) for loser in losers
    ]
    add_history(tx, terms.workspace, entries)
    rows = [
        AuditRow(workspace=terms.workspace, kind=f"order_{kind}", subject=key, actor=actor, record=detail)
        for key, _, _, detail in entries
    ]
    append(tx, rows)
