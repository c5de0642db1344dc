"""The warehouse at the copying store's admin: it sends what waits there as copies, whole or in parts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from storebridge_proving.simulate.theatre import Theatre
from storebridge_proving.store_client import CartLine, StoreRefused

EVERY_SECONDS = (55.0, 195.0)
WITHOUT_NUMBER = 0.2
"""Parcels whose tracking number is typed in later."""
IN_THE_SAME_BOX = 0.3
"""Of an order's further parcels, those that leave under the number of an earlier one."""


async def pack_and_send(theatre: Theatre, store: str, chance: random.Random) -> None:
    """Somebody packs something now and then, for ever. ``store`` is the one that gets the copies."""
    while True:
        await theatre.clock.sleep(chance.uniform(*EVERY_SECONDS))
        await _send_a_copy(theatre, store, chance)


async def _send_a_copy(theatre: Theatre, store: str, chance: random.Random) -> None:
    (admin,) = [client for client in theatre.clients if client.name == store]
    waiting = [order for order in (await admin.truth())["orders"] if order["origin"] and _open_lines(order)]
    if not waiting:
        return
    order = chance.choice(waiting)
    lines = [CartLine(sku, chance.randint(1, units)) for sku, units in _open_lines(order).items()]
    some = chance.sample(lines, chance.randint(1, len(lines)))
    number = _number_of_box(order) or f"1Z{chance.getrandbits(40):012X}"
    tracking = {} if chance.random() < WITHOUT_NUMBER else {"company": "UPS", "number": number, "url": ""}
    try:
        await admin.fulfil(order["id"], tracking, some)
    except StoreRefused:
        return


def _number_of_box(order: Mapping[str, Any]) -> str:
    """The number of the parcel beside which the next one lies; empty when it leaves by itself."""
    numbers = [parcel["tracking"].get("number") or "" for parcel in order["fulfilments"]]
    beside = random.Random(f"{order['id']}/{len(numbers)}").random() < IN_THE_SAME_BOX
    return numbers[-1] if numbers and beside else ""


def _open_lines(order: Mapping[str, Any]) -> dict[str, int]:
    if order["cancelled_at"]:
        return {}
    left = {
        line["sku"]: line["quantity"] - line["cancelled"] - line["refunded"] - line["fulfilled"]
        for line in order["lines"]
    }
    return {sku: units for sku, units in left.items() if units > 0}
