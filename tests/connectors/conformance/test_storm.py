"""In a storm of faults, bytes that are resent until they are answered take effect once, or not at all and say so."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from two_stores import Bench, outcomes, with_store, write_of

from storebridge.connectors.port import CallAnswer, CallTrouble, Remedy, RowOutcome
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

Answer = TypeVar("Answer")
WRITES = 40
MOST_TRIES = 60
RESENT = {Remedy.RETRY, Remedy.SLOW_DOWN, Remedy.UNKNOWN_OUTCOME}


async def until_answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer, however often it has to be asked for; only what may be asked again is."""
    for _ in range(MOST_TRIES):
        try:
            return await ask()
        except CallTrouble as trouble:
            if trouble.remedy not in RESENT:
                raise
            await asyncio.sleep(max(trouble.retry_after_seconds or 0.0, 1.0))
    raise AssertionError("never answered")


async def api_moves(bench: Bench, sku: str) -> list[int]:
    return [delta for delta, cause in await bench.moves(sku) if cause == "api"]


async def write_once(bench: Bench, sku: str, item: str, chance: random.Random, number: int) -> CallAnswer:
    """One write in the storm, after which nothing of it is under way any more."""
    read = await until_answered(lambda: bench.connector.read_levels([item]))  # type: ignore[list-item]
    reading = max(read.readings, key=lambda one: one.available or 0)
    target = (reading.available or 0) + chance.choice((-2, -1, 1, 2, 3))
    call = bench.connector.encode_stock_call([write_of(reading, target)], f"key-{number}", f"call_{number}")
    before = await api_moves(bench, sku)
    if chance.random() < 0.3:
        await bench.buy(sku, 1)
    answer = await until_answered(lambda: bench.connector.send_stock_call(call))
    await asyncio.sleep(bench.connector.capabilities.late_landing_seconds + 1)
    gained = (await api_moves(bench, sku))[len(before) :]

    assert gained in ([], [target - (reading.available or 0)])
    assert outcomes(answer)[0] in (RowOutcome.APPLIED, RowOutcome.STALE, RowOutcome.NOT_TRIED)
    if outcomes(answer) == [RowOutcome.APPLIED]:
        assert len(gained) == 1
    if outcomes(answer) == [RowOutcome.NOT_TRIED]:
        assert gained == []
    return answer


def storm(seed: int) -> Callable[[Bench], Awaitable[None]]:
    """Forty writes of three counters in bad weather."""

    async def play(bench: Bench) -> None:
        chance = random.Random(f"storm-{seed}")
        await asyncio.sleep(5.0)  # goods that were just made are hidden for as long as queries lag (W15)
        chosen = await bench.in_stock(count=3, at_least=8)
        for sku, reading in chosen:
            await bench.call("POST", "adjust", {"sku": sku, "location_id": reading.location_id, "set": 60})
        await bench.fail_with(profile="storm")
        seen: set[RowOutcome] = set()
        for number in range(WRITES):
            sku, reading = chance.choice(chosen)
            answer = await write_once(bench, sku, reading.item_id, chance, number)
            seen.update(outcomes(answer))

        assert {RowOutcome.APPLIED, RowOutcome.STALE} <= seen

    return play


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["shopify", "wix"])
def test_no_write_takes_effect_twice(kind: str, seed: int) -> None:
    with_store(kind, storm(seed), seed=seed)


@pytest.mark.parametrize(
    "options",
    [
        ShopifyOptions(stale_code=None),
        ShopifyOptions(stale_code="COMPARE_QUANTITY_STALE", batch_is_atomic=False),
        ShopifyOptions(key_trouble="top_level"),
        ShopifyOptions(user_error_burns_key=False),
        ShopifyOptions(replay_answer="stored", throttled_status=429),
        ShopifyOptions(new_token_retires_old=True, token_seconds=400.0),
    ],
    ids=repr,
)
def test_nor_where_shopify_behaves_otherwise_than_is_believed(options: ShopifyOptions) -> None:
    with_store("shopify", storm(11), seed=11, shopify=options)


@pytest.mark.parametrize(
    "quirks",
    [
        WixQuirks(w1_stale_status=400),
        WixQuirks(w1_stale_status=428, w1_stale_code="ALREADY_CHANGED"),
        WixQuirks(w7_bulk_is_all_or_nothing=True),
        WixQuirks(w14_retry_after_seconds=20),
        WixQuirks(w15_query_lag_ms=(0, 3000)),
        WixQuirks(w17_token_seconds=400),
    ],
    ids=repr,
)
def test_nor_where_wix_does(quirks: WixQuirks) -> None:
    with_store("wix", storm(11), seed=11, wix=WixOptions(quirks=quirks))
