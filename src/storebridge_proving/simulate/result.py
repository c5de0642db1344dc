"""What one seed showed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What one seed showed. ``digest`` is equal for equal histories."""

    seed: int
    violations: tuple[str, ...]
    converged: bool
    units_sold: int
    units_oversold: int
    false_stockouts: int = 0
    refused_held: int = 0
    """Sales refused because live checkouts held the units: no false stockouts."""
    units_past: int = 0
    """Units of orders that went past the guard of a checkout."""
    sales: int = 0
    """Checkouts that went through."""
    ambiguous_writes: int = 0
    held_for_review: int = 0
    wrong_inferences: int = 0
    converged_seconds: float | None = None
    """From the end of the faults until everything agreed."""
    waits: tuple[tuple[str, float], ...] = ()
    """The same seconds, by what was waited for."""
    store_kinds: tuple[str, ...] = ()
    """Core: what makes a repeated write safe in each store."""
    ambiguous_by_kind: tuple[tuple[str, int], ...] = ()
    """Ambiguous writes by the kind of store they went to; likewise what a person was asked about."""
    held_by_kind: tuple[tuple[str, int], ...] = ()
    skus: int = 0
    store_events: int = 0
    virtual_hours: float = 0.0
    fault_kinds: tuple[str, ...] = ()
    digest: str = ""
    switches: tuple[str, ...] = ()
    """What the stores played otherwise than they do by default (docs/assumptions.md)."""
