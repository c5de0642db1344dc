"""How each store sold lately and how its sales were noticed, as hybrid measures it, in the pure play."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from storebridge.model.ids import ConnectionName
from storebridge.model.stock import Measured
from storebridge.pipeline.normalize.fold import Movement
from storebridge.store.lanes import StoredLane
from storebridge.store.measured import doubted_seconds
from storebridge_proving.simulate.core.guard_desk import moment

DAY_SECONDS = 24 * 3600.0
WINDOWS_SECONDS = (900.0, 7200.0, DAY_SECONDS)


@dataclass(slots=True)
class Sales:
    """Of one store."""

    falls: list[tuple[float, int]] = field(default_factory=list)
    silent_falls: list[float] = field(default_factory=list)
    """When a fall was found that no delivery had spoken of."""


class SalesFigures:
    """Of all stores."""

    def __init__(self, stores: Iterable[str], sweep_seconds: float) -> None:
        self._stores = {name: Sales() for name in stores}
        self._sweep = sweep_seconds
        self.unreadable_since: dict[str, float] = {}

    def note(self, store: str, movements: Iterable[Movement], now: float, *, hinted: bool) -> None:
        """What a reading showed."""
        sales = self._stores[store]
        for movement in movements:
            if movement.units < 0:
                sales.falls.append((now, -movement.units))
                if not hinted:
                    sales.silent_falls.append(now)

    def velocity(self) -> dict[ConnectionName, float]:
        """Units per hour of the day that ended with the last sale."""
        found: dict[ConnectionName, float] = {}
        last = max((sales.falls[-1][0] for sales in self._stores.values() if sales.falls), default=0.0)
        for name, sales in self._stores.items():
            while sales.falls and sales.falls[0][0] <= last - DAY_SECONDS:
                sales.falls.pop(0)
            found[ConnectionName(name)] = sum(units for _, units in sales.falls) * 3600.0 / DAY_SECONDS
        return found

    def measured(self, now: float, lane: StoredLane) -> dict[ConnectionName, Measured]:
        """What hybrid's allowances follow from."""
        return {
            ConnectionName(name): Measured(
                watched_seconds=now,
                units_per_hour=max(_rate(sales.falls, now, window) for window in WINDOWS_SECONDS),
                notice_seconds=(self._sweep if _lately(sales.silent_falls, now) or now < 900.0 else 5.0)
                + 2 * 1.2
                + 5.0
                + doubted_seconds(lane, ConnectionName(name), moment(now)),
                unreadable_seconds=now - self.unreadable_since.get(name, now),
                largest_sale=max((units for _, units in sales.falls), default=1),
            )
            for name, sales in self._stores.items()
        }


def _lately(times: list[float], now: float) -> bool:
    return bool(times) and times[-1] >= now - DAY_SECONDS


def _rate(falls: list[tuple[float, int]], now: float, window: float) -> float:
    """Units per hour over the last ``window`` seconds, or over as long as anybody has watched."""
    units = sum(units for at, units in falls if at >= now - window)
    return units * 3600.0 / min(window, max(WINDOWS_SECONDS[0], now))
