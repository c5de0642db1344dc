"""What people and fate do in one seed: published figures, drawn anew for every seed.

``scarce``  an hour in which shoppers want about three times what there is (the hardest for any policy)
``bundles`` the same hour with two kinds of goods, sold alone and as a bundle of both
``week``    seven days for which the goods are meant to last: what a shopkeeper sees
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.core.timeline import Weather

WORKLOADS = ("scarce", "week", "bundles")
HOUR, DAY = 3600.0, 24 * 3600.0
STORE_MIXES = (
    (Kind.KEYED, Kind.STAMPED),
    (Kind.KEYED, Kind.REVISION),
    (Kind.KEYED, Kind.BLIND),
    (Kind.KEYED, Kind.STAMPED, Kind.REVISION),
    (Kind.KEYED, Kind.STAMPED, Kind.BLIND),
)
"""Which stores a seed has: keyed is Shopify, the others are Wix with V3 and a stamp, V3, and V1."""
UNITS_PER_ORDER = (1, 1, 1, 2, 3)
STAFF_EDITS = (-3, -2, -1, 1, 2, 5, 12)


@dataclass(slots=True)
class Plan:
    """Everything that is drawn before the first event."""

    kinds: tuple[Kind, ...]
    listings: tuple[int, ...]
    """Listings of the same goods per store."""
    goods: int
    active_seconds: float
    seconds_per_order: dict[str, float]
    """Mean time between shoppers, per store."""
    crowds: tuple[tuple[float, float], ...]
    """When ten times as many shoppers come."""
    seconds_per_cancel: float
    seconds_per_edit: float
    seconds_per_receipt: float
    units_received: int
    sweep_seconds: float
    weather: Weather
    parts: int = 0
    """Goods of the second kind."""
    recipe: tuple[int, int] = (0, 0)
    """Units of each kind in a bundle; zeros where nothing is one."""
    sells: tuple[tuple[str, ...], ...] = ()
    """What each store lists beside the goods: ``part``, ``bundle``."""


@dataclass(slots=True)
class Ordeals:
    """What tries the books of a storm's seed, beside faults; nothing of it in other seeds."""

    units_per_hour: int = 0
    """The hourly limit of written units; 0: none."""
    slip: float = 0.0
    """When staff type a wrong count, which is taken back later; 0: never."""
    copied_at: float = 0.0
    """When the database is copied, which is put back ``put_back_after`` seconds later; 0: never."""
    put_back_after: float = 0.0


def draw_ordeals(chance: random.Random) -> Ordeals:
    """A limit in two seeds of five, a slip in three of ten, an old database in three of twenty."""
    return Ordeals(
        units_per_hour=chance.choice((0, 0, 0, 20, 60)),
        slip=chance.uniform(300.0, 2400.0) if chance.random() < 0.3 else 0.0,
        copied_at=chance.uniform(300.0, 2000.0) if chance.random() < 0.15 else 0.0,
        put_back_after=chance.uniform(180.0, 900.0),
    )


def draw_plan(chance: random.Random, workload: str, faults: str) -> Plan:
    """One seed's plan; the same chance always gives the same."""
    kinds = chance.choice(STORE_MIXES)
    names = [f"{kind}{place}" for place, kind in enumerate(kinds)]
    listings = tuple(2 if chance.random() < 0.1 else 1 for _ in kinds)
    plan = _week(chance, kinds, listings, names) if workload == "week" else _scarce(chance, kinds, listings, names)
    if workload == "bundles":
        _add_bundles(chance, plan)
    plan.weather = draw_weather(chance, faults, names, plan.active_seconds)
    return plan


def _scarce(chance: random.Random, kinds: tuple[Kind, ...], listings: tuple[int, ...], names: list[str]) -> Plan:
    active = HOUR
    crowds = tuple((at, at + 180.0) for at in (chance.uniform(0, active) for _ in range(chance.choice((0, 0, 1)))))
    return Plan(
        kinds=kinds,
        listings=listings,
        goods=chance.randint(0, 30),
        active_seconds=active,
        seconds_per_order={name: chance.choice((30.0, 60.0, 200.0, 600.0)) for name in names},
        crowds=crowds,
        seconds_per_cancel=900.0,
        seconds_per_edit=1800.0,
        seconds_per_receipt=2400.0,
        units_received=30,
        sweep_seconds=30.0,
        weather=Weather(),
    )


def _add_bundles(chance: random.Random, plan: Plan) -> None:
    """The first store sells both kinds alone; some store sells the bundle."""
    plan.parts, plan.recipe = chance.randint(0, 30), (chance.randint(1, 3), chance.randint(1, 2))
    if chance.random() < 0.4:  # some goods are left when the shoppers go home
        plan.goods, plan.parts = plan.goods + chance.randint(80, 200), plan.parts + chance.randint(50, 150)
    others = [tuple(what for what in ("part", "bundle") if chance.random() < 0.7) for _ in plan.kinds[1:]]
    first: tuple[str, ...] = ("part", "bundle") if chance.random() < 0.4 else ("part",)
    if not any("bundle" in one for one in (first, *others)):
        others[-1] = (*others[-1], "bundle")
    plan.sells = (first, *others)


def _week(chance: random.Random, kinds: tuple[Kind, ...], listings: tuple[int, ...], names: list[str]) -> Plan:
    goods = chance.choice((40, 100, 200, 400))
    shares = [chance.uniform(0.2, 1.0) for _ in names]
    units_per_order = sum(UNITS_PER_ORDER) / len(UNITS_PER_ORDER)
    orders = goods / units_per_order
    return Plan(
        kinds=kinds,
        listings=listings,
        goods=goods,
        active_seconds=7 * DAY,
        seconds_per_order={
            name: 7 * DAY / (orders * share / sum(shares)) for name, share in zip(names, shares, strict=True)
        },
        crowds=tuple((at, at + HOUR) for at in (chance.uniform(0, 7 * DAY) for _ in range(chance.choice((0, 1))))),
        seconds_per_cancel=7 * DAY / (0.05 * orders),
        seconds_per_edit=2 * DAY,
        seconds_per_receipt=1e12,
        units_received=0,
        sweep_seconds=300.0,
        weather=Weather(),
    )


def draw_weather(chance: random.Random, faults: str, names: list[str], active: float) -> Weather:
    """none: nothing goes wrong; some: what a good week looks like; storm: everything, and much of it."""
    if faults == "none":
        return Weather()
    if faults == "some":
        return Weather(0.01, 0.02, 0.02, 0.002, 0.002, 0.001, 0.01)
    pick = chance.choice
    weather = Weather(
        webhook_loss=pick((0.0, 0.05, 0.3, 1.0)),
        webhook_duplicate=pick((0.0, 0.1, 0.6)),
        webhook_delay=pick((0.0, 0.1, 0.5)),
        lost_request=pick((0.0, 0.01, 0.08)),
        lost_answer=pick((0.0, 0.01, 0.08)),
        late_landing=pick((0.0, 0.01, 0.05)),
        too_many_calls=pick((0.0, 0.05)),
        stale_read=pick((0.0, 0.0, 0.1)),
        crash_at_send=pick((0.0, 0.0, 0.01)),
        crash_seconds=pick((0.0, 600.0)),
    )
    for name in names:
        for _ in range(pick((0, 0, 1, 2))):
            begin = chance.uniform(0.0, active)
            weather.partitions.setdefault(name, []).append((begin, begin + pick((30.0, 300.0, 2400.0))))
    return weather
