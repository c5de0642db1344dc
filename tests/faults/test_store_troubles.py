"""A store that is down, slow, deaf or refuses us: nothing is lost, and a person is told what only a person can mend."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from builders.journeys import MAIN, REAL_PACE, Goods, Journey, travel
from storebridge.operations.show_status import show_status

STORES = pytest.mark.parametrize(("troubled", "other"), [("shopify", "wix"), ("wix", "shopify")])


def test_dropped_subscriptions_are_noticed_restored_and_swept_for() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert await journey.cases("subscription_removed", state=None) == []  # the first subscribing is no news
        await journey.buy("shopify", 1)
        await journey.shopify.adjust("A", 1)
        await journey.pass_time(60.0)
        dropped = await journey.sandbox("shopify", "DELETE", "subscriptions")
        assert dropped["dropped"] > 0
        await journey.buy("shopify", 3)  # nobody tells us of it
        await journey.pass_time(700.0)
        assert len(journey.stores.shopify.subscriptions.all) == dropped["dropped"]
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        (case,) = await journey.cases("subscription_removed", state=None)
        assert case.payload is not None
        assert len(case.payload["topics"]) == dropped["dropped"]
        heard = len(await journey.shopify.webhooks())
        await journey.buy("shopify", 1)
        await journey.pass_time(20.0)
        assert len(await journey.shopify.webhooks()) > heard
        assert await journey.levels() == {"shopify": 6, "wix": 6}

    travel(play, subscription_check_seconds=300.0)


def test_a_first_subscribing_that_breaks_off_half_way_is_no_removal() -> None:
    async def play(journey: Journey) -> None:
        refused = {"http_5xx": 0.4, "http_5xx_applied": 0.0}
        rule = {"operation": "webhookSubscriptionCreate", "calls": 10, "rates": refused}
        await journey.faults("shopify", rules=[rule])
        await journey.begin(settle=300.0)
        fates = [call["fate"] for call in await journey.shopify.requests() if call["operation"] == rule["operation"]]
        assert fates[0] is None, "one is there before the first look breaks off"
        assert "http_5xx" in fates
        assert await journey.cases("subscription_removed", state=None) == []

    travel(play)


def test_one_dropped_subscription_is_a_case_until_all_are_there() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        subscriptions = journey.stores.shopify.subscriptions.all
        gone = next(key for key, one in subscriptions.items() if one.topic == "inventory_levels/update")
        del subscriptions[gone]
        await journey.pass_time(310.0)
        (case,) = await journey.cases("subscription_removed")
        assert case.payload is not None
        assert case.payload["topics"] == ["inventory_levels/update"]
        assert "inventory_levels/update" in {one.topic for one in subscriptions.values()}
        await journey.pass_time(310.0)
        assert await journey.reasons() == []

    travel(play, subscription_check_seconds=300.0)


@STORES
def test_a_revoked_token_is_renewed_unseen(troubled: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.sandbox(troubled, "POST", "tokens/revoke")
        await journey.buy(other, 2)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []

    travel(play)


@STORES
def test_refused_credentials_are_a_case_and_all_is_caught_up_afterwards(troubled: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        mend = _spoil_credentials(journey, troubled)
        await journey.sandbox(troubled, "POST", "tokens/revoke")
        await journey.buy(other, 2)
        await journey.buy(troubled, 1)
        await journey.pass_time(300.0)
        assert "credentials_refused" in await journey.reasons()
        assert await journey.rows(f"select health from connections where connection = '{troubled}'") == [
            ("unauthorized",)
        ]
        assert await journey.levels() == {troubled: 9, other: 8}
        mend()
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.reasons() == []
        assert await journey.stock_writes(troubled) == 1

    travel(play)


def _spoil_credentials(journey: Journey, name: str) -> Callable[[], None]:
    """The vendor does not know our secret any more; returns what makes it known again."""
    owner = journey.stores.shopify.tokens if name == "shopify" else journey.stores.wix.access
    field = "client_secret" if name == "shopify" else "app_secret"
    known = getattr(owner, field)
    setattr(owner, field, "another")
    return lambda: setattr(owner, field, known)


@STORES
@pytest.mark.parametrize(
    "trouble", [{"partitioned": True}, {"http_5xx": 1.0}, {"http_429": 1.0}, {"timeout_not_applied": 1.0}]
)
def test_minutes_of_trouble_lose_nothing_and_double_nothing(
    troubled: str, other: str, trouble: dict[str, float]
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(troubled, **trouble)
        await journey.buy(other, 2)
        await journey.pass_time(120.0)
        await journey.buy(other, 1)
        await journey.pass_time(240.0)
        assert (await journey.levels())[troubled] == 10
        assert (await journey.levels())[other] == 7
        told = await journey.reasons()
        assert told == ([] if "http_429" in trouble else ["store_unreachable"])
        await journey.faults(troubled)
        await journey.buy(troubled, 1)
        await journey.pass_time(600.0)
        assert await journey.levels() == {"shopify": 6, "wix": 6}
        assert await journey.goods_left() == 6
        assert await journey.reasons() == []

    travel(play)


@STORES
def test_an_answer_that_is_lost_after_the_write_took_effect_doubles_nothing(troubled: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        rule = {"operation": "*nventor*", "calls": 1, "rates": {"timeout_applied": 1.0}}
        await journey.buy(other, 2)
        await journey.faults(troubled, rules=[rule])
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.goods_left() == 8
        assert await journey.stock_writes(troubled) == 1
        assert await journey.reasons() == []

    travel(play)


@STORES
@pytest.mark.parametrize("then", ["slow down", "unknown credentials"])
def test_a_store_that_comes_back_with_another_trouble_is_not_given_up(troubled: str, other: str, then: str) -> None:
    """The first call after a long silence is answered, but not as hoped: more calls must follow it."""

    async def play(journey: Journey) -> None:
        journey.pace = REAL_PACE
        await journey.begin(settle=60.0)
        await journey.faults(troubled, partitioned=True)
        await journey.buy(other, 2)
        await journey.pass_time(200.0)
        mend = _spoil_credentials(journey, troubled) if then == "unknown credentials" else lambda: None
        if then == "unknown credentials":
            await journey.sandbox(troubled, "POST", "tokens/revoke")
            await journey.faults(troubled)
        else:
            await journey.faults(troubled, http_429=1.0)
        await journey.pass_time(120.0)
        mend()
        await journey.faults(troubled)
        await journey.pass_time(300.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []

    travel(play)


@pytest.mark.parametrize("policy", ["mirror", "hybrid"])
def test_status_says_that_mirror_divides_nothing_while_a_store_is_away(policy: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", partitioned=True)
        await journey.buy("shopify", 2)
        await journey.pass_time(240.0)
        status = await show_status(journey.store, journey.bridge.workspaces[MAIN].terms)
        said = (
            "wix goes on showing what it last took: mirror divides nothing meanwhile, so the last units of 2 SKUs "
            "can be sold twice (hybrid would divide them by itself)."
        )
        assert (said in status.problems) is (policy == "mirror")
        await journey.faults("wix")
        await journey.pass_time(600.0)
        status = await show_status(journey.store, journey.bridge.workspaces[MAIN].terms)
        assert status.problems == []

    travel(play, Goods("A"), Goods("B"), policy=policy)
