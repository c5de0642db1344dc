"""Parcels that were noted here and that their store does not show yet: what they hold has left the house."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from storebridge.flows.parcels import noted_by_hand, share, units_in
from storebridge.flows.queue import PendingParcel
from storebridge.model.ids import OrderKey, Workspace
from storebridge.model.order_writes import AddParcel
from storebridge.model.sales import ParcelLine
from storebridge.pipeline.parcel_flow import made_by_us
from storebridge.store.database import Tx
from storebridge.store.order_writes import StoredWrite, writes_of_orders
from storebridge.store.sales import OrderFile


def pending_parcels(
    tx: Tx, workspace: Workspace, files: Collection[OrderFile]
) -> dict[OrderKey, tuple[PendingParcel, ...]]:
    """Per order, the parcels of which its store does not show all yet, each with the units that it does not show."""
    noted = [file for file in files if any(not parcel.cancelled for parcel in file.parcels)]
    writes = writes_of_orders(tx, workspace, [file.order_key for file in noted])
    found = dict.fromkeys((file.order_key for file in files), ())
    return found | {file.order_key: _pending(file, writes[file.order_key]) for file in noted}


def units_pending(pending: Sequence[PendingParcel]) -> Counter[str]:
    """Per order line."""
    return units_in(line for lines, _ in pending for line in lines)


def _pending(file: OrderFile, writes: Sequence[StoredWrite]) -> tuple[PendingParcel, ...]:
    ours = made_by_us(file.order, writes)
    by_hand = dict[str, Counter[str]]()
    found = []
    for parcel in file.parcels:
        if parcel.cancelled:
            continue
        number, shown = parcel.tracking.number, _shown(parcel.parcel_key, writes)
        if number not in by_hand:
            noted = noted_by_hand(file.order, number, ours)
            by_hand[number] = units_in(line for one in noted for line in one.lines)
        shown = [*shown, *share(by_hand[number], parcel.lines, shown)]
        left = +(units_in(parcel.lines) - units_in(shown))
        found.append((tuple(ParcelLine(line_id, units) for line_id, units in left.items()), parcel.location_id))
    return tuple(found)


def _shown(parcel_key: str, writes: Sequence[StoredWrite]) -> list[ParcelLine]:
    """Units of a parcel that its store shows because it was told of them."""
    told = [one for one in writes if one.state == "confirmed" and one.purpose.startswith(f"parcel:{parcel_key}:")]
    return [line for one in told if isinstance(one.write, AddParcel) for line in one.write.lines]
