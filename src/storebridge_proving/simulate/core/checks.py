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
from storebridge.model.stock import Policy
from storebridge_proving.simulate.core.bridge import POOL, Bridge
from storebridge_proving.simulate.core.stores import Goods

MOST_TOLD = 5
OPEN = ("sent", "unclear")


@dataclass
class Checks:
    """Looks at bridge and stores after every event."""

    bridge: Bridge
    goods: Goods
    opening: int
    """Goods at the baseline."""
    violations: list[str] = field(default_factory=list)
    wrong: set[str] = field(default_factory=set)
    """Intents about which the bridge concluded the opposite of what happened."""
    in_force: bool = False
    """The guarantee begins when the baseline's lowers are confirmed."""
    looks: int = 0
    _seen: tuple[int, int, int] = (-1, 0, 0)
    _revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    _granted: dict[tuple[str, str], int] = field(default_factory=dict)

    def look(self) -> None:
        """After every event; what nobody touched since the last look need not be computed again."""
        seen = (self.bridge.editions, self.goods.left, sum(store.changes for store in self.bridge.stores.values()))
        if seen == self._seen:
            return
        self._seen = seen
        self.looks += 1
        if len(self.violations) >= MOST_TOLD:
            return
        open_deltas = self._one_unresolved_each()
        self._rights_are_what_was_written(open_deltas)
        self._no_older_reading_is_believed()
        self._goods_are_counted_once()
        self._escrow_holds(open_deltas)

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

    def _goods_are_counted_once(self) -> None:
        counted = self.bridge.lane.pools[POOL].goods
        if counted != self.opening + self.goods.receipts:
            self._tell(f"I5: {counted} goods counted, {self.opening + self.goods.receipts} exist")

    def _escrow_holds(self, open_deltas: dict[tuple[str, str], int]) -> None:
        if self.bridge.policy is not Policy.ESCROW:
            self.in_force = False
            return
        state = self.bridge.lane.state({})
        cautious = pessimistic_reserve(state, state.pools[0])
        shown = sum(max(0, store.level(item)) for store in self.bridge.stores.values() for item in store.states)
        if not self.in_force:
            self.in_force = cautious >= 0 and shown <= self.goods.left
            return
        raised = sum(max(0, delta) for delta in open_deltas.values())
        if cautious > reserve(state, state.pools[0]) - raised:
            self._tell(f"I4: the reserve of {cautious} forgets raises of {raised} on the wire")
        if cautious < 0:
            self._tell(f"I2: the pessimistic reserve is {cautious}")
        if shown > self.goods.left:
            self._tell(f"I2: the stores show {shown} of {self.goods.left}")

    def _tell(self, what: str) -> None:
        self.violations.append(f"{self.bridge.timeline.now:.0f} s: {what}")
