"""Why a counter is written: a closed list, shown to people."""

from __future__ import annotations

from enum import StrEnum


class WriteReason(StrEnum):
    """The reason on every intent."""

    SHOW_POOL = "show_pool"
    """Mirror: every store shows what is left."""
    SHARE_FALLS = "share_falls"
    """Escrow: this store gives rights back, so that another can have them."""
    SHARE_RISES = "share_rises"
    """Escrow: this store is given rights out of the reserve."""
    HOLD_FOR_CHECKOUT = "hold_for_checkout"
    """Guarded: units that a checkout elsewhere holds are taken from this store."""
    LIFT_NEGATIVE = "lift_negative"
    """A counter below zero is set to zero; that gives no rights."""


EXPLANATION = {
    WriteReason.SHOW_POOL: "show what is left of the pool",
    WriteReason.SHARE_FALLS: "give units back to the reserve for another store",
    WriteReason.SHARE_RISES: "hand out units from the reserve",
    WriteReason.HOLD_FOR_CHECKOUT: "keep units for a checkout in another store",
    WriteReason.LIFT_NEGATIVE: "lift a counter below zero back to zero",
}
"""Each reason as a person reads it."""
