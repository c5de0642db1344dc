"""The checker of messages itself: it must see what is wrong. The checks of the sandbox run at the end of each test
of the Wix site (``with_site``)."""

from __future__ import annotations

import pytest
from wix_messages import ABSENT, Messages

ORDER = "6c3a1e8e-52a3-4d0c-9c1b-0d6e3f0b8f11"


@pytest.fixture
def messages() -> Messages:
    found = Messages.find()
    if found is None:
        pytest.skip(ABSENT)
    return found


def test_a_plain_search_has_no_problems(messages: Messages) -> None:
    asked = {"search": {"filter": {"status": "APPROVED"}, "cursorPaging": {"limit": 10}}}
    told = {"orders": [{"id": ORDER, "status": "APPROVED"}], "metadata": {"count": 1, "hasNext": False}}

    assert messages.check("POST", "/ecom/v1/orders/search", asked, told) == []


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        ({"status": "SHIPPED"}, "status: 'SHIPPED' is no OrderStatusWithLiterals"),
        ({"colour": "red"}, "colour: Order declares no such field"),
        ({"id": "7"}, "id: '7' is no GUID"),
        ({"archived": "no"}, "archived: 'no' is no boolean"),
        ({"createdDate": "yesterday"}, "createdDate: 'yesterday' is no moment"),
        ({"lineItems": []}, "lineItems: 0 is below @minSize 1"),
        ({"lineItems": [{"quantity": 0}]}, "lineItems[0].quantity: 0 is below @min 1"),
        ({"priceSummary": {"total": {"amount": "-1"}}}, "priceSummary.total.amount: -1 is below 0"),
        ({"buyerInfo": {"memberId": ORDER, "visitorId": ORDER}}, "buyerInfo: visitorId and memberId exclude"),
        ({"lineItems": None}, "lineItems: null is not declared"),
    ],
)
def test_what_an_order_is_not_is_found(messages: Messages, order: dict[str, object], problem: str) -> None:
    told = {"orders": [order]}
    found = messages.check("POST", "/ecom/v1/orders/search", {}, told)

    assert len(found) == 1
    assert found[0].startswith(f"searchOrders answer.orders[0].{problem}")


def test_a_request_lacks_what_it_needs_unless_the_path_has_it(messages: Messages) -> None:
    path = f"/ecom/v1/payments/orders/{ORDER}/add-payment"

    assert messages.check("POST", path, {}, {}) == ["addPayments request.payments: needed, but absent"]
    assert messages.check("POST", path, {"payments": [{}]}, {}) == []


def test_an_address_that_no_package_declares_is_a_problem(messages: Messages) -> None:
    assert messages.check("POST", "/ecom/v1/orders/lose", {}, {}) == [
        "POST /ecom/v1/orders/lose: no such method is declared"
    ]
