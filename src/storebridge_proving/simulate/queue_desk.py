"""Staff who work with the bridge's fulfilment queue: through the operations that the console, the API and the command
line call. What they sent stands in a book of their own, by which the stores are judged.
"""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from storebridge.errors import NotFoundError, RefusedError
from storebridge.flows.queue import Place
from storebridge.model.ids import ConnectionName
from storebridge.model.sales import Delivery, Tracking
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.export_orders import export_orders
from storebridge.operations.hand_over import WITHOUT_CARRIER, handed_over, ready_for_pickup
from storebridge.operations.import_parcels import Imported, import_parcels
from storebridge.operations.list_orders import QueuedOrder, list_orders
from storebridge.operations.ship_order import OrderMoved, Step, change_parcel, hold_order, note_step, ship_order
from storebridge.operations.show_order import show_order
from storebridge.operations.step_orders import step_orders
from storebridge_proving.checker.orders import Name
from storebridge_proving.checker.slips import Slip, offered_again
from storebridge_proving.simulate.theatre import WORKSPACE, Theatre

EVERY_SECONDS = (30.0, 110.0)
TO_SEND = (Place.READY, Place.PARTLY_SHIPPED)
DEEDS = {
    "send": 6.0,
    "step": 2.0,
    "step_several": 1.0,
    "hold": 1.0,
    "let_go": 1.0,
    "retrack": 2.0,
    "withdraw": 1.0,
    "exchange_tables": 2.0,
}
CARRIERS = ("UPS", "UPS", "DHL Express", "Correos", "Our own van")
WITHOUT_NUMBER = 0.25
"""Parcels whose number comes later, or that the buyer fetches."""
IN_THE_SAME_BOX = 0.2
TOLD_FIRST = 0.7
"""Of the buyers who collect their goods, those who are told that they can come."""
ELSEWHERE = 0.15
"""Of the looks at the queue, those at orders of the store whose orders are packed as copies: one that has no copy yet
is sent from here."""
WHO = "packer"
Deed = Callable[[WorkspaceTerms], Awaitable[bool]]
Cells = dict[str, str]


class QueueDesk:
    """``packed_in`` is the store that gets the copies. ``slips`` is the warehouse's book, ``done`` counts deeds,
    ``findings`` are what the queue told them wrongly."""

    def __init__(self, theatre: Theatre, packed_in: str, chance: random.Random) -> None:
        self._theatre = theatre
        self._packed_in = packed_in
        self._chance = chance
        self._tables: list[list[Cells]] = []
        self._files = 0
        self.slips: list[Slip] = []
        self.done: dict[str, int] = {}
        self.findings: list[str] = []

    async def run(self) -> None:
        """Somebody does something now and then, for ever."""
        while True:
            await self._theatre.clock.sleep(self._chance.uniform(*EVERY_SECONDS))
            (deed,) = self._chance.choices(list(DEEDS), list(DEEDS.values()))
            await self.act(deed)

    async def close(self) -> None:
        """At the end of the day nobody holds anything back any more, whose ever it is."""
        while self._theatre.bridge is None:
            await self._theatre.clock.sleep(1.0)
        terms = self._theatre.bridge.workspaces[WORKSPACE].terms
        page = await list_orders(self._theatre.store, terms, places=(Place.ON_HOLD, Place.OVERSOLD), limit=1000)
        for order in page.items:
            if order.held_by:
                await self._held(terms, [order], hold=False)

    async def act(self, deed: str) -> bool:
        """One deed of ``DEEDS``; whether it came to something. Nobody works while the bridge is down."""
        deeds: dict[str, Deed] = {
            "send": self._send,
            "step": self._step,
            "step_several": self._step_several,
            "hold": self._hold,
            "let_go": self._let_go,
            "retrack": self._retrack,
            "withdraw": self._withdraw,
            "exchange_tables": self._exchange_tables,
        }
        if self._theatre.bridge is None:
            return False
        try:
            acted = await deeds[deed](self._theatre.bridge.workspaces[WORKSPACE].terms)
        except (RefusedError, NotFoundError):
            deed, acted = "refused", True
        self._count(deed, acted)
        return acted

    def _count(self, deed: str, times: int = 1) -> None:
        self.done[deed] = self.done.get(deed, 0) + times

    async def _look(self, terms: WorkspaceTerms, *places: Place) -> list[QueuedOrder]:
        """Orders of one store that stand there and are packed from here."""
        page = await list_orders(self._theatre.store, terms, places=places)
        (elsewhere,) = [client.name for client in self._theatre.clients if client.name != self._packed_in]
        store = elsewhere if self._chance.random() < ELSEWHERE else self._packed_in
        return [one for one in page.items if one.connection == store and not one.packed_in]

    async def _send(self, terms: WorkspaceTerms) -> bool:
        """Everything, all that one location has, or some units of some lines."""
        waiting = await self._look(terms, *TO_SEND)
        if not waiting:
            return False
        order = self._chance.choice(waiting)
        offered = _by_sku(order)
        await self._compare((order.connection, order.order_id), offered)
        lines = self._some_of(order)
        if WITHOUT_CARRIER & set(order.delivery):
            return await self._hand_over(terms, order, lines)
        at = self._chance.choice(order.locations) if order.locations and self._chance.random() < 0.5 else None
        moved = await self._theatre.store.run(
            ship_order,
            terms,
            self._theatre.ids,
            order.order_key,
            lines=lines,
            tracking=(tracking := self._tracking(order)),
            actor=WHO,
            location=at,
        )
        self._wake(moved.wake)
        await self._write_down(terms, order, moved, tracking)
        return True

    async def _hand_over(self, terms: WorkspaceTerms, order: QueuedOrder, lines: dict[str, int] | None) -> bool:
        """First the buyer is told that the goods are ready, where they are collected; then they get them."""
        store, ids = self._theatre.store, self._theatre.ids
        if Delivery.PICKUP in order.delivery and not order.ready_by and self._chance.random() < TOLD_FIRST:
            moved = await store.run(ready_for_pickup, terms, ids, order.order_key, actor=WHO)
            self._count("ready")
        else:
            moved = await store.run(handed_over, terms, ids, order.order_key, lines=lines, actor=WHO)
            self._count("handed_over")
            await self._write_down(terms, order, moved, None)
        self._wake(moved.wake)
        return True

    def _some_of(self, order: QueuedOrder) -> dict[str, int] | None:
        """Units per SKU or line; None: everything that can be sent now."""
        lines = [line for line in order.lines if line.to_ship]
        if not lines or self._chance.random() < 0.4:
            return None
        some = self._chance.sample(lines, self._chance.randint(1, len(lines)))
        return {line.line_id: self._chance.randint(1, line.to_ship) for line in some}

    def _tracking(self, order: QueuedOrder) -> Tracking:
        if self._chance.random() < WITHOUT_NUMBER:
            return Tracking()
        earlier = [slip.number for slip in self._of((order.connection, order.order_id)) if slip.number]
        beside = earlier and self._chance.random() < IN_THE_SAME_BOX
        return Tracking(self._chance.choice(CARRIERS), earlier[-1] if beside else self._number())

    async def _write_down(
        self, terms: WorkspaceTerms, order: QueuedOrder, moved: OrderMoved, tracking: Tracking | None
    ) -> None:
        """What lies in the parcel: who sent everything reads it off the order's page. ``tracking`` None: no carrier
        has it."""
        view = await show_order(self._theatre.store, terms, order.order_key)
        sku_of = {line.line_id: line.sku or "" for line in order.lines}
        (parcel,) = [one for one in view.parcels if one.parcel_key == moved.parcel_key]
        units: Counter[str] = Counter()
        for line in parcel.lines:
            units[sku_of[line.line_id]] += line.quantity
        name, number = (order.connection, order.order_id), tracking.number if tracking else ""
        self.slips.append(Slip(name, moved.parcel_key, units, number, handed_over=tracking is None))

    async def _step(self, terms: WorkspaceTerms) -> bool:
        waiting = await self._look(terms, *TO_SEND)
        if not waiting:
            return False
        order, step = self._chance.choice(waiting), self._chance.choice(list(Step))
        lines = self._some_of(order)
        await self._theatre.store.run(note_step, terms, order.order_key, step, lines, actor=WHO)
        return True

    async def _step_several(self, terms: WorkspaceTerms) -> bool:
        """A pile of the pick list, or all of it."""
        waiting = [one.order_key for one in await self._look(terms, *TO_SEND)]
        some = None if self._chance.random() < 0.3 else waiting[: self._chance.randint(1, 5)]
        step = self._chance.choice(list(Step))
        done = await step_orders(self._theatre.store, terms, some, step, actor=WHO)
        return done.orders > 0

    async def _hold(self, terms: WorkspaceTerms) -> bool:
        return await self._held(terms, await self._look(terms, *TO_SEND), hold=True)

    async def _let_go(self, terms: WorkspaceTerms) -> bool:
        held = [one for one in await self._look(terms, Place.ON_HOLD) if one.held_by]
        return await self._held(terms, held, hold=False)

    async def _held(self, terms: WorkspaceTerms, orders: Sequence[QueuedOrder], *, hold: bool) -> bool:
        if not orders:
            return False
        key, ids = self._chance.choice(orders).order_key, self._theatre.ids
        moved = await self._theatre.store.run(hold_order, terms, ids, key, hold=hold, actor=WHO)
        self._wake(moved.wake)
        return True

    async def _retrack(self, terms: WorkspaceTerms) -> bool:
        """A number comes later, or was wrong."""
        standing = [slip for slip in self.slips if not slip.withdrawn and not slip.handed_over]
        late = [slip for slip in standing if not slip.number]
        if not standing:
            return False
        slip = self._chance.choice(late if late and self._chance.random() < 0.7 else standing)
        tracking = Tracking(self._chance.choice(CARRIERS), self._number())
        await self._change(terms, slip, tracking=tracking)
        slip.number = tracking.number
        return True

    async def _withdraw(self, terms: WorkspaceTerms) -> bool:
        standing = [slip for slip in self.slips if not slip.withdrawn]
        if not standing:
            return False
        slip = self._chance.choice(standing)
        await self._change(terms, slip, cancel=True)
        slip.withdrawn = True
        return True

    async def _change(self, terms: WorkspaceTerms, slip: Slip, **what: Any) -> None:
        _, order_id = slip.order
        moved = await self._theatre.store.run(
            change_parcel, terms, self._theatre.ids, order_id, slip.parcel_key, actor=WHO, **what
        )
        self._wake(moved.wake)

    async def _exchange_tables(self, terms: WorkspaceTerms) -> bool:
        """A warehouse that knows tables only: it fetches one and brings one back, brings an old one once more, or
        one with the numbers that were missing."""
        if self._tables and self._chance.random() < 0.4:
            table = self._chance.choice(self._tables)
            for row in table:
                if not row["tracking_number"] and self._chance.random() < 0.7:
                    row |= {"carrier": self._chance.choice(CARRIERS), "tracking_number": self._number()}
        else:
            sent = (Delivery.SHIPPING,)
            fetched = await export_orders(self._theatre.store, terms, connection=self._packed_in, deliveries=sent)
            table = await self._filled_in(list(csv.DictReader(io.StringIO(fetched.csv))))
            self._tables.append(table)
        if not table:
            return False
        told = await import_parcels(self._theatre.store, terms, self._theatre.ids, _as_csv(table), actor=WHO)
        self._wake(told.wake)
        self._write_down_table(table, told)
        return True

    async def _filled_in(self, rows: list[Cells]) -> list[Cells]:
        """Some orders, each in a parcel, or a parcel for each of its rows; some units stay for the next table."""
        names = list(dict.fromkeys(row["order_key"] for row in rows))
        table: list[Cells] = []
        for key in self._chance.sample(names, min(len(names), self._chance.randint(1, 3))):
            mine = [row for row in rows if row["order_key"] == key]
            offered: Counter[str] = Counter()
            for row in mine:
                offered[row["sku"]] += int(row["units"])
            order_id = await self._id_of(key)
            await self._compare((mine[0]["store"], order_id), offered)
            apart = self._chance.random() < 0.4
            self._files += 1
            for number, row in enumerate(mine):
                if number and self._chance.random() < 0.2:
                    continue
                table.append(self._row(row, f"B{self._files}.{number if apart else 0}", order_id))
        return table

    def _row(self, row: Cells, parcel: str, order_id: str) -> Cells:
        units = self._chance.randint(1, int(row["units"])) if self._chance.random() < 0.4 else int(row["units"])
        # One number a parcel: rows of one parcel that get theirs apart would be refused.
        number = "" if self._chance.random() < 0.5 else f"1Z{random.Random(parcel).getrandbits(40):012X}"
        return {
            "order": row["order_key"],
            "sku": row["line_id"],
            "units": str(units),
            "carrier": "UPS" if number else "",
            "tracking_number": number,
            "parcel": parcel,
            "location": row["location"] if self._chance.random() < 0.5 else "",
            "store": row["store"],
            "order_id": order_id,
            "named": row["sku"],
        }

    async def _id_of(self, key: str) -> str:
        terms = self._theatre.bridge.workspaces[WORKSPACE].terms  # type: ignore[union-attr]
        return str((await show_order(self._theatre.store, terms, key)).order.order_id)

    def _write_down_table(self, table: Sequence[Cells], told: Imported) -> None:
        refused = {number for row in told.refused for number in row.lines}
        parcels: dict[tuple[str, str], list[tuple[int, Cells]]] = {}
        for number, row in enumerate(table, start=2):
            parcels.setdefault((row["order"], row["parcel"]), []).append((number, row))
        for (key, parcel), rows in parcels.items():
            if refused.isdisjoint(number for number, _ in rows):
                self._book(f"{key}/{parcel}", [row for _, row in rows])

    def _book(self, parcel_key: str, rows: Sequence[Cells]) -> None:
        number = next((row["tracking_number"] for row in rows if row["tracking_number"]), "")
        known = next((slip for slip in self.slips if slip.parcel_key == parcel_key), None)
        if known is not None:
            known.number = number or known.number
            return
        units: Counter[str] = Counter()
        for row in rows:
            units[row["named"]] += int(row["units"])
        self.slips.append(Slip((rows[0]["store"], rows[0]["order_id"]), parcel_key, units, number))

    async def _compare(self, order: Name, offered: Mapping[str, int]) -> None:
        """What the queue wants sent of an order with what left of it."""
        mine = self._of(order)
        if not mine:
            return
        (client,) = [client for client in self._theatre.clients if client.name == order[0]]
        (shown,) = [one for one in (await client.truth())["orders"] if one["id"] == order[1]]
        for sku in offered_again(shown, mine, offered):
            self.findings.append(f"{order[0]} {shown['name']}: the queue wants {offered[sku]} x {sku} that left sent")

    def _of(self, order: Name) -> list[Slip]:
        return [slip for slip in self.slips if slip.order == order]

    def _number(self) -> str:
        return f"1Z{self._chance.getrandbits(40):012X}"

    def _wake(self, connections: frozenset[ConnectionName]) -> None:
        if self._theatre.bridge is not None:
            self._theatre.bridge.wake(WORKSPACE, connections)


def _by_sku(order: QueuedOrder) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.sku or ""] += line.to_ship
    return units


def _as_csv(table: Sequence[Cells]) -> str:
    text = io.StringIO()
    columns = ("order", "sku", "units", "carrier", "tracking_number", "parcel", "location")
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()
