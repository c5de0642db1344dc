"""Checkouts that are asked about before they are placed, and what they hold (policy ``guarded``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from storebridge.model.ids import ConnectionName, ItemId, OrderId, PoolId

LONGEST_FLOW = 150
"""A purchase flow's id is a short name; a longer one is none."""


PLACEMENT = timedelta(seconds=10)
"""An order that was allowed is placed within this (G1, G2)."""
LAG = timedelta(seconds=20)
"""No reading lags longer behind the store (W15)."""
TAKES_HOLD = PLACEMENT + LAG
"""A reading that was sent so much later shows every order that was allowed before."""


class GuardMode(StrEnum):
    """What ``guarded`` means now, by what is known of the guard."""

    GUARDED = "guarded"
    """Every checkout is asked about and answered in time."""
    BOUNDED = "bounded"
    """Some orders go past the guard: stores are kept apart by what could be sold meanwhile, as under hybrid."""
    SHARES = "shares"
    """The guard is not proven or not well: what is left is divided, as under escrow."""


class GuardTerms(msgspec.Struct, frozen=True):
    """A workspace's settings of the guard."""

    answer_within: timedelta = timedelta(milliseconds=800)
    hold: timedelta = timedelta(minutes=10)
    """How long a checkout that asks no more keeps its units."""
    most_units_per_checkout: int = 20
    """Units of one SKU."""
    most_share_held: float = 0.8
    """Part of what is left that all checkouts may hold together, rounded up."""
    bypass_channels: bool = False
    """Whether the site sells on ways that the guard is not asked about (G3)."""
    probe: timedelta = timedelta(seconds=10)


class Reservation(msgspec.Struct, frozen=True):
    """Units of one pool that one purchase flow holds. It ends only together with a reading of its own store's counter
    that was sent after ``free_at``: what was sold is then in that level, and counted once."""

    flow: str
    """The vendor's id that ties cart, checkout and order together."""
    connection: ConnectionName
    """The store in whose checkout it is."""
    pool_id: PoolId
    units: int
    """Counted against the pool: what the basket wants, or what it wanted a moment ago."""
    covered: int
    """The part of ``units`` that no other store can sell any more."""
    wanted: int
    """What the basket wants at this moment; 0 once it expired or became an order."""
    made_at: datetime
    asked_at: datetime
    ends_at: datetime
    free_at: datetime | None = None
    """From when on a reading frees what is not wanted."""
    order_id: OrderId | None = None
    seen: int = 0
    """Units by which the counter fell and that this checkout may have bought; its order is not known yet."""
    seen_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.units == 0 and self.wanted == 0

    @property
    def is_answered(self) -> bool:
        """Whether everything that the basket wants is covered."""
        return self.covered >= self.wanted


class QuestionLine(msgspec.Struct, frozen=True):
    """One line of a basket, as the vendor names it."""

    line_id: str
    item_id: ItemId | None
    """None for goods that no catalogue counts."""
    quantity: int
    name: str


class Question(msgspec.Struct, frozen=True):
    """A checkout asks whether it may go on. Nothing of it was believed before its signature was checked."""

    flow: str
    lines: tuple[QuestionLine, ...]
    signed_at: datetime | None


class Shortage(msgspec.Struct, frozen=True):
    """Why a line may not go on."""

    line_id: str
    name: str
    left: int | None
    """Units that this checkout could have; None when it cannot be known in time."""


class Verdict(msgspec.Struct, frozen=True):
    """The answer to a question: nothing against it, or what is short."""

    shortages: tuple[Shortage, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.shortages


Basket = Mapping[PoolId, int]
"""Units of each pool that a checkout wants."""
