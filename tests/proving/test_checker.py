"""The checker against hand-written records, each of which breaks exactly one rule."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from storebridge_proving.checker.pools import follow
from storebridge_proving.checker.records import Records, pools_of, read_moment
from storebridge_proving.checker.report import Claims, Verdict, judge

Json = dict[str, Any]


def at(seconds: float) -> str:
    return f"2026-03-02T08:00:{seconds:09.6f}Z"


def truth(levels: Json, movements: list[Json] | None = None, orders: list[Json] | None = None) -> Json:
    return {
        "now": at(59),
        "levels": [
            {"sku": sku, "variant_id": f"v-{sku}", "location_id": "L", "available": available}
            for sku, available in levels.items()
        ],
        "orders": orders or [],
        "movements": movements or [],
    }


def moved(seconds: float, delta: int, cause: str, sku: str = "A", ref: str = "") -> Json:
    return {
        "at": at(seconds),
        "sku": sku,
        "location_id": "L",
        "delta": delta,
        "cause": cause,
        "actor": "",
        "ref": ref,
    }


def order(number: str, quantity: int, **changes: Any) -> Json:
    line = {"sku": "A", "quantity": quantity, "cancelled": 0, "refunded": 0, "restocked": 0, "fulfilled": 0}
    line.update({name: changes.pop(name) for name in list(changes) if name in line})
    made = {"id": number, "created_at": at(1), "cancelled_at": None, "origin": None, "lines": [line]}
    return {**made, "fulfilments": [], "refunds": [], **changes}


def verdict(shopify: Json, wix: Json, policy: str = "mirror", **more: Any) -> Verdict:
    named = {name: more.pop(name) for name in ("claims", "attempts", "settled_at") if name in more}
    records = Records({"shopify": shopify, "wix": wix}, "shopify", **more)
    return judge(records, policy, **named)


def test_a_quiet_pair_is_in_step() -> None:
    found = verdict(truth({"A": 5}), truth({"A": 5}))
    assert (found.skus, found.units_oversold, found.skus_disagreeing, found.lost) == (1, 0, 0, 0)
    assert found.propagation_ms == {"n": 0, "p50": None, "p95": None, "p99": None}


def test_the_same_last_unit_sold_twice_is_one_oversold() -> None:
    shopify = truth({"A": 0}, [moved(1, -1, "sale")], [order("s1", 1)])
    wix = truth({"A": 0}, [moved(1.5, -1, "sale")], [order("w1", 1)])
    found = verdict(shopify, wix)
    assert (found.units_oversold, found.units_sold, found.orders) == (1, 2, {"shopify": 1, "wix": 1})
    assert found.findings[0] == "A: 1 oversold"


def test_an_oversell_counts_even_when_a_return_made_up_for_it_later() -> None:
    shopify = truth({"A": 1}, [moved(1, -2, "sale"), moved(3, 2, "cancel"), moved(4, -1, "api")])
    wix = truth({"A": 1}, [moved(2, -1, "sale")])
    found = verdict(shopify, wix)
    assert found.units_oversold == 1
    assert found.skus_disagreeing == 0


def test_a_unit_given_back_before_it_was_sold_again_is_not_oversold() -> None:
    shopify = truth({"A": 0}, [moved(1, -1, "sale"), moved(2, 1, "refund"), moved(4, -1, "api")])
    wix = truth({"A": 0}, [moved(3, -1, "sale")])
    assert verdict(shopify, wix).units_oversold == 0


def test_what_staff_takes_away_makes_a_sale_an_oversell() -> None:
    shopify = truth({"A": 0}, [moved(1, -1, "manual")])
    wix = truth({"A": 0}, [moved(2, -1, "sale")])
    assert verdict(shopify, wix).units_oversold == 1


def test_goods_booked_in_exist_and_api_writes_do_not() -> None:
    shopify = truth({"A": 0}, [moved(1, 5, "api"), moved(2, -5, "sale")])
    wix = truth({"A": 0})
    booked = [{"at": at(1.5), "sku": "A", "quantity": 5}]
    assert verdict(shopify, wix).units_oversold == 5
    assert verdict(shopify, wix, goods=booked).units_oversold == 0


def test_a_copy_moves_no_goods() -> None:
    copied = order("c1", 1, origin="shopify:s1", refunds=[{"id": "r1"}])
    shopify = truth({"A": 0}, [moved(1, -1, "sale")])
    wix = truth({"A": 0}, [moved(2, -1, "sale", ref="c1"), moved(3, 1, "refund", ref="r1")], [copied])
    found = verdict(shopify, wix)
    assert (found.units_oversold, found.orders) == (0, {"shopify": 0, "wix": 0})


def test_voiding_an_oversold_order_restores_the_pool_but_not_the_record() -> None:
    voided = order("w1", 1, cancelled=1, cancelled_at=at(5))
    shopify = truth({"A": 0}, [moved(1, -1, "sale")], [order("s1", 1)])
    wix = truth({"A": 0}, [moved(2, -1, "sale")], [voided])
    found = verdict(shopify, wix, "escrow")
    assert (found.units_oversold, found.skus_disagreeing) == (1, 0)


def test_calling_off_an_honest_order_without_restock_creates_no_unit() -> None:
    gone = order("s1", 1, cancelled=1, cancelled_at=at(2))
    shopify = truth({"A": 0}, [moved(1, -1, "sale")], [gone])
    wix = truth({"A": 0}, [moved(3, -1, "sale")])
    assert verdict(shopify, wix).units_oversold == 1


def test_units_that_were_sent_existed_although_their_order_is_called_off_while_the_pool_is_short() -> None:
    """Wix calls off the whole order, and what was sent with it (mirror, storm with copies, seed 100)."""
    sent = order("w1", 2, cancelled=2, fulfilled=2, cancelled_at=at(5))
    wix = truth({"A": 0}, [moved(1, -2, "sale")], [sent])
    shopify = truth({"A": 0}, [moved(2, -1, "sale"), moved(3, -1, "api"), moved(6, 1, "refund"), moved(7, -1, "api")])
    assert verdict(shopify, wix).findings == ["A: 1 oversold"]


def test_what_never_left_of_an_order_that_was_sent_in_part_is_called_off() -> None:
    in_part = order("w1", 3, cancelled=3, fulfilled=1, cancelled_at=at(5))
    wix = truth({"A": 1}, [moved(1, -3, "sale"), moved(8, 3, "api")], [in_part])
    shopify = truth({"A": 1}, [moved(2, -1, "sale"), moved(8, 1, "api")])
    two_came_in = [{"at": at(7), "sku": "A", "quantity": 2}]
    assert verdict(shopify, wix, goods=two_came_in).findings == ["A: 3 oversold"]


@pytest.mark.parametrize(
    ("told", "more"),
    [
        ({"refunded_unshipped": 0}, []),
        ({"refunded_unshipped": 1}, ["A: shown [1, 1], left 0"]),
        ({}, ["A: shown [1, 1], left 0"]),
    ],
    ids=["had been sent", "never left", "nobody tells"],
)
def test_a_unit_that_was_sent_and_refunded_is_not_taken_off_those_that_are_called_off(
    told: Json, more: list[str]
) -> None:
    """Three ordered, one sent, one refunded, the other two called off; two come in, and both stores show one."""
    gone = order("w1", 3, cancelled=2, fulfilled=1, refunded=1, cancelled_at=at(5))
    gone["lines"][0] |= told
    wix = truth({"A": 1}, [moved(1, -3, "sale"), moved(8, 3, "api")], [gone])
    shopify = truth({"A": 1}, [moved(2, -1, "sale"), moved(8, 1, "api")])
    two_came_in = [{"at": at(7), "sku": "A", "quantity": 2}]
    assert sorted(verdict(shopify, wix, goods=two_came_in).findings) == ["A: 3 oversold", *more]


@pytest.mark.parametrize("how", ["refund", "cancel"])
def test_a_unit_that_came_back_is_none_of_those_that_are_called_off(how: str) -> None:
    """One of three came back: by a refund before the cancellation, or by the cancellation."""
    refunded = int(how == "refund")
    gone = order("w1", 3, cancelled=3 - refunded, refunded=refunded, restocked=1, cancelled_at=at(5))
    back = moved(3, 1, "refund", ref="r1") if refunded else moved(5, 1, "cancel", ref="w1")
    wix = truth({"A": 1}, [moved(1, -3, "sale"), back, moved(8, 2, "api")], [gone])
    shopify = truth({"A": 1}, [moved(2, -1, "sale"), moved(8, 1, "api")])
    one_came_in = [{"at": at(7), "sku": "A", "quantity": 1}]
    assert verdict(shopify, wix, goods=one_came_in).findings == ["A: 3 oversold"]


def refund(number: str, seconds: float, units: int) -> Json:
    return {"id": number, "at": at(seconds), "lines": [{"sku": "A", "quantity": units, "restock": False}]}


@pytest.mark.parametrize(
    ("sent_at", "back", "left"),
    [(None, 0, 0), (2, 0, -1), (4, 0, 0), (None, 1, 0)],
    ids=["never left", "had been sent", "was sent later", "came back"],
)
def test_a_unit_that_is_refunded_before_it_was_sent_never_existed_while_the_pool_was_short(
    sent_at: float | None, back: int, left: int
) -> None:
    """One of three is refunded: the pool was short of one."""
    sold = order("w1", 3, refunded=1, restocked=back, refunds=[refund("r1", 3, 1)])
    if sent_at is not None:
        sold["fulfilments"] = [{"id": "f1", "at": at(sent_at), "lines": [{"sku": "A", "quantity": 1}]}]
    returned = [moved(3, 1, "refund", ref="r1"), moved(4, -1, "api")] if back else []
    wix = truth({"A": 0}, [moved(1, -3, "sale"), moved(2, 1, "api"), *returned], [sold])
    shopify = truth({"A": 0}, [moved(1, -2, "api")])
    pool = pools_of(Records({"shopify": shopify, "wix": wix}, "shopify"))[0]
    assert pool.opening == {"shopify": 2, "wix": 2}
    assert follow(pool).left == left


def test_a_refund_of_what_exists_creates_no_unit() -> None:
    sold = order("w1", 1, refunded=1, refunds=[refund("r1", 3, 1)])
    wix = truth({"A": 1}, [moved(1, -1, "sale")], [sold])
    assert verdict(truth({"A": 1}, [moved(2, -1, "api")]), wix).findings == []


def test_what_happened_before_the_baseline_is_part_of_the_opening() -> None:
    shopify = truth({"A": 3}, [moved(1, -7, "manual"), moved(3, -1, "sale")])
    wix = truth({"A": 3}, [moved(3.25, -1, "api")])
    assert verdict(shopify, wix, since=read_moment(at(2))).units_oversold == 0
    assert verdict(shopify, wix, since=read_moment(at(2))).skus_disagreeing == 0


@pytest.mark.parametrize("policy", ["mirror", "escrow", "hybrid"])
def test_what_was_sold_before_the_baseline_is_owed_and_no_oversell(policy: str) -> None:
    """Shopify opened at three below zero; both stores were lifted to nothing."""
    shopify = truth({"A": 0}, [moved(1, 3, "api")])
    found = verdict(shopify, truth({"A": 0}), policy)
    assert (found.units_oversold, found.skus_disagreeing) == (0, 0)


def test_a_sale_of_what_is_owed_already_is_oversold() -> None:
    shopify = truth({"A": -5}, [moved(1, -2, "sale")])
    found = verdict(shopify, truth({"A": 0}), "escrow")
    assert (found.units_oversold, found.skus_disagreeing) == (2, 1)


def test_goods_that_come_in_pay_first_what_was_owed() -> None:
    """Three are owed and three come in; the two sold afterwards never existed."""
    shopify = truth({"A": -2}, [moved(1, 3, "manual"), moved(2, -2, "sale")])
    assert verdict(shopify, truth({"A": 0})).units_oversold == 2


@pytest.mark.parametrize(
    ("policy", "levels", "why"),
    [
        ("mirror", (4, 4), ""),
        ("mirror", (4, 3), "A: shown [4, 3], left 4"),
        ("guarded", (4, 5), "A: shown [4, 5], left 4"),
        ("escrow", (2, 2), ""),
        ("escrow", (1, 3), ""),
        ("escrow", (3, 3), "A: shown [3, 3], together not 4"),
        ("escrow", (0, 4), "A: shown [0, 4]: one store has none of 4"),
        ("escrow", (-1, 5), "A: a level is -1"),
        ("hybrid", (4, 3), ""),
        ("hybrid", (5, 3), "A: shown [5, 3], more than 4"),
        ("hybrid", (2, 1), "A: shown [2, 1], together less than 4"),
    ],
)
def test_agreement_by_policy(policy: str, levels: tuple[int, int], why: str) -> None:
    """Shopify opened with four; whatever differs from it now was written."""
    here, there = levels
    shopify = truth({"A": here}, [moved(1, here - 4, "api")])
    wix = truth({"A": there}, [moved(1, there, "api")])
    found = verdict(shopify, wix, policy)
    assert list(found.findings) == ([why] if why else [])
    assert found.skus_disagreeing == (1 if why else 0)


def test_safety_stock_is_shown_by_nobody() -> None:
    shopify = truth({"A": 3}, [moved(1, -2, "api")])
    wix = truth({"A": 3})
    assert verdict(shopify, wix, safety_stock=2).skus_disagreeing == 0
    assert verdict(shopify, wix, safety_stock=1).skus_disagreeing == 1


def test_a_sku_on_hold_is_counted_apart() -> None:
    found = verdict(truth({"A": 4}), truth({"A": 9}), claims=Claims(held=frozenset({"A"})))
    assert (found.skus_disagreeing, found.held) == (0, 1)


def test_a_policy_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="'fifo' is no policy"):
        verdict(truth({"A": 1}), truth({"A": 1}), "fifo")


def test_skus_of_one_store_and_doubled_skus_make_no_pool() -> None:
    wix = truth({"A": 1, "B": 1})
    wix["levels"].append({"sku": "B", "variant_id": "other", "location_id": "L", "available": 9})
    assert verdict(truth({"A": 1, "B": 1, "C": 1}), wix).skus == 1


def test_mirror_propagation_is_exact() -> None:
    """Two sales answered by one write, a sale in the other direction, and a sale that was taken back in
    time.
    """
    shopify = truth(
        {"A": 7},
        [
            moved(1.0, -1, "sale"),
            moved(1.1, -1, "sale"),
            moved(3.060, -1, "api"),
            moved(5.0, -1, "sale"),
            moved(5.1, 1, "cancel"),
        ],
    )
    wix = truth({"A": 7}, [moved(1.2, -2, "api"), moved(3.0, -1, "sale")])
    found = verdict(shopify, wix)
    assert (found.skus_disagreeing, found.units_oversold) == (0, 0)
    assert found.propagation_ms == {"n": 3, "p50": 100, "p95": 200, "p99": 200}


def test_a_change_partly_taken_back_is_measured_by_the_write_that_settles_it() -> None:
    shopify = truth({"A": 9}, [moved(1.0, -2, "sale"), moved(1.5, 1, "cancel")])
    wix = truth({"A": 9}, [moved(1.75, -1, "api")])
    assert verdict(shopify, wix).propagation_ms == {"n": 1, "p50": 750, "p95": 750, "p99": 750}


def test_changes_before_the_baseline_settled_are_not_measured() -> None:
    shopify = truth({"A": 8}, [moved(1, -1, "sale"), moved(3, -1, "sale")])
    wix = truth({"A": 8}, [moved(2, -1, "api"), moved(3.5, -1, "api")])
    found = verdict(shopify, wix, settled_at=read_moment(at(2.5)))
    assert found.propagation_ms["n"] == 1
    assert found.propagation_ms["p50"] == 500


def test_escrow_propagation_measures_only_what_was_answered() -> None:
    """Wix sells twice and nothing need happen; after the third sale Shopify gives up a share."""
    wix_moves = [moved(s, -1, "sale") for s in (1, 2, 3)]
    shopify = truth({"A": 3}, [moved(0.5, -5, "api"), moved(3.125, -2, "api")])
    wix = truth({"A": 4}, [*wix_moves, moved(3.5, 2, "api")])
    found = verdict(shopify, wix, "escrow", settled_at=read_moment(at(0.75)))
    assert found.propagation_ms == {"n": 1, "p50": 125, "p95": 125, "p99": 125}


def test_a_movement_that_the_ledger_does_not_explain_is_lost() -> None:
    shopify = truth({"A": 4}, [moved(1, -1, "sale")])
    wix = truth({"A": 4}, [moved(1.1, -1, "api")])
    assert verdict(shopify, wix, claims=Claims(explained={("shopify", "A"): -1})).lost == 0
    found = verdict(shopify, wix, claims=Claims(explained={}))
    assert found.lost == 1
    assert found.findings == ["A: -1 in shopify that the ledger does not explain"]
    invented = verdict(shopify, wix, claims=Claims(explained={("shopify", "A"): -1, ("wix", "A"): -2}))
    assert invented.lost == 2


def attempt(n: int, body: str, status: int | None = 200, **headers: str) -> Json:
    return {"n": n, "status": status, "headers": headers, "body": body}


def test_a_delivery_answered_and_not_known_is_lost() -> None:
    tried = [
        attempt(1, "{}", webhook_id="known"),
        attempt(2, "{}", webhook_id="never heard of"),
        attempt(3, "{}", None, webhook_id="not answered"),
        attempt(4, "{}", 503, webhook_id="refused"),
    ]
    found = verdict(truth({}), truth({}), claims=Claims(known=frozenset({"known"})), attempts={"shopify": tried})
    assert found.lost == 1
    assert found.findings == ["shopify: delivery attempt 2 was answered 2xx and is not known"]


def test_a_delivery_is_known_by_what_stands_inside_its_token_or_by_its_bytes() -> None:
    inner = json.dumps({"data": json.dumps({"metadata": {"eventId": "event-7"}})})
    token = f"e30.{base64.urlsafe_b64encode(inner.encode()).decode().rstrip('=')}.c2ln"
    digest = hashlib.sha256(b"odd bytes").hexdigest()
    tried = [attempt(1, token), attempt(2, "odd bytes")]
    known = Claims(known=frozenset({"event-7", digest}))
    assert verdict(truth({}), truth({}), claims=known, attempts={"wix": tried}).lost == 0
