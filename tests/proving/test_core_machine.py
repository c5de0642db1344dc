"""The pure core against whatever happens in whatever order; the checks of the seeds look at every event."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from storebridge.model.stock import Policy
from storebridge_proving.simulate.core.play import BASELINE_SECONDS, Play
from storebridge_proving.simulate.core.stores import Store
from storebridge_proving.simulate.core.timeline import Weather

FATES = {
    "lands": Weather(),
    "request lost": Weather(lost_request=1.0),
    "answer lost": Weather(lost_answer=1.0),
    "lands late": Weather(late_landing=1.0),
    "too many calls": Weather(too_many_calls=1.0),
}
PLACES, UNITS = st.integers(0, 2), st.integers(1, 3)


class TwoStoresAndABridge(RuleBasedStateMachine):
    """Shoppers, staff, the network and death take turns; hypothesis looks for the order that breaks a promise."""

    @initialize(seed=st.integers(0, 40), policy=st.sampled_from([Policy.MIRROR, Policy.ESCROW]))
    def open(self, seed: int, policy: Policy) -> None:
        self.play = Play(seed, policy, "none", "scarce", 0.001)
        self.play.timeline.run(BASELINE_SECONDS, self.play.checks.look)

    def _store(self, place: int) -> tuple[Store, str]:
        stores = list(self.play.stores.values())
        store = stores[place % len(stores)]
        return store, next(iter(store.states))

    @rule(place=PLACES, units=UNITS)
    def sale(self, place: int, units: int) -> None:
        store, listing = self._store(place)
        store.sell(listing, units)

    @rule(place=PLACES, restock=st.booleans())
    def cancel(self, place: int, restock: bool) -> None:
        store, _ = self._store(place)
        if store.orders:
            store.cancel(store.orders[-1], restock=restock)

    @rule(place=PLACES, units=st.sampled_from([-3, -1, 1, 3]))
    def edit(self, place: int, units: int) -> None:
        store, listing = self._store(place)
        store.edit(listing, units)

    @rule(place=PLACES)
    def webhook(self, place: int) -> None:
        """A delivery that says only where to look; its author is not known."""
        store, listing = self._store(place)
        self.play.bridge.hint(store.name, listing, store.states[listing][-1].revision, "")

    @rule(units=UNITS)
    def goods_come_in(self, units: int) -> None:
        """Booked by a person; what follows from it is written at once, without a reading before."""
        self.play._book(units, self.play.goods)

    @rule(fate=st.sampled_from(sorted(FATES)), deaf=st.booleans())
    def fate_turns(self, fate: str, deaf: bool) -> None:
        """What befalls every call from now on, and whether deliveries arrive."""
        weather = self.play.plan.weather
        for name in ("lost_request", "lost_answer", "late_landing", "too_many_calls"):
            setattr(weather, name, getattr(FATES[fate], name))
        weather.webhook_loss = float(deaf)

    @rule(seconds=st.sampled_from([0.7, 3.0, 12.0, 130.0]))
    def time_passes(self, seconds: float) -> None:
        """Readings and writes go out, land and are answered."""
        self.play.timeline.run(self.play.timeline.now + seconds, self.play.checks.look)

    @rule()
    def crash(self) -> None:
        self.play.bridge.crash()

    @invariant()
    def nothing_that_was_promised_is_broken(self) -> None:
        if hasattr(self, "play"):
            self.play.checks.look()
            assert self.play.checks.violations == []

    def teardown(self) -> None:
        """Calm, a person at the desk, and ten minutes: then everything agrees."""
        if hasattr(self, "play"):
            self.play.plan.weather.raging = False
            self.play._look_at_the_desk()
            converged = self.play._converge(self.play.timeline.now)
            assert (self.play.checks.violations, self.play.disagreement()) == ([], "")
            assert converged is not None


TestTwoStoresAndABridge = TwoStoresAndABridge.TestCase
TestTwoStoresAndABridge.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
