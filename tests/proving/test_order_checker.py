"""The judge of orders and copies sees each fault that it is there to see."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest

from storebridge.model.order_writes import OrderWrite
from storebridge_proving.bridge_records import WRITES_MAKE, spoken_of
from storebridge_proving.checker.orders import OrderClaim, OrderClaims, judge_orders
from storebridge_proving.simulate.system import run_orders_seed

MONEY = {"comes_to": "20.00", "received": "20.00", "note": "", "tags": []}
KINDS = {
    *("missing", "total", "paid", "note", "tags", "address"),
    *("standing", "units", "refunded", "restocked", "parcels"),
}
BACK = {"id": "r", "at": "2026-03-02T12:00:00Z", "amount": "5.00", "lines": []}
KEPT = OrderClaims(kept=(("wix", "o1"),))


def line(**facts: Any) -> dict[str, Any]:
    return {"sku": "A", "quantity": 2, "cancelled": 0, "refunded": 0, "restocked": 0, "fulfilled": 0, **facts}


def parcel(units: int = 2, number: str = "1Z") -> dict[str, Any]:
    return {"id": "p", "tracking": {"number": number}, "lines": [{"sku": "A", "quantity": units}]}


def order(**facts: Any) -> dict[str, Any]:
    told = {"id": "o1", "name": "10001", "origin": None, "cancelled_at": None, "payment": "paid", "total": "20.00"}
    return {
        **told,
        "created_at": "2026-03-02T12:00:00Z",
        "ships_to": "",
        "currency": "EUR",
        "lines": [line()],
        "refunds": [],
        "fulfilments": [],
        **MONEY,
        **facts,
    }


def copy(**facts: Any) -> dict[str, Any]:
    return order(**{"id": "k1", "name": "#1001", "origin": "storebridge:main:wix:o1", **facts})


def told_of(*kinds: str) -> OrderClaims:
    return replace(KEPT, told={("wix", "o1"): frozenset(kinds)})


def findings(first: dict[str, Any], *copies: dict[str, Any], claims: OrderClaims = KEPT) -> list[str]:
    truths = {"wix": {"orders": [first], "movements": []}, "shopify": {"orders": list(copies), "movements": []}}
    return list(judge_orders(truths, "shopify", claims).findings)


def test_an_order_and_its_copy_that_agree_are_fine() -> None:
    parts = {"fulfilments": [parcel(1, "a"), parcel(1, "b")], "refunds": [BACK]}
    assert findings(order(), copy()) == []
    assert findings(order(**parts), copy(**parts)) == []


@pytest.mark.parametrize(
    ("first", "copies", "kind", "found"),
    [
        (order(), [], "missing", "it has no copy"),
        (order(comes_to="19.99"), [copy()], "total", "it comes to 19.99 EUR, its copy to 20.00 EUR"),
        (order(received="30.00"), [copy()], "paid", "30.00 came in, of its copy 20.00"),
        (order(note="ring twice"), [copy()], "note", "its note is 'ring twice', its copy's ''"),
        (order(tags=["gift", "vip"]), [copy(tags=["vip", "from-wix"])], "tags", "its copy lacks the tags ['gift']"),
        (order(ships_to="Lindenweg 1"), [copy()], "address", "it goes to 'Lindenweg 1', its copy to ''"),
        (order(cancelled_at="now"), [copy()], "standing", "it was cancelled, its copy was not"),
        (order(), [copy(cancelled_at="now")], "standing", "its copy was cancelled, it was not"),
        (order(lines=[line(cancelled=1)]), [copy()], "units", "it holds {'A': 1}, its copy {'A': 2}"),
        (order(refunds=[BACK]), [copy()], "refunded", "5.00 went back, of its copy 0"),
        (order(), [copy(lines=[line(restocked=1)])], "restocked", "its copy put goods back on sale"),
        (
            order(fulfilments=[parcel(1)]),
            [copy()],
            "parcels",
            "its parcels are {'1Z': Counter({'A': 1})}, its copy's {}",
        ),
    ],
)
def test_a_difference_is_a_finding_unless_a_person_was_told_of_it(
    first: dict[str, Any], copies: list[dict[str, Any]], kind: str, found: str
) -> None:
    sentence = f"wix 10001: {found}"
    of_others = told_of(*(KINDS - {kind}))
    assert findings(first, *copies) == [sentence]
    assert findings(first, *copies, claims=of_others) == [sentence]
    assert findings(first, *copies, claims=told_of(kind)) == []


def test_a_copy_that_was_made_after_units_went_back_lacks_their_money_to_the_cent() -> None:
    back = {**BACK, "amount": "10.00", "lines": [{"sku": "A", "quantity": 1, "restock": False}]}
    first = order(lines=[line(refunded=1)], refunds=[back], payment="partially_refunded")
    late = {"created_at": "2026-03-02T12:01:00Z", "lines": [line(quantity=1)]}
    assert findings(first, copy(**late, received="10.00")) == []
    assert findings(first, copy(**late, received="10.01")) == [
        "wix 10001: 10.00 went back, of its copy 0",
        "wix 10001: 20.00 came in, of its copy 10.01",
    ]
    early = {**late, "created_at": "2026-03-02T11:59:00Z"}
    assert len(findings(first, copy(**early, received="10.00"))) == 2
    assert findings(first) == ["wix 10001: it has no copy"]


def test_a_copy_may_lack_units_whose_money_went_back_apart_from_them() -> None:
    unit = {**BACK, "amount": "4.00", "lines": [{"sku": "A", "quantity": 1, "restock": False}]}
    rest = {**BACK, "amount": "6.00", "lines": []}
    first = order(lines=[line(refunded=1)], refunds=[unit, rest], payment="partially_refunded")
    late = {"created_at": "2026-03-02T12:01:00Z", "lines": [line(quantity=1)]}
    assert findings(first, copy(**late, received="10.00")) == []
    assert findings(order(refunds=[rest]), copy(**late | {"lines": [line()]}, received="14.00")) != []


def test_two_copies_are_never_excused() -> None:
    twice = [copy(), copy(id="k2", note="ring twice")]
    found = ["wix 10001: it has 2 copies", "wix 10001: its note is '', its copy's 'ring twice'"]
    assert findings(order(), *twice, claims=told_of(*KINDS, "copies")) == found


@pytest.mark.parametrize(
    ("reason", "details", "kinds"),
    [
        ("parcel_not_told", {"not told": ["3 x A"]}, {"parcels", "units"}),
        ("order_not_copied", {"why": "it is odd"}, {"missing"}),
        ("order_not_mapped", {"lines": ["A"]}, {"missing"}),
        ("order_write_undone", {"what": "add_parcel", "purpose": "parcel:copy:wix:p1:shopify:0"}, {"parcels"}),
        ("order_write_undone", {"what": "cancel_order", "purpose": "cancel:wix:k1"}, {"standing", "units"}),
        ("order_write_undone", {"what": "change_details", "purpose": "details:wix:k1:0"}, {"address", "note", "tags"}),
        ("order_write_refused", {"purpose": "payments:wix:k1:0"}, {"paid"}),
        (
            "copy_differs",
            {"order": "10001", "copy": "#1", "total": "1 here, 2 there", "note": "changed"},
            {"total", "note"},
        ),
        ("copy_differs", {"order": "10001", "copy": "#1"}, set()),
    ],
)
def test_a_case_speaks_of_what_it_names_and_of_nothing_else(
    reason: str, details: dict[str, Any], kinds: set[str]
) -> None:
    assert set(spoken_of(reason, details)) == kinds


def test_every_kind_of_write_to_an_order_has_its_differences() -> None:
    """One word, ``void``, stands for the two that go to the order of a buyer whose goods do not exist."""
    assert len(WRITES_MAKE) == len(get_args(OrderWrite)) - 1
    assert {kind for kinds in WRITES_MAKE.values() for kind in kinds} | {"restocked"} == KINDS


def test_parcels_are_compared_by_number_and_units() -> None:
    (found,) = findings(order(fulfilments=[parcel(1)]), copy(fulfilments=[parcel(2)]))
    assert "parcels" in found
    assert findings(order(fulfilments=[parcel(1), parcel(1)]), copy(fulfilments=[parcel(2)])) == []


def test_a_number_with_a_mark_is_the_number_and_its_link_must_lead_to_it() -> None:
    there = copy(fulfilments=[parcel(1), parcel(1)])
    beside = parcel(1, "1Z (2)")
    assert findings(order(fulfilments=[parcel(1), beside]), there) == []
    (found,) = findings(order(fulfilments=[parcel(1), parcel(1, "1Z 2")]), there)
    assert "parcels" in found
    beside["tracking"]["url"] = "https://carrier.example/1Z"
    assert findings(order(fulfilments=[parcel(1), beside]), there) == []
    beside["tracking"]["url"] = "https://carrier.example/1Z%20%282%29"
    (found,) = findings(order(fulfilments=[parcel(1), beside]), there)
    assert found == "wix 10001: its parcels' links lead elsewhere: ['https://carrier.example/1Z%20%282%29']"


def test_totals_are_compared_after_an_edit_too_and_no_more_after_a_refund() -> None:
    move = {"cause": "edit", "ref": "o1"}
    edited = order(comes_to="30.00")
    for refunds, found in (([], 1), ([BACK], 0)):
        truths = {
            "wix": {"orders": [{**edited, "refunds": refunds}], "movements": [move]},
            "shopify": {"orders": [copy(refunds=refunds)], "movements": []},
        }
        assert len(judge_orders(truths, "shopify", KEPT).findings) == found


def test_what_the_bridge_knows_of_an_order_is_what_its_store_says() -> None:
    known = OrderClaim(Decimal(0), 0, 0, Decimal("20.00"), Decimal("20.00"), "")
    told = {("wix", "o1"): known}
    first = order(note="ring twice", received="25.00", comes_to="25.00")
    found = findings(
        first, copy(note="ring twice", received="25.00", comes_to="25.00"), claims=replace(KEPT, known=told)
    )
    assert found == [
        "wix 10001: 25.00 came in, the bridge knows 20.00",
        "wix 10001: ring twice is its note, the bridge knows ",
        "wix 10001: it comes to 25.00, the bridge knows 20.00",
    ]


@pytest.mark.parametrize(("known", "found"), [(2, 0), (1, 0), (0, 1)])
def test_a_unit_that_a_refund_and_a_return_put_back_both_may_be_known_as_one(known: int, found: int) -> None:
    """S29: two are on sale again, and the order tells of one refund with restock and of one return."""
    claim = OrderClaim(Decimal("10.00"), known, 0, Decimal("20.00"), Decimal("20.00"), "")
    back = {"at": "2026-03-02T08:03:46Z", "amount": "10.00", "id": "r"}
    refunds = [{**back, "lines": [{"sku": "A", "quantity": 1, "restock": True}]}]
    line = {"sku": "A", "quantity": 2, "cancelled": 0, "refunded": 0, "restocked": 2, "fulfilled": 0}
    first = order(lines=[line], refunds=refunds)
    told = replace(KEPT, known={("wix", "o1"): claim})
    again = [text for text in findings(first, copy(refunds=refunds), claims=told) if "on sale again" in text]
    assert len(again) == found


def test_tags_are_found_among_words_that_an_app_wrote_for_people() -> None:
    assert findings(order(tags=["gift", "vip"]), copy(tags=["wix 10001", "gift, vip"])) == []


def test_an_order_is_known_exactly_once_and_a_copy_has_an_original() -> None:
    nobody = OrderClaims(kept=())
    assert "wix 10001 is kept 0 times" in findings(order(), copy(), claims=nobody)
    twice = OrderClaims(kept=(("wix", "o1"), ("wix", "o1")))
    assert findings(order(), copy(), claims=twice) == ["wix 10001 is kept 2 times"]
    stray = copy(id="k2", origin="storebridge:main:wix:o9")
    assert findings(order(), copy(), stray) == ["a copy of nothing: ('wix', 'o9')"]


def test_a_checkout_without_its_payment_need_not_be_known() -> None:
    assert findings(order(payment="pending"), claims=OrderClaims(())) == []


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("seed", "policy", "faults"),
    [
        (1, "escrow", "none"),
        (2, "escrow", "storm"),
        (36, "escrow", "storm"),
        (7005, "mirror", "storm"),
        (7326, "hybrid", "some"),
        (7394, "escrow", "some"),
        (9335, "mirror", "some"),
        (9342, "guarded", "some"),
    ],
)
def test_copies_follow_two_hours_of_trade(seed: int, policy: str, faults: str) -> None:
    """36: an older tracking number in doubt. 7005: goods that a poll told of before their order was read.
    7394: staff raise a counter while a copy's claim to have done so cannot be disproved. 9335: a return
    puts goods back that a refund had put back already. 9342: staff
    add units to an order, which go past the guard."""
    result = run_orders_seed(seed, policy, faults)
    assert (result.violations, result.converged) == ((), True)
    assert result.store_events >= 150
