"""Conservation: every accepted signal is in exactly one place; a mismatch is an alarm, never a rounding error."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from storebridge.model.signals import SignalState


class Conservation(msgspec.Struct, frozen=True):
    """Where all accepted signals are."""

    accepted: int
    waiting: int
    confirmed: int
    superseded: int
    exception: int
    resolved: int
    unaccounted: int
    """Signals in no known place; anything but 0 is an alarm."""


def account_for(by_state: Mapping[str, int]) -> Conservation:
    """Add up signals by state."""
    known = {state.value: by_state.get(state.value, 0) for state in SignalState}
    accepted = sum(by_state.values())
    return Conservation(accepted=accepted, unaccounted=accepted - sum(known.values()), **known)
