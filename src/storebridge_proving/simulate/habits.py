"""What is not known of the vendors, as one seed plays it: some switches of the pretend stores stand the other way."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.switches import Switch, all_switches, set_switches, shown
from storebridge_sandbox.wix.quirks import WixQuirks

CHANCE = 0.05
"""Of each switch; a seed plays about three of them the other way."""
COLLECTING = 0.25
"""Of the seeds with copies, those whose shops can be visited, and bring goods."""
DELIVERIES = ("shipping", "shipping", "shipping", "pickup", "local")
NOT_SURVIVED = "the product cannot survive it"
BUDGET = "a smaller budget, with which ten minutes may not do to come to rest"
UNTOUCHED = "nobody in the simulation does what it is about"
KEY_USED_ONCE = "the product sends no refund twice under one key; journeys play it with every lost answer"
HELD_UP = (
    "each write of ours is confirmed after five minutes then; journeys play it, and every seed has the harder replay"
)
TAKE_NO_CHANCE = (UNTOUCHED, KEY_USED_ONCE, HELD_UP)
"""Switches with these reasons take no chance, so that each seed plays what it played before there were any."""
LATER = (
    "shopify.own_writes_are_told",
    "wix.w38_answers_after_ms",
    "shopify.bundle_lines",
    "shopify.builds_tracking_links",
    "shopify.prepared_is_in_progress",
    "shopify.refunds_without_money",
)
"""Switches that came when seeds had been played already: they have dice of their own, so that a seed plays the others
as it did before."""
NOT_DRAWN: Mapping[str, str] = MappingProxyType(
    {
        "S3": NOT_SURVIVED,
        "S7": KEY_USED_ONCE,
        "S8": KEY_USED_ONCE,
        "W2": NOT_SURVIVED,
        "W3": NOT_SURVIVED,
        "W11": "units are gone that no record of the store shows as sold",
        "W13": "the store itself sells more than it has",
        "W14": BUDGET,
        "S23": BUDGET,
        "S37": "a case that stays open tells of it",
        "S41": UNTOUCHED,
        "S47": HELD_UP,
        "W40": UNTOUCHED,
        "W43": UNTOUCHED,
        "W44": UNTOUCHED,
        "G1": "drawn apart, under guarded only",
        "G2": "drawn apart, under guarded only",
        "G3": "buying past the guard is drawn by the shoppers",
        "G4": "drawn apart, under guarded only",
    }
)
"""Assumptions that the simulation leaves as they are, each with its reason."""
NOT_DRAWN_WITH_COPIES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "shopify.fulfilling_bypassed_moves_stock",
            "shopify.editing_bypassed_moves_stock",
            "wix.w9_imports_take_stock",
            "wix.w10_imported_restocks_unasked",
        ),
        NOT_SURVIVED,
    )
)
"""Switches, by name, by which copies move stock: in a storm the product takes some of that for edits by staff."""


def draw_habits(seed: int, policy: str, *, copies: bool = False) -> tuple[ShopifyOptions, WixQuirks]:
    """How both stores behave under a seed, where nobody knows."""
    shopify, wix = set_switches(drawn_switches(seed, copies=copies))
    if policy != "guarded":
        return shopify, wix
    chance = random.Random(f"guard-{seed}")
    return shopify, dataclasses.replace(
        wix,
        g1_called_at_placement=chance.random() < 0.7,
        g2_passes_without_answer=chance.random() < 0.3,
        g2_timeout_seconds=chance.choice((2.0, 5.0)),
        g4_own_stock_check=chance.choice(("before", "after")),
    )


def drawn_switches(seed: int, *, copies: bool = False) -> dict[str, Any]:
    """The switches that a seed plays the other way, by name."""
    touched = {name: one for name, one in all_switches().items() if NOT_DRAWN.get(one.assumption) not in TAKE_NO_CHANCE}
    later = {name: touched.pop(name) for name in LATER}
    drawn = _drawn(random.Random(f"habits-{seed}"), touched, copies=copies)
    return drawn | _drawn(random.Random(f"later-habits-{seed}"), later, copies=copies)


def _drawn(chance: random.Random, switches: Mapping[str, Switch], *, copies: bool) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    for name, switch in switches.items():
        plays, value = chance.random() < CHANCE, chance.choice(switch.others)
        if plays and switch.assumption and not reason_not_drawn(switch, copies=copies):
            drawn[name] = value
    return drawn


def reason_not_drawn(switch: Switch, *, copies: bool = False) -> str:
    """Why a switch is left as it is; empty where it is drawn."""
    apart = NOT_DRAWN_WITH_COPIES.get(switch.name, "") if copies else ""
    return NOT_DRAWN.get(switch.assumption, apart)


def told(drawn: Mapping[str, Any]) -> tuple[str, ...]:
    """As they can be typed behind ``sandbox --switch``."""
    return tuple(f"{name}={shown(value)}" for name, value in sorted(drawn.items()))


def draw_deliveries(seed: int, *, copies: bool) -> Callable[[], str]:
    """How buyers want their goods: in a quarter of the seeds with copies some collect them, or have them brought. It
    has dice of its own, so that the others, and with them every seed that a test names, play what they did before."""
    if not copies or random.Random(f"van-{seed}").random() >= COLLECTING:
        return lambda: "shipping"
    dice = random.Random(f"delivery-{seed}")
    return lambda: dice.choice(DELIVERIES)


def draw_express_share(seed: int, policy: str, faults: str) -> float:
    """The part of Wix's orders that goes past its checkout's guard (G3): a tenth in a quarter of the guarded seeds, but
    for calm ones."""
    if policy != "guarded" or faults == "none":
        return 0.0
    return random.Random(f"express-{seed}").choice((0.0, 0.0, 0.0, 0.1))
