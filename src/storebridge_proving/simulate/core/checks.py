"""What must hold at every event, computed from what really happened in the stores.

I1  with no write unresolved, what the bridge counts as left is what lies on the shelf, as of its last reads
I2  under escrow the pessimistic reserve is never below zero, and the stores never show more than exists
I3  at most one unresolved write per counter, and nothing lands that was not written down before
I4  a raise without an answer counts as done, a lower without an answer as not done
I5  each cause counts once: goods are the opening, what was received, and nothing else
I6  no inputs, no writes (judged after quiet)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from storebridge.inventory.pools import pessimistic_reserve, reserve
from storebridge.inventory.versions import AFTER
from storebridge.model.checkouts import Reservation
from storebridge.model.ids import PoolId
from storebridge.model.stock import LaneState, Policy
from storebridge_proving.simulate.core.bridge import Bridge
from storebridge_proving.simulate.core.guard_desk import moment
from storebridge_proving.simulate.core.limits import HOUR
from storebridge_proving.simulate.core.stores import Goods
from storebridge_proving.simulate.core.wire import POOL

MOST_TOLD = 5
OPEN = ("sent", "unclear")


@dataclass
class Checks:
    """Looks at bridge and stores after every event."""

    bridge: Bridge
    goods: Goods
    opening: int
    """Goods at the baseline."""
    parts: tuple[tuple[Goods, int], ...] = ()
    """Other goods, with their opening, where bundles draw on several."""
    violations: list[str] = field(default_factory=list)
    wrong: set[str] = field(default_factory=set)
    """Intents about which the bridge concluded the opposite of what happened."""
    in_force: bool = False
    """The guarantee begins when the baseline's lowers are confirmed."""
    looks: int = 0
    _divided_at: float = -1.0
    """When guarded goods were last seen to be divided."""
    _written: int = 0
    """Writes that went out before the books became old."""
    _seen: tuple[int, tuple[int, ...], int] = (-1, (), 0)
    _revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    _granted: dict[tuple[str, str], int] = field(default_factory=dict)

    def look(self) -> None:
        """After every event; what nobody touched since the last look need not be computed again."""
        left = (self.goods.left, *(goods.left for goods, _ in self.parts))
        seen = (self.bridge.editions, left, sum(store.changes for store in self.bridge.stores.values()))
        if seen == self._seen:
            return
        self._seen = seen
        self.looks += 1
        if len(self.violations) >= MOST_TOLD:
            return
        if self.bridge.books_are_old:
            if self.bridge.writes > self._written:
                self._tell("I3: old books were written from")
            return  # what they say is wrong
        self._written = self.bridge.writes
        self._no_more_than_the_limit()
        open_deltas = self._one_unresolved_each()
        self._rights_are_what_was_written(open_deltas)
        self._no_older_reading_is_believed()
        self._goods_are_counted_once()
        self._escrow_holds(open_deltas)
        self._covered_is_nobody_elses()

    def _one_unresolved_each(self) -> dict[tuple[str, str], int]:
        """I3: the unresolved writes by counter."""
        found: dict[tuple[str, str], int] = {}
        for intent in self.bridge.lane.intents.values():
            if intent.state in OPEN:
                key = (intent.position.connection, intent.position.item_id)
                if key in found:
                    self._tell(f"I3: two unresolved writes at {key}")
                found[key] = intent.delta
        return found

    def _rights_are_what_was_written(self, open_deltas: dict[tuple[str, str], int]) -> None:
        """I1: at a counter without an open write, rights are its opening level and what our writes really moved."""
        for key, stored in self.bridge.lane.positions.items():
            counter = (str(key.connection), str(key.item_id))
            if counter in open_deltas:
                continue
            written = self.bridge.stores[counter[0]].written[counter[1]]
            really = stored.opening + sum(written.values())
            off = stored.position.granted - really
            if off != self._granted.get(counter, 0):
                self._granted[counter] = off
                if off:
                    self.wrong.add(f"{counter} at {self.bridge.timeline.now:.0f}")
                    self._tell(f"I1: at {counter} {stored.position.granted} granted, really {really}")

    def _no_older_reading_is_believed(self) -> None:
        """I1: what a counter is known to show never goes back to an earlier revision."""
        for key, stored in self.bridge.lane.positions.items():
            version = (stored.position.version or "").removeprefix(AFTER)
            if version.isdigit():
                known = self._revisions.get((str(key.connection), str(key.item_id)), 0)
                if int(version) < known:
                    self._tell(f"I1: revision {version} of {key.connection} is believed after {known}")
                self._revisions[str(key.connection), str(key.item_id)] = int(version)

    def begin_anew(self) -> None:
        """A person signed a new beginning off: the goods of this moment are those that exist."""
        self.opening = self.goods.left - self.goods.receipts - sum(self.bridge.books.causes.values())
        self._granted.clear()
        self._revisions.clear()

    def _goods_are_counted_once(self) -> None:
        self._goods_were_booked_once()
        for goods, opening in self.parts:
            counted = self.bridge.lane.pools[PoolId(goods.pool)].goods
            if counted != opening + goods.receipts:
                self._tell(f"I5: {counted} goods of {goods.pool} counted, {opening + goods.receipts} exist")

    def _goods_were_booked_once(self) -> None:
        counted, causes = self.bridge.lane.pools[POOL].goods, self.bridge.books.causes
        exist = self.opening + self.goods.receipts + sum(causes.values())
        if counted != exist:
            self._tell(f"I5: {counted} goods counted, {exist} exist")
        for cause, units in causes.items():
            came_back = self.goods.voided.get(cause.removesuffix("/rest"), 0)
            if units + (0 if cause.endswith("/rest") else causes.get(f"{cause}/rest", 0)) > came_back:
                self._tell(f"I5: {units} booked for {cause}, {came_back} came back")

    def _no_more_than_the_limit(self) -> None:
        limit, now = self.bridge.limit, self.bridge.timeline.now
        if limit.units:
            since = max(now - HOUR, limit.counted_from)
            units = sum(units for at, units in reversed(self.bridge.planned) if at > since)
            if units > limit.units:
                self._tell(f"{units} units planned in an hour that may see {limit.units}")

    def _escrow_holds(self, open_deltas: dict[tuple[str, str], int]) -> None:
        if self.bridge.policy is not Policy.ESCROW:
            self.in_force = self.in_force and self.bridge.policy is Policy.GUARDED
            return
        state = self.bridge.lane.state({})
        kinds = (self.goods, *(goods for goods, _ in self.parts))
        pools = {pool.pool_id: pool for pool in state.pools}
        found = [(goods, pools[PoolId(goods.pool)], self.shown_of(goods)) for goods in kinds]
        if not self.in_force:
            self.in_force = all(
                pessimistic_reserve(state, pool) >= 0 and shown <= goods.left for goods, pool, shown in found
            )
            return
        for goods, pool, shown in found:
            cautious, raised = pessimistic_reserve(state, pool), self._raised_in(state, pool.pool_id, open_deltas)
            if cautious > reserve(state, pool) - raised:
                self._tell(f"I4: the reserve of {cautious} forgets raises of {raised} on the wire")
            if cautious < 0:
                self._tell(f"I2: the pessimistic reserve of {goods.pool} is {cautious}")
            if shown > goods.left:
                self._tell(f"I2: the stores show {shown} of {goods.left}")

    def shown_of(self, goods: Goods) -> int:
        """Units of one kind of goods that all listings show, bundles among them."""
        return sum(
            max(0, store.level(listing)) * units
            for store in self.bridge.stores.values()
            for listing, recipe in store.recipes.items()
            for one, units in recipe
            if one is goods
        )

    def _raised_in(self, state: LaneState, pool_id: PoolId, open_deltas: dict[tuple[str, str], int]) -> int:
        return sum(
            max(0, open_deltas.get((draw.position.connection, draw.position.item_id), 0)) * draw.weight
            for draw in state.draws
            if draw.pool_id == pool_id
        )

    def _covered_is_nobody_elses(self) -> None:
        """I2 under guarded: open stores show, and checkouts hold, no more than exists together; orders that went past
        the guard and openings that are not lowered yet are left out."""
        lane = self.bridge.lane
        for one in lane.reservations.values():
            if one.units > self.bridge.guard.baskets.get(one.flow, one.units):
                self._tell(f"I5: {one.flow} holds {one.units}, more than it ever asked for")
        if self.bridge.policy is not Policy.GUARDED or self.bridge.guard.past():
            return
        if lane.policy is not Policy.GUARDED:
            self.in_force = False  # divided for the time being: what a store shows is its right, held or not
            self._divided_at = self.bridge.timeline.now
            return
        covered = sum(one.covered for one in lane.reservations.values() if self._counts(one))
        stores = [store for name, store in self.bridge.stores.items() if name not in lane.guards]
        shown = sum(max(0, store.level(item)) for store in stores for item in store.states)
        if not self.in_force:
            self.in_force = shown <= self.goods.left
        elif shown + covered > self.goods.left:
            self._tell(f"I2: open stores show {shown} and checkouts hold {covered} of {self.goods.left}")

    def _counts(self, one: Reservation) -> bool:
        """A hold whose order is not placed. One from before goods ceased to be divided may cover nothing: what it held
        may have been sold by its store's share, and that store's counter tells (guarded, storm, seeds 1 and 14)."""
        return one.asked_at > moment(self._divided_at) and not self.bridge.guard.is_placed(one.flow)

    def _tell(self, what: str) -> None:
        self.violations.append(f"{self.bridge.timeline.now:.0f} s: {what}")
