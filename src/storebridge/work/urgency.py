"""What goes first when calls are scarce, and how long the rest waits at most.

Urgency is turned into a handicap in seconds: a job's turn comes at the time it was due plus its handicap, earliest
first. So urgent work passes, and nothing starves.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import IntEnum


class Urgency(IntEnum):
    """Lower goes first."""

    CHECKOUT = -1
    """Somebody waits at a checkout for this lower."""
    STOCK_LOWER = 0
    STOCK_READ = 1
    STOCK_RAISE = 2
    STOCK_CONFIRM = 3
    ORDERS = 4
    CUSTOMERS = 5
    PRODUCTS = 6
    SWEEP = 7
    BACKFILL = 8
    """Old orders: nobody waits for them."""


HANDICAP_SECONDS = {
    Urgency.CHECKOUT: -60.0,
    Urgency.STOCK_LOWER: 0.0,
    Urgency.STOCK_READ: 0.2,
    Urgency.STOCK_RAISE: 0.5,
    Urgency.STOCK_CONFIRM: 1.0,
    Urgency.ORDERS: 3.0,
    Urgency.CUSTOMERS: 10.0,
    Urgency.PRODUCTS: 20.0,
    Urgency.SWEEP: 20.0,
    Urgency.BACKFILL: 60.0,
}


def turn_comes_at(due_at: datetime, urgency: Urgency) -> datetime:
    """The virtual deadline by which waiting jobs are ordered."""
    return due_at + timedelta(seconds=HANDICAP_SECONDS[urgency])
