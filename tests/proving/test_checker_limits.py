"""What the checker forgives: units that no counter of a vendor takes, and goods that were sold past a checkout's guard.
And nothing beside them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storebridge_proving.checker.records import Records
from storebridge_proving.checker.report import Verdict, judge
from storebridge_proving.simulate.system import _Play
from storebridge_proving.virtual_time import VirtualClock

Json = dict[str, Any]
FULL = 99_999


def at(seconds: float) -> str:
    return f"2026-03-02T08:00:{seconds:09.6f}Z"


def truth(levels: Json, movements: list[Json] | None = None, orders: list[Json] | None = None) -> Json:
    """A level may be a list: one number for each location."""
    rows = [
        {"sku": sku, "variant_id": f"v-{sku}", "location_id": f"L{place}", "available": available}
        for sku, told in levels.items()
        for place, available in enumerate(told if isinstance(told, list) else [told])
    ]
    return {"now": at(59), "levels": rows, "orders": orders or [], "movements": movements or []}


def moved(seconds: float, delta: int, cause: str, sku: str = "A") -> Json:
    place = {"sku": sku, "location_id": "L0", "delta": delta, "cause": cause, "actor": "", "ref": ""}
    return {"at": at(seconds), **place}


def order(seconds: float, *skus: str, past: bool) -> Json:
    nothing = dict.fromkeys(("cancelled", "refunded", "restocked", "fulfilled"), 0)
    lines = [{"sku": sku, "quantity": 1, **nothing} for sku in skus]
    made: Json = {"id": f"o{seconds}", "created_at": at(seconds), "cancelled_at": None, "origin": None}
    return {**made, "past_guard": past, "lines": lines, "fulfilments": [], "refunds": []}


def verdict(shopify: Json, wix: Json, policy: str, **more: Any) -> Verdict:
    return judge(Records({"shopify": shopify, "wix": wix}, "shopify", **more), policy)


@pytest.mark.parametrize("policy", ["mirror", "guarded", "escrow", "hybrid"])
@pytest.mark.parametrize(
    ("wix", "complains"),
    [
        (FULL, ()),
        (FULL - 1, ("mirror", "guarded", "escrow")),
        (0, ("mirror", "guarded", "escrow")),
        ([FULL, 1], ("mirror", "guarded", "escrow", "hybrid")),
    ],
)
def test_a_full_counter_is_as_it_should_be_and_a_lower_one_is_not(policy: str, wix: Any, complains: Any) -> None:
    """Of 150,000 units; with a second location there is room for all of them."""
    rest = 150_000 - FULL if policy == "escrow" else 150_000
    shopify = truth({"A": rest}, [moved(1, rest - 150_000, "api")] if rest < 150_000 else [])
    shopify["levels"][0]["available"] = rest
    found = verdict(shopify, truth({"A": wix}), policy)
    if policy == "hybrid" and isinstance(wix, list):
        assert found.findings == [], "hybrid shows between a share and all"
    else:
        assert bool(found.skus_disagreeing) is (policy in complains), found.findings


def test_goods_for_two_full_counters_fill_both() -> None:
    shopify = truth({"A": 250_000})
    assert verdict(shopify, truth({"A": [FULL, FULL]}), "mirror").findings == []
    assert verdict(shopify, truth({"A": [FULL, 99_998]}), "mirror").findings == [
        "A: shown [250000, 199997], left 250000"
    ]


def test_what_no_counter_takes_at_all_is_missing_nowhere_and_one_unit_less_is() -> None:
    most = 1_000_000_000
    shopify = truth({"A": most}, [moved(1, -200_000, "api")])
    for policy in ("escrow", "hybrid"):
        assert verdict(shopify, truth({"A": FULL}), policy).findings == []
        less = verdict(shopify, truth({"A": FULL - 1}), policy).findings
        assert less == [
            f"A: shown [{most}, {FULL - 1}], together {'not' if policy == 'escrow' else 'less than'} {most + 200_000}"
        ]


def test_a_bundle_is_shown_as_often_as_its_counter_takes() -> None:
    shopify = truth({"A": 150_000})
    records = {"bundles": {"SET": {"A": 1}}}
    assert verdict(shopify, truth({"A": FULL, "SET": FULL}), "mirror", **records).findings == []
    short = verdict(shopify, truth({"A": FULL, "SET": 5}), "mirror", **records)
    assert short.skus_disagreeing == 1


def test_a_sale_that_a_full_counter_does_not_show_calls_for_no_write_there() -> None:
    shopify = truth({"A": 149_990}, [moved(1, -10, "sale"), moved(3, -49_991 - 10, "sale")])
    shopify["levels"][0]["available"] = 99_989
    wix = truth({"A": 99_989}, [moved(5, -10, "api")])
    assert verdict(shopify, wix, "mirror").propagation_ms["n"] == 1


def oversold_twice(*orders: Json) -> Verdict:
    """The last A and the last B, sold in both stores; Shopify's first."""
    shopify = truth({"A": 0, "B": 0}, [moved(1, -1, "sale"), moved(1, -1, "sale", "B")])
    wix = truth({"A": 0, "B": 0}, [moved(2, -1, "sale"), moved(2, -1, "sale", "B")], list(orders))
    return verdict(shopify, wix, "hybrid")


def test_only_goods_of_an_order_that_went_past_the_guard_are_exposed() -> None:
    found = oversold_twice(order(2, "A", past=True), order(2, "B", past=False))
    assert (found.units_oversold, found.findings[:2]) == (2, ["A: 1 oversold past the guard", "B: 1 oversold"])
    assert oversold_twice(order(2, "A", "B", past=True)).findings[:2] == [
        "A: 1 oversold past the guard",
        "B: 1 oversold past the guard",
    ]


def test_what_was_oversold_before_the_first_order_went_past_is_no_doing_of_it() -> None:
    assert oversold_twice(order(3, "A", past=True)).findings[:2] == ["A: 1 oversold", "B: 1 oversold"]


def test_a_bundle_that_was_sold_past_the_guard_exposes_its_components_and_nobody_else() -> None:
    nothing = {"bundles": {"SET": {"A": 1}}}
    shopify = truth({"A": 0, "B": 0}, [moved(1, -1, "sale"), moved(1, -1, "sale", "B")])
    wix = truth(
        {"A": 0, "B": 0, "SET": 0},
        [moved(2, -1, "sale", "SET"), moved(2, -1, "sale", "B")],
        [order(2, "SET", past=True)],
    )
    found = verdict(shopify, wix, "hybrid", **nothing)
    assert found.findings[:2] == ["A: 1 oversold past the guard", "B: 1 oversold"]


@pytest.mark.parametrize(
    ("policy", "broken"),
    [
        ("guarded", ["B: 1 oversold"]),
        ("escrow", ["B: 1 oversold"]),
        ("mirror", []),
        ("hybrid", []),
    ],
)
def test_a_seed_reports_an_oversell_of_goods_that_nobody_bought_past_the_guard(policy: str, broken: list[str]) -> None:
    """A planted fault: B is sold twice although only A went past."""
    found = oversold_twice(order(2, "A", past=True), order(2, "B", past=False))

    async def judged() -> list[str]:
        play = _Play(VirtualClock(asyncio.get_running_loop()), 1, policy, "storm")
        return play._broken_promises(found, True, [])

    assert asyncio.run(judged()) == broken
