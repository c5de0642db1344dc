"""Simulated shoppers and staff: they buy, cancel, ship, refund, take back and correct, at a rate, from a
seed.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from storebridge.clock import Clock
from storebridge_proving.store_client import CartLine, SoldOut, StoreClient, StoreRefused, Window

Deed = Literal["buy", "buy_unpaid", "cancel", "fulfil", "refund", "give_back", "adjust", "edit"]

IDLE = frozenset({"nothing_to_do", "refused", "sold_out"})
"""Outcomes that changed nothing in a store."""
FIRST_NAMES = ("Ada", "Björn", "Chiara", "Dmitri", "Esra", "Farah", "Goran", "Hana", "Íñigo", "Jun")
LAST_NAMES = ("Okafor", "Lindqvist", "Moreau", "Nowak", "O'Brien", "Papadaki", "Quispe", "Rossi", "Sato")


@dataclass(frozen=True, slots=True)
class CrowdPlan:
    """How busy it is. ``weights`` are relative; a share ``hot_share`` of the SKUs draws ``hot_pull`` of the
    buys.
    """

    events_per_second: float
    weights: Mapping[Deed, float] = field(
        default_factory=lambda: {
            "buy": 78.0,
            "buy_unpaid": 4.0,
            "cancel": 5.0,
            "fulfil": 6.0,
            "refund": 3.0,
            "give_back": 2.0,
            "adjust": 2.0,
        }
    )
    hot_share: float = 0.1
    hot_pull: float = 0.5
    most_lines: int = 3
    most_units: int = 3
    edit_needs_level: int = 8
    """Staff corrects only counters that show at least so many, so that no edit takes what a shopper holds."""
    edit_up_to: int = 3
    express_share: float = 0.0
    """The part of the buys that takes an express wallet, about which no plugin of the checkout is asked (G3)."""


@dataclass(slots=True)
class _Sale:
    order_id: str
    lines: list[CartLine]
    state: Literal["open", "shipped"] = "open"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A shopper who was sent away empty-handed."""

    store: str
    sku: str
    wanted: int
    at: datetime


Recipes = Mapping[str, Mapping[str, int]]
"""Units of each component in one bundle, by the bundle's SKU."""


class Crowd:
    """Everybody who touches the two stores by hand."""

    def __init__(
        self,
        stores: Sequence[StoreClient],
        skus: Sequence[str],
        plan: CrowdPlan,
        *,
        chance: random.Random,
        clock: Clock,
        tell: Callable[[str], None] = lambda _: None,
        made_up: Mapping[str, Recipes] | None = None,
        delivery: Callable[[], str] = lambda: "shipping",
    ) -> None:
        """``made_up`` are bundles that a store makes up itself, by store: its orders name the components. ``delivery``
        says how the next buyer wants the goods."""
        self._delivery = delivery
        self._made_up = made_up or {}
        self._stores = list(stores)
        self._windows = {store.name: Window(store) for store in stores}
        self._plan = plan
        self._chance = chance
        self._clock = clock
        self._tell = tell
        shuffled = chance.sample(list(skus), len(skus))
        hot = max(1, round(len(shuffled) * plan.hot_share))
        self._hot, self._cold = shuffled[:hot], shuffled[hot:] or shuffled
        self._sales: dict[str, list[_Sale]] = {store.name: [] for store in stores}
        self.events = 0
        self.done: dict[str, int] = {}
        self.refusals: list[Refusal] = []
        self._stopped = False

    async def run(self) -> None:
        """Act until ``stop`` is called. A store that takes its time does not make the day quieter: whoever came late
        acts at once."""
        due = self._clock.monotonic()
        while not self._stopped:
            due += self._chance.expovariate(self._plan.events_per_second)
            await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
            await self.act()

    def stop(self) -> None:
        """Nobody acts any more after the deed under way."""
        self._stopped = True

    async def act(self) -> None:
        """One deed in one store; what the store does not allow counts as refused."""
        store = self._chance.choice(self._stores)
        (deed,) = self._chance.choices(list(self._plan.weights), list(self._plan.weights.values()))
        self.events += 1
        try:
            acted = await self._deeds()[deed](store)
        except SoldOut as short:
            self._count("sold_out")
            self._tell(f"{store.name}: {short.sku} is sold out, a shopper leaves")
            return
        except StoreRefused:
            self._count("refused")
            return
        self._count(deed if acted else "nothing_to_do")

    @property
    def happened(self) -> int:
        """Deeds so far that changed something in a store."""
        return sum(count for deed, count in self.done.items() if deed not in IDLE)

    def _deeds(self) -> dict[Deed, Callable[[StoreClient], Awaitable[bool]]]:
        return {
            "buy": self._buy,
            "buy_unpaid": self._buy_unpaid,
            "cancel": self._cancel,
            "fulfil": self._fulfil,
            "refund": self._refund,
            "give_back": self._give_back,
            "adjust": self._adjust,
            "edit": self._edit,
        }

    def _count(self, deed: str) -> None:
        self.done[deed] = self.done.get(deed, 0) + 1

    async def _buy(self, store: StoreClient, *, paid: bool = True) -> bool:
        lines = self._fill_cart()
        try:
            buyer, channel, delivery = self._customer(), self._channel(), self._delivery()
            order_id = await store.checkout(lines, buyer, paid=paid, channel=channel, delivery=delivery)
        except SoldOut as short:
            wanted = [line.quantity for line in lines if line.sku == short.sku]
            if wanted:  # else a component, of which the basket's bundle had taken the rest
                self.refusals.append(Refusal(store.name, short.sku, wanted[0], self._clock.now()))
            raise
        self._sales[store.name].append(_Sale(order_id, self._as_sold(store, lines)))
        bought = ", ".join(f"{line.quantity} × {line.sku}" for line in lines)
        self._tell(f"{store.name}: sold {bought}")
        return True

    async def _buy_unpaid(self, store: StoreClient) -> bool:
        return await self._buy(store, paid=False)

    async def _cancel(self, store: StoreClient) -> bool:
        sale = self._take(store, "open")
        if sale is None:
            return False
        await store.cancel(sale.order_id, restock=self._chance.random() < 0.9)
        self._tell(f"{store.name}: an order over {_units(sale)} units was cancelled")
        return True

    async def _fulfil(self, store: StoreClient) -> bool:
        sale = self._take(store, "open")
        if sale is None:
            return False
        number = f"1Z{self._chance.getrandbits(40):012X}"
        await store.fulfil(
            sale.order_id, {"company": "UPS", "number": number, "url": f"https://track.example/{number}"}
        )
        sale.state = "shipped"
        self._sales[store.name].append(sale)
        return True

    async def _refund(self, store: StoreClient) -> bool:
        return await self._reverse(store, "open", store.refund, "refunded")

    async def _give_back(self, store: StoreClient) -> bool:
        return await self._reverse(store, "shipped", store.give_back, "given back")

    async def _reverse(
        self,
        store: StoreClient,
        state: Literal["open", "shipped"],
        call: Callable[[str, Sequence[CartLine]], Awaitable[None]],
        word: str,
    ) -> bool:
        sale = self._take(store, state)
        if sale is None:
            return False
        line = self._chance.choice(sale.lines)
        back = CartLine(line.sku, self._chance.randint(1, line.quantity), self._chance.random() < 0.8)
        await call(sale.order_id, [back])
        self._tell(f"{store.name}: {back.quantity} × {back.sku} {word}")
        return True

    async def _edit(self, store: StoreClient) -> bool:
        """One line of an order gets another quantity, or another SKU comes in; more only of what is there, because an
        edit takes units without a look at the level."""
        sale = self._take(store, "open")
        if sale is None:
            return False
        window = self._windows[store.name]
        await window.look()
        had = await _still_wanted(store, sale)
        sku = self._chance.choice([*had, self._pick_sku()])
        enough = window.levels.get(sku, 0) >= self._plan.edit_needs_level
        most = self._plan.most_units if enough else had.get(sku, 0)
        changed = CartLine(sku, self._chance.randint(1, most) if most else 0)
        if not changed.quantity:
            self._sales[store.name].append(sale)
            return False
        await store.edit(sale.order_id, [changed])
        sale.lines = [*(line for line in sale.lines if line.sku != sku), changed]
        self._sales[store.name].append(sale)
        self._tell(f"{store.name}: staff edited an order: {changed.quantity} × {sku}")
        return True

    async def _adjust(self, store: StoreClient) -> bool:
        window = self._windows[store.name]
        await window.look()
        everything, least = (*self._hot, *self._cold), self._plan.edit_needs_level
        enough = [sku for sku in everything if window.levels.get(sku, 0) >= least]
        if not enough:
            return False
        sku = self._chance.choice(enough)
        delta = self._chance.choice((-1, 1)) * self._chance.randint(1, self._plan.edit_up_to)
        await store.adjust(sku, delta)
        self._tell(f"{store.name}: staff corrected {sku} by {delta:+d}")
        return True

    def _take(self, store: StoreClient, state: str) -> _Sale | None:
        """An order in that state, which nobody else will act on meanwhile."""
        sales = self._sales[store.name]
        fitting = [number for number, sale in enumerate(sales) if sale.state == state]
        return sales.pop(self._chance.choice(fitting)) if fitting else None

    def _fill_cart(self) -> list[CartLine]:
        count = min(self._chance.randint(1, self._plan.most_lines), len(self._hot) + len(self._cold))
        skus = dict.fromkeys(self._pick_sku() for _ in range(count))
        return [CartLine(sku, self._chance.randint(1, self._plan.most_units)) for sku in skus]

    def _as_sold(self, store: StoreClient, lines: Sequence[CartLine]) -> list[CartLine]:
        """The lines by which the store knows the order from now on."""
        recipes = self._made_up.get(store.name, {})
        return [
            part
            for line in lines
            for part in (
                [CartLine(sku, line.quantity * units) for sku, units in recipes[line.sku].items()]
                if line.sku in recipes
                else [line]
            )
        ]

    def _pick_sku(self) -> str:
        hot = self._chance.random() < self._plan.hot_pull
        return self._chance.choice(self._hot if hot else self._cold)

    def _channel(self) -> str:
        return "express" if self._plan.express_share and self._chance.random() < self._plan.express_share else "web"

    def _customer(self) -> dict[str, str]:
        first, last = self._chance.choice(FIRST_NAMES), self._chance.choice(LAST_NAMES)
        number = self._chance.randrange(10_000)
        return {
            "email": f"shopper{number}@mail.example",
            "phone": f"+1415555{number:04d}",
            "first_name": first,
            "last_name": last,
        }


async def _still_wanted(store: StoreClient, sale: _Sale) -> dict[str, int]:
    """Units per SKU as the store shows them: somebody else may have given some back."""
    (order,) = [one for one in (await store.truth())["orders"] if one["id"] == sale.order_id]
    return {line["sku"]: line["quantity"] - line["cancelled"] - line["refunded"] for line in order["lines"]}


def _units(sale: _Sale) -> int:
    return sum(line.quantity for line in sale.lines)
