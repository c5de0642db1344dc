"""What nobody could verify of the vendors is drawn per seed; what is not drawn says why."""

from __future__ import annotations

from pathlib import Path

from storebridge_proving.simulate.habits import (
    NOT_DRAWN,
    NOT_DRAWN_WITH_COPIES,
    NOT_SURVIVED,
    draw_habits,
    drawn_switches,
    told,
)
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.switches import all_switches
from storebridge_sandbox.wix.quirks import WixQuirks

ASSUMPTIONS = Path(__file__).parents[2] / "docs" / "assumptions.md"


def test_every_assumption_is_drawn_in_some_seed_or_says_why_not() -> None:
    numbered = {name for name, one in all_switches().items() if one.assumption}
    kept = {name for name in numbered if all_switches()[name].assumption in NOT_DRAWN}
    drawn = {name for seed in range(400) for name in drawn_switches(seed)}
    assert drawn == numbered - kept
    assert all(len(reason) > 20 for reason in (*NOT_DRAWN.values(), *NOT_DRAWN_WITH_COPIES.values()))


def test_a_seed_plays_the_same_whenever_it_is_played_and_few_things_at_once() -> None:
    counts = [len(drawn_switches(seed)) for seed in range(400)]
    assert draw_habits(7, "escrow") == draw_habits(7, "escrow")
    assert 2.0 < sum(counts) / len(counts) < 4.0
    assert min(counts) == 0


def test_what_is_drawn_stands_in_the_stores_and_can_be_typed() -> None:
    seed = next(seed for seed in range(400) if "shopify.batch_is_atomic" in drawn_switches(seed))
    shopify, _wix = draw_habits(seed, "escrow")
    assert shopify.batch_is_atomic is False
    assert "shopify.batch_is_atomic=false" in told(drawn_switches(seed))


def test_with_copies_all_is_drawn_but_what_the_product_cannot_survive_there() -> None:
    without, drawn = (
        {name for seed in range(400) for name in drawn_switches(seed, copies=copies)} for copies in (False, True)
    )
    assert without - drawn == {*NOT_DRAWN_WITH_COPIES}
    assert {"shopify.recorded_payments_are_refundable", "wix.w9_import_fires_standard_events"} <= drawn
    assert any(draw_habits(seed, "mirror", copies=True) != (ShopifyOptions(), WixQuirks()) for seed in range(9))


def test_what_the_product_cannot_survive_is_named_on_the_page_of_assumptions() -> None:
    entries = ASSUMPTIONS.read_text(encoding="utf-8").split("\n### ")[1:]
    named = {entry.split(":")[0] for entry in entries if "**Cannot survive**" in entry}
    with_copies = {all_switches()[name].assumption for name in NOT_DRAWN_WITH_COPIES}
    assert named == {name for name, reason in NOT_DRAWN.items() if reason == NOT_SURVIVED} | with_copies
