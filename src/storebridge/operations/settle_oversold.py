"""What a person decides about orders whose goods do not exist: about all that lose, or about some of them.

``wait`` and ``substitute`` are noted at the orders, and the case stays open until the pool has goods again. ``split``
takes the goods from another group that has them. ``cancel`` is a saga (operations/call_off.py): the missing units of
each order, or the order whole, are called off and paid back without restock.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.errors import RefusedError
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, LaneKey, OrderKey, PoolId
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.call_off import CallOff
from storebridge.operations.losing_orders import Loser, chosen_losers
from storebridge.pipeline.flow import PersonChanged, take_turn
from storebridge.store.cases import StoredCase
from storebridge.store.database import Tx
from storebridge.store.lanes import StoredLane, add_goods, load_lanes, pool_of_sku
from storebridge.store.oversold import choose_for_losers
from storebridge.store.policies import lane_terms
from storebridge.store.sales import add_history
from storebridge.store.story import NewMovement, add_movements


class Decision(msgspec.Struct, frozen=True):
    """What was done; ``told`` says it of each order, in words."""

    wake: frozenset[ConnectionName] = frozenset()
    told: tuple[str, ...] = ()


class Decider:
    """One decision about the losers of a case. ``orders`` names those that are meant; all when empty. Every verb raises
    RefusedError for a name that does not lose; then nothing was changed."""

    def __init__(
        self, tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, actor: str, orders: Sequence[str]
    ) -> None:
        self._tx = tx
        self._terms = terms
        self._ids = ids
        self._case = case
        self._actor = actor
        self._pool_id = PoolId(case.subject)
        self._orders = orders

    def note(self, choice: str) -> Decision:
        """Wait for goods, or exchange them in the store's admin: noted at the orders."""
        losers = self._chosen(choice)
        kind, words = {
            "wait": ("waits_for_goods", "waits for goods"),
            "substitute": ("to_be_substituted", "its goods are exchanged in the store's admin"),
        }[choice]
        self._remember(losers, kind, {"sku": self._case.sku or self._case.subject})
        return Decision(told=tuple(f"{one.name}: {words}" for one in losers))

    def cancel(self, *, whole: bool) -> Decision:
        """Call off the missing units, or whole orders. Raises RefusedError also where a store cannot."""
        losers = self._chosen("cancel")
        call_off = CallOff(self._tx, self._terms, self._ids, self._case.case_id, whole=whole)
        call_off.carry_out(losers)
        self._remember(losers, "being_called_off", {"sku": self._case.sku or self._case.subject})
        return Decision(frozenset(call_off.wake), tuple(call_off.told))

    def split(self) -> Decision:
        """The goods come from another group's shelf. Raises RefusedError when no group has enough."""
        losers = self._chosen("split") if self._orders else []
        found = pool_of_sku(self._tx, self._terms.workspace, self._case.sku or "")
        lanes = load_lanes(
            self._tx, self._terms.workspace, [lane for _, lane, _ in found], lane_terms(self._tx, self._terms)
        )
        left = {pool: _left(lanes[lane], pool) for pool, lane, _ in found}
        short = -left.get(self._pool_id, 0)
        if short <= 0:
            raise RefusedError(f"{self._case.sku} is not short any more; nothing was changed.")
        wanted = min(short, sum(one.stored.units for one in losers)) if losers else short
        giving = max((pool for pool in left if pool != self._pool_id), key=lambda pool: left[pool], default=None)
        if giving is None or left[giving] < wanted:
            raise RefusedError(
                f"No other group has {wanted} of {self._case.sku} left; nothing was changed. Receive goods, or cancel "
                "the orders."
            )
        names = {pool: group for pool, _, group in found}
        losers = losers or self._chosen("split", demand=False)
        self._move_goods(giving, wanted, f"to meet orders of {names[self._pool_id]}")
        self._remember(losers, "ships_from_other_group", {"sku": self._case.sku or "", "group": names[giving]})
        both: Sequence[LaneKey] = sorted({lane for pool, lane, _ in found if pool in (giving, self._pool_id)})
        turn = take_turn(self._tx, self._terms, self._ids, frozenset(), PersonChanged(tuple(both), "split"))
        return Decision(turn.wake, tuple(f"{one.name}: is sent from {names[giving]}" for one in losers))

    def _chosen(self, choice: str, *, demand: bool = True) -> list[Loser]:
        try:
            losers = chosen_losers(self._tx, self._terms.workspace, self._case, self._orders)
        except RefusedError:
            if demand:
                raise
            return []
        keys = [one.order_key for one in losers]
        choose_for_losers(self._tx, self._terms.workspace, self._pool_id, keys, choice)
        return losers

    def _move_goods(self, giving: PoolId, units: int, note: str) -> None:
        cause = self._ids.new("moved")
        changes = [(giving, -units, f"{cause}/from"), (self._pool_id, units, f"{cause}/to")]
        for pool_id, change, _ in changes:
            add_goods(self._tx, self._terms.workspace, pool_id, change)
        movements = [
            NewMovement(pool, "moved", change, cause=name, actor=self._actor, note=note)
            for pool, change, name in changes
        ]
        add_movements(self._tx, self._terms.workspace, movements)

    def _remember(self, losers: Sequence[Loser], kind: str, words: dict[str, str]) -> None:
        entries: list[tuple[OrderKey, str, str, dict[str, object]]] = [
            (one.order_key, kind, self._actor, {**words, "units": one.stored.units}) for one in losers
        ]
        add_history(self._tx, self._terms.workspace, entries)
        rows = [
            AuditRow(
                workspace=self._terms.workspace,
                kind=f"order_{kind}",
                subject=key,
                actor=self._actor,
                record=detail,
            )
            for key, _, _, detail in entries
        ]
        append(self._tx, rows)


def _left(lane: StoredLane, pool_id: PoolId) -> int:
    return goods_left(lane.state({}), lane.pools[pool_id])
