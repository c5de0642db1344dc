"""What happens to orders after they were placed and packed: addresses are put right, notes and tags are written, goods
come back, tracking numbers are typed in later, parcels turn out not to have left.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from storebridge.connectors.http import NoAnswer, NotSent
from storebridge_proving.simulate.theatre import Theatre
from storebridge_proving.store_admin import Admin, admin_of
from storebridge_proving.store_client import CartLine, StoreClient, StoreRefused

EVERY_SECONDS = (24.0, 96.0)
RESTOCKED = 0.7
STREETS = ("Lindenweg", "Rue Cler", "Via Roma", "Calle Mayor")
NOTES = ("Leave it at the door", "Geschenk, bitte ohne Rechnung", "请在周末送货", "")
TAGS = ("gift", "fragile", "vip")
DEEDS = {
    "take_back": 5.0,
    "change_address": 3.0,
    "retrack": 3.0,
    "call_back": 1.0,
    "change_note": 2.0,
    "tag": 1.0,
}
"""With this pace as many goods come back as when addresses and parcels were all that was put right beside them."""
OF_PARCELS = ("retrack", "call_back")

Row = Mapping[str, Any]


class Aftercare:
    """People in the admins of both stores; ``packed_in`` is the store that gets the copies. ``done`` counts deeds."""

    def __init__(self, theatre: Theatre, packed_in: str, chance: random.Random) -> None:
        self._theatre = theatre
        self._packed_in = packed_in
        self._chance = chance
        self.done: dict[str, int] = {}

    async def run(self) -> None:
        """Somebody does something now and then, for ever."""
        while True:
            await self._theatre.clock.sleep(self._chance.uniform(*EVERY_SECONDS))
            (deed,) = self._chance.choices(list(DEEDS), list(DEEDS.values()))
            try:
                acted = await self._do(deed)
            except (StoreRefused, NoAnswer, NotSent):
                continue
            if acted:
                self.done[deed] = self.done.get(deed, 0) + 1

    async def _do(self, deed: str) -> bool:
        here = deed in OF_PARCELS
        client = self._chance.choice([client for client in self._theatre.clients if self._is_done_in(client, deed)])
        orders = [one for one in (await client.truth())["orders"] if bool(one["origin"]) == here]
        admin = admin_of(client, self._theatre.network)
        return await (self._with_parcel(deed, admin, orders) if here else self._with_order(deed, client, orders))

    def _is_done_in(self, client: StoreClient, deed: str) -> bool:
        if deed == "change_note":
            return admin_of(client, self._theatre.network).changes_notes
        return deed not in OF_PARCELS or client.name == self._packed_in

    async def _with_parcel(self, deed: str, admin: Admin, orders: list[Row]) -> bool:
        parcels = [(order["id"], parcel["id"]) for order in orders for parcel in order["fulfilments"]]
        if not parcels:
            return False
        order_id, parcel_id = self._chance.choice(parcels)
        if deed == "retrack":
            await admin.retrack(order_id, parcel_id, f"1Z{self._chance.getrandbits(40):012X}")
        else:
            await admin.call_back(order_id, parcel_id)
        return True

    async def _with_order(self, deed: str, client: StoreClient, orders: list[Row]) -> bool:
        admin = admin_of(client, self._theatre.network)
        if deed != "take_back":
            standing = [order for order in orders if not order["cancelled_at"] and order["payment"] == "paid"]
            if not standing:
                return False
            await self._change(deed, admin, self._chance.choice(standing))
            return True
        sent = [(order["id"], line) for order in orders for line in _with_the_buyer(order)]
        if not sent:
            return False
        order_id, line = self._chance.choice(sent)
        units = self._chance.randint(1, line.quantity)
        await admin.take_back(order_id, CartLine(line.sku, units, self._chance.random() < RESTOCKED))
        return True

    async def _change(self, deed: str, admin: Admin, order: Row) -> None:
        if deed == "change_address":
            street = f"{self._chance.choice(STREETS)} {self._chance.randint(1, 99)}"
            await admin.change_address(order["id"], street, "Berlin")
        elif deed == "change_note":
            await admin.change_note(order["id"], self._chance.choice(NOTES))
        else:
            await admin.tag(order["id"], sorted({*order["tags"], self._chance.choice(TAGS)}))


def _with_the_buyer(order: Row) -> Iterator[CartLine]:
    """Units that were sent and not given back yet."""
    for line in order["lines"]:
        units = min(line["fulfilled"], line["quantity"] - line["cancelled"] - line["refunded"])
        if units > 0 and not order["cancelled_at"]:
            yield CartLine(line["sku"], units)
