"""Losing orders are called off: the missing units of an order that keeps others, or the order whole.

Each is one write that is written down before it is sent, and proven by a read. Beside it stands, for each pool, how
many units it is for: those never existed and are credited once, when a read shows that they were taken off
(reconcile/oversell.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storebridge.clock import Ids
from storebridge.errors import RefusedError
from storebridge.flows.take_off import nothing_else_left, plan_take_off
from storebridge.model.ids import ConnectionName, ItemId, OrderKey, PoolId, WriteId
from storebridge.model.money import sum_of
from storebridge.model.order_writes import CancelOrder, PlannedOrderWrite, TakeOff, note_of_take_off
from storebridge.model.sales import Order, Standing
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.words import in_units
from storebridge.operations.losing_orders import Loser
from storebridge.pipeline.confirm.order_writes import dropped
from storebridge.pipeline.order_flow import WRITE_LOOK
from storebridge.store.database import Tx
from storebridge.store.order_writes import OPEN, StoredWrite, plan_order_writes, writes_of_orders
from storebridge.store.oversold import (
    VOID_PURPOSE,
    drop_voids,
    losers_of_orders,
    order_void,
    part_called,
    pools_of_item,
)
from storebridge.store.sales import load_files
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

INSTEAD = "Nothing was changed."
AGAIN = "the units are taken off anew"


class CallOff:
    """Calls orders of one case off. ``wake``: stores that have something to send; ``told``: what is done, in words."""

    def __init__(self, tx: Tx, terms: WorkspaceTerms, ids: Ids, case_id: str, *, whole: bool) -> None:
        self._tx = tx
        self._terms = terms
        self._workspace = terms.workspace
        self._ids = ids
        self._case_id = case_id
        self._whole = whole
        self.wake: set[ConnectionName] = set()
        self.told: list[str] = []

    def carry_out(self, losers: Sequence[Loser]) -> None:
        """Plan all of them. Raises RefusedError when one of them cannot be: then the transaction changes nothing."""
        keys = [one.order_key for one in losers]
        load_files(self._tx, self._workspace, keys)  # locks them
        writes = writes_of_orders(self._tx, self._workspace, keys)
        lost = self._lost(keys)
        for one in losers:
            if self._whole or nothing_else_left(one.order, one.missing):
                self._order(one, writes[one.order_key], lost[one.order_key])
            else:
                self._units(one, writes[one.order_key], lost[one.order_key])

    def _lost(self, keys: Sequence[OrderKey]) -> dict[OrderKey, dict[PoolId, int]]:
        found: dict[OrderKey, dict[PoolId, int]] = {key: {} for key in keys}
        for one in losers_of_orders(self._tx, self._workspace, keys):
            found[one.order_key][one.pool_id] = one.units
        return found

    def _order(self, loser: Loser, writes: Sequence[StoredWrite], lost: Mapping[PoolId, int]) -> None:
        """Its goods in pools that have enough exist: they come back to them."""
        order = loser.order
        if any(write.purpose == f"{VOID_PURPOSE}{loser.order_key}" for write in writes):
            self.told.append(f"{loser.name}: is being called off already")
            return
        for write in self._parts(writes):
            if write.state in OPEN and not self._give_up(write):
                raise RefusedError(
                    f"Units of {loser.name} are being taken off right now: call the order off once that is done "
                    f"(storebridge orders show {loser.order_key}). {INSTEAD}"
                )
        items = [line.item_id for line in order.lines if line.item_id is not None]
        for pool_id in self._pools(order, items):
            order_void(self._tx, self._workspace, loser.order_key, pool_id, lost.get(pool_id, 0))
        note = f"storebridge {self._case_id}"
        write_ = CancelOrder(order.order_id, refund=order.totals.paid.shop.amount > 0, note=note)
        self._plan(loser, WriteId(self._ids.new("write")), f"{VOID_PURPOSE}{loser.order_key}", write_)
        self.told.append(f"{loser.name}: the order is called off and paid back")

    def _units(self, loser: Loser, writes: Sequence[StoredWrite], lost: Mapping[PoolId, int]) -> None:
        order, pool_id = loser.order, loser.stored.pool_id
        if any(write.purpose == f"{VOID_PURPOSE}{loser.order_key}" and write.state in OPEN for write in writes):
            self.told.append(f"{loser.name}: is being called off already")
            return
        prefix = f"{VOID_PURPOSE}{loser.order_key}:{pool_id}:"
        for write in self._parts(writes):
            if write.state in OPEN and write.purpose.startswith(prefix):
                self.told.append(f"{loser.name}: the units are being taken off already")
                return
            if write.state in OPEN:
                raise RefusedError(
                    f"Other units of {loser.name} are being taken off right now: decide about these once that is done. "
                    f"{INSTEAD}"
                )
            if write.purpose.startswith(prefix):
                self._give_up(write)
        write_id = WriteId(self._ids.new("write"))
        write_ = plan_take_off(order, loser.missing, note_of_take_off(self._case_id, write_id))
        if not write_.payments and order.standing is Standing.PENDING:
            raise RefusedError(
                f"The payment of {loser.name} is under way, and its store lets nobody change an order before that has "
                "ended: decide again once it is paid or has failed, or call the whole order off (--whole). "
                f"{INSTEAD}"
            )
        items = [line.item_id for one in loser.missing if (line := order.line(one.line_id)) and line.item_id]
        for pool in dict.fromkeys([pool_id, *self._pools(order, items)]):
            order_void(self._tx, self._workspace, part_called(loser.order_key, write_id), pool, lost.get(pool, 0))
        self._plan(loser, write_id, f"{prefix}{write_id}", write_)
        self.told.append(f"{loser.name}: {_in_words(write_)}; the rest stays")

    @staticmethod
    def _parts(writes: Sequence[StoredWrite]) -> list[StoredWrite]:
        return [write for write in writes if isinstance(write.write, TakeOff)]

    def _give_up(self, write: StoredWrite) -> bool:
        """Whether a write that was not sent, or that the store refused, is out of the way."""
        if write.state in ("superseded", "confirmed"):
            return True
        if dropped(self._tx, self._workspace, write, AGAIN).state == write.state:
            return False
        drop_voids(self._tx, self._workspace, [part_called(write.order_key, write.write_id)])
        return True

    def _pools(self, order: Order, items: Sequence[ItemId]) -> list[PoolId]:
        now = self._tx.now
        found = [pools_of_item(self._tx, self._workspace, order.connection, one, now) for one in dict.fromkeys(items)]
        return list(dict.fromkeys(pool.pool_id for pools in found for pool in pools))

    def _plan(self, loser: Loser, write_id: WriteId, purpose: str, write: CancelOrder | TakeOff) -> None:
        plan = PlannedOrderWrite(loser.order.connection, purpose, write, "its goods do not exist")
        priority = int(Urgency.ORDERS)
        plan_order_writes(self._tx, self._workspace, loser.order_key, [(write_id, plan)], priority=priority)
        ask = Ask(WRITE_LOOK, write_id, priority, self._tx.now)
        ask_looks(self._tx, self._workspace, loser.order.connection, [ask])
        self.wake.add(loser.order.connection)


def _in_words(write: TakeOff) -> str:
    what = f"{in_units(sum(line.quantity for line in write.lines))} taken off"
    if not write.payments:
        return f"{what}, nothing was paid for them"
    money = [one.amount.shop for one in write.payments]
    return f"{what}, {sum_of(money, money[0].currency)} paid back"
