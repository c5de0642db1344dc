"""How much a store could plausibly sell before we know of it. Pure."""

from __future__ import annotations

import math

from storebridge.model.stock import Measured

UNREADABLE_AT_MOST_SECONDS = 60.0
"""What was measured of a store says little about one that has not answered for so long."""
PRIOR_UNITS_PER_HOUR = 0.5
"""Assumed sales of a store that has sold nothing yet."""


def most_sold(units_per_hour: float, seconds: float, risk: float, largest_sale: int) -> int:
    """The least number of units that a store sells more of within ``seconds`` with a chance of at most ``risk``.

    Sales are taken to come in orders of the largest size seen, and their number to be geometrically distributed: its
    tail is far heavier than a Poisson's of the same mean, because a crowd does not come one shopper at a time.
    """
    size = max(1, largest_sale)
    mean = (units_per_hour + PRIOR_UNITS_PER_HOUR) * seconds / 3600.0 / size
    at_least_one_more = mean / (1.0 + mean)
    orders = math.ceil(math.log(risk) / math.log(at_least_one_more)) - 1
    return size * max(1, orders)


def reach(level: int, measured: Measured, risk: float) -> int:
    """Units that a counter showing ``level`` may sell, or has sold, before that is known elsewhere.

    While a store cannot be read, the time grows, and with it the reach, and soon it is all that the store shows: then
    the others are left what surely remains, which is what escrow would give them. Of a store that answers the level
    does not matter: it can be raised at any time, and a reach that rose with every raise would never come to rest.
    """
    if measured.unreadable_seconds > UNREADABLE_AT_MOST_SECONDS:
        return max(0, level)
    seconds = measured.notice_seconds + measured.unreadable_seconds
    return most_sold(measured.units_per_hour, seconds, risk, measured.largest_sale)
