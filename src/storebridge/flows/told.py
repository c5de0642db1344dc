"""What a copy was told already, as its planners need it."""

from __future__ import annotations

import msgspec

from storebridge.model.order_writes import OrderWrite


class Told(msgspec.Struct, frozen=True):
    """A write that was planned for a copy. ``open``: a read must still show what it did. ``dropped``: it was given up
    before it took effect, so the copy was told nothing by it."""

    write: OrderWrite
    open: bool
    dropped: bool = False
