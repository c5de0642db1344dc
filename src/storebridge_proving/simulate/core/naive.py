"""The yardstick: a poller that copies numbers, as many integrations do.

Every minute it reads all stores. Where a level has changed since the last look, it is taken for the truth and written
to every listing, absolutely, whatever happened there meanwhile. What times out is tried again.
"""

from __future__ import annotations

from storebridge.model.stock import Policy
from storebridge_proving.simulate.core.play import BASELINE_SECONDS, RISK, Play
from storebridge_proving.simulate.core.stores import State, Store
from storebridge_proving.simulate.core.timeline import Network, Trouble
from storebridge_proving.simulate.result import SeedResult

EVERY_SECONDS = 60.0


def run_naive_seed(seed: int, faults: str, workload: str) -> SeedResult:
    """One seed of the same people and the same faults, without the bridge."""
    play = Play(seed, Policy.MIRROR, faults, workload, RISK)
    play.bridge.retire()
    _Poller(play)
    return play.run_unchecked()


class _Poller:
    def __init__(self, play: Play) -> None:
        self._play = play
        self._network = Network(play.timeline, play.plan.weather, play.chance, play.struck)
        self._seen: dict[tuple[str, str], int] = {}
        for store in play.stores.values():
            for listing in store.states:
                store.states[listing] = [State(-1.0, play.goods.left, 1, -1.0, None)]
                self._seen[store.name, listing] = play.goods.left
        play.timeline.at(BASELINE_SECONDS, self._poll)

    def _poll(self) -> None:
        self._play.timeline.at(EVERY_SECONDS, self._poll)
        for store in self._play.stores.values():
            self._network.call(store.name, lambda s=store: s.read(0.0), lambda a, s=store: self._told(s, a))  # type: ignore[misc]

    def _told(self, store: Store, answer: dict[str, State] | Trouble) -> None:
        if isinstance(answer, Trouble):
            return
        for listing, state in answer.items():
            if state.level != self._seen[store.name, listing]:
                self._copy(state.level)

    def _copy(self, level: int) -> None:
        for store in self._play.stores.values():
            for listing in store.states:
                self._seen[store.name, listing] = level
                self._set(store, listing, level)

    def _set(self, store: Store, listing: str, level: int) -> None:
        def act() -> str:
            store.adjust("naive", listing, level - store.level(listing))
            return "set"

        def told(answer: str | Trouble) -> None:
            if isinstance(answer, Trouble):
                self._set(store, listing, level)

        self._network.call(store.name, act, told)
