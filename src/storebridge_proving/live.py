"""The demo as it happens: what a person watching wants to see, in one panel."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

ESCROW_NOTE = (
    "Under escrow each store holds its own share of the goods: a sale in one store lowers the other only "
    "when shares are rebalanced, so levels differ on purpose and nothing can be sold twice."
)
MIRROR_NOTE = (
    "Under mirror every store shows all that is left: two shoppers who buy the last unit within the same moment can "
    "oversell it. Where that must not be: --policy escrow."
)
NOTES = {"escrow": ESCROW_NOTE, "mirror": MIRROR_NOTE}


class Tally:
    """What is left of every pool, kept up from the stores' new movements; for the eye, not for the verdict."""

    def __init__(self, openings: Mapping[str, Mapping[str, Any]], system_of_record: str) -> None:
        self._left: dict[str, int] = {}
        self._levels: dict[str, dict[tuple[str, str], int]] = {store: {} for store in openings}
        self.units_sold = 0
        self._owed: dict[str, int] = {}
        self._oversold: dict[str, int] = {}
        for level in openings[system_of_record]["levels"]:
            self._left[level["sku"]] = self._left.get(level["sku"], 0) + level["available"]
        self._owed = {sku: -left for sku, left in self._left.items() if left < 0}
        for store, opening in openings.items():
            self._see_levels(store, opening)

    def see(self, store: str, news: Mapping[str, Any]) -> None:
        """Take in one answer to ``truth?since_movement=N``."""
        self._see_levels(store, news)
        for movement in news["movements"]:
            if movement["cause"] not in ("api", "transfer"):
                self._move(movement["sku"], movement["delta"])
            if movement["cause"] == "sale":
                self.units_sold -= movement["delta"]

    def book(self, sku: str, units: int) -> None:
        """Goods were booked with the bridge."""
        self._move(sku, units)

    @property
    def oversold(self) -> int:
        return sum(self._oversold.values())

    def out_of_step(self, policy: str) -> int:
        """SKUs whose levels do not agree with what is left at this moment; a few are always on their way."""
        shown = {store: self._by_sku(store) for store in self._levels}
        shared = set.intersection(*(set(levels) for levels in shown.values())) & set(self._left)
        left = {sku: self._left[sku] + self._owed.get(sku, 0) for sku in shared}
        return sum(_differs([levels[sku] for levels in shown.values()], left[sku], policy) for sku in shared)

    def _by_sku(self, store: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for (sku, _), available in self._levels[store].items():
            sums[sku] = sums.get(sku, 0) + available
        return sums

    def _see_levels(self, store: str, news: Mapping[str, Any]) -> None:
        for level in news["levels"]:
            self._levels[store][level["sku"], level["location_id"]] = level["available"]

    def _move(self, sku: str, units: int) -> None:
        if sku in self._left:
            self._left[sku] += units
            short = max(0, -self._left[sku])
            owed = self._owed[sku] = min(self._owed.get(sku, 0), short)
            self._oversold[sku] = max(self._oversold.get(sku, 0), short - owed)


def _differs(shown: list[int], left: int, policy: str) -> bool:
    if policy in ("mirror", "guarded"):
        return any(level != max(0, left) for level in shown)
    return sum(shown) != left if policy == "escrow" else not max(shown) <= left <= sum(shown)


@dataclass(slots=True)
class Picture:
    """One moment of the demo."""

    policy: str
    console_url: str
    seconds_left: float = 0.0
    phase: str = "starting"
    health: Mapping[str, str] = field(default_factory=dict)
    events_per_second: float = 0.0
    p50_ms: float | None = None
    p95_ms: float | None = None
    units_sold: int = 0
    oversold: int = 0
    out_of_step: int = 0
    news: deque[str] = field(default_factory=lambda: deque(maxlen=8))


def draw(picture: Picture) -> RenderableType:
    """The live panel."""
    table = Table.grid(padding=(0, 3))
    health = "   ".join(f"{store}: {state}" for store, state in picture.health.items())
    table.add_row("stores", health or "…")
    table.add_row("webhooks", f"{picture.events_per_second:.1f} a second")
    table.add_row("propagation", f"p50 {_ms(picture.p50_ms)}   p95 {_ms(picture.p95_ms)}")
    table.add_row("units sold", str(picture.units_sold))
    table.add_row("oversold", Text(str(picture.oversold), style="bold red" if picture.oversold else "green"))
    table.add_row("SKUs out of step now", str(picture.out_of_step))
    news = Text("\n".join(picture.news) or "nothing yet", style="dim", overflow="ellipsis")
    note = [Text(NOTES[picture.policy], style="italic")] if picture.policy in NOTES else []
    title = f"storebridge demo · {picture.policy} · {picture.phase} · console {picture.console_url}"
    return Panel(Group(table, Text(), news, *note), title=title, subtitle=f"{picture.seconds_left:.0f} s left")


def draw_report(report: Mapping[str, Any], findings: list[str]) -> RenderableType:
    """The final report as a panel, with a sentence for each fault that was found."""
    table = Table.grid(padding=(0, 3))
    orders, events, spread = report["orders"], report["events"], report["propagation_ms"]
    table.add_row("orders", ", ".join(f"{store} {count}" for store, count in orders.items()))
    table.add_row("units sold", str(report["units_sold"]))
    table.add_row("units oversold", str(report["units_oversold"]))
    table.add_row("SKUs disagreeing", f"{report['skus_disagreeing']} of {report['skus']}, {report['held']} held")
    table.add_row("deliveries", ", ".join(f"{name} {count}" for name, count in events.items()))
    if "checkouts" in report:
        asked = report["checkouts"]
        table.add_row("checkouts", f"asked {asked['asked']}, not answered {asked['unanswered']}, now {asked['guard']}")
    table.add_row(
        "propagation",
        f"n {spread['n']}   p50 {_ms(spread['p50'])}   p95 {_ms(spread['p95'])}   p99 {_ms(spread['p99'])}",
    )
    if events["open_exceptions"]:
        table.add_row("open cases", f"{events['open_exceptions']}: what storebridge would ask a person")
    shown = [Text(sentence, style="red") for sentence in findings[:12]]
    note = [Text(NOTES[report["policy"]], style="italic")] if report["policy"] in NOTES else []
    return Panel(Group(table, *shown, *note), title=f"storebridge demo · {report['policy']} · report")


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"
