"""The books of Shopify Payments, read from the pretend shop, and in words that only the real one has."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from shop_on_virtual_time import Shop, with_shop

from storebridge.connectors.port import BooksHidden, CallTrouble, ProviderBooks
from storebridge.connectors.shopify.books import EntryNode, PayoutNode, entry_of, payout_of
from storebridge.model.money import Money
from storebridge.model.settlement import EntryKind, LedgerEntry, PayoutState
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.state import SCOPES

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86_400.0


def books_of(shop: Shop) -> ProviderBooks:
    books = shop.connect().books
    assert books is not None
    return books


def plain(entry: LedgerEntry) -> tuple[str, str, str, str]:
    return entry.kind.value, str(entry.amount), str(entry.fee), entry.order_name


def test_a_sale_its_refund_and_a_chargeback_are_entries_of_their_order() -> None:
    async def play(shop: Shop) -> None:
        order_id = await shop.buy("MUG", 2)
        await shop.call(f"orders/{order_id}/refund", {"lines": [{"sku": "MUG", "quantity": 1}], "amount": "12.50"})
        await asyncio.sleep(60.0)
        await shop.call(f"orders/{order_id}/chargeback", {"amount": "12.50"})
        found = await books_of(shop).entries(EARLY, None)
        assert [plain(one) for one in found.entries] == [
            ("charge", "25.00 EUR", "0.83 EUR", "#1001"),
            ("refund", "-12.50 EUR", "0.00 EUR", "#1001"),
            ("chargeback", "-12.50 EUR", "15.00 EUR", "#1001"),
        ]
        assert {one.order_id for one in found.entries} == {order_id}
        assert all(one.net == one.amount.less(one.fee) for one in found.entries)
        (sale,) = await shop.connect().read_sales([found.entries[0].order_id or ""])  # type: ignore[list-item]
        payments = {one.payment_id: one for one in sale.order.payments}
        assert [one.payment_id in payments for one in found.entries] == [True] * 3
        assert [one.in_books for one in sale.order.payments] == [True, True]

    with_shop(play)


def test_entries_are_found_by_when_they_were_booked_and_by_their_payout() -> None:
    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 1)
        await asyncio.sleep(DAY)
        await shop.buy("MUG", 1)
        books = books_of(shop)
        everything = await books.entries(EARLY, None)
        late = await books.entries(everything.entries[0].at + timedelta(seconds=1), None)
        assert (len(everything.entries), late.entries) == (2, everything.entries[1:])
        payouts = await books.payouts(EARLY, None)
        assert payouts is not None
        assert [(one.state, str(one.net)) for one in payouts.payouts] == [(PayoutState.SCHEDULED, "11.94 EUR")] * 2
        inside = await books.entries_of(payouts.payouts[0].payout_id, None)
        assert inside.entries == everything.entries[:1]
        await asyncio.sleep(3 * DAY)
        paid = await books.payouts(EARLY, None)
        assert paid is not None
        assert [one.state for one in paid.payouts] == [PayoutState.PAID] * 2

    with_shop(play)


def test_a_shop_with_another_gateway_has_no_books() -> None:
    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 1)
        assert await books_of(shop).payouts(EARLY, None) is None

    with_shop(play, ShopifyOptions(pays_with="mollie"))


def test_books_without_their_scope_are_hidden_and_say_what_to_grant() -> None:
    granted = tuple(scope for scope in SCOPES if scope != "read_shopify_payments_payouts")

    async def play(shop: Shop) -> None:
        with pytest.raises(BooksHidden, match="read_shopify_payments_payouts"):
            await books_of(shop).payouts(EARLY, None)

    with_shop(play, ShopifyOptions(granted_scopes=granted))


ENTRY = {
    "id": "gid://shopify/ShopifyPaymentsBalanceTransaction/1",
    "type": "CHARGE",
    "transactionDate": "2026-03-02T09:00:00+01:00",
    "test": False,
    "sourceOrderTransactionId": "77",
    "amount": {"amount": "1500.0", "currencyCode": "JPY"},
    "fee": {"amount": "54.0", "currencyCode": "JPY"},
    "net": {"amount": "1446.0", "currencyCode": "JPY"},
    "associatedOrder": None,
    "associatedPayout": {"id": None},
}


def entry(**changes: object) -> LedgerEntry:
    return entry_of(msgspec.convert({**ENTRY, **changes}, EntryNode))


def test_a_type_of_a_later_version_is_an_adjustment_under_its_own_name() -> None:
    found = entry(type="SHOPIFY_TAX_ON_THE_MOON", sourceOrderTransactionId=None)
    assert (found.kind, found.word, found.payment_id) == (EntryKind.ADJUSTMENT, "SHOPIFY_TAX_ON_THE_MOON", "")
    assert (found.amount, str(found.fee)) == (Money(Decimal("1500.0"), "JPY"), "54 JPY")
    assert found.at == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("source", [77, "77", "gid://shopify/OrderTransaction/77"])
def test_the_transaction_of_an_entry_is_found_however_its_number_is_written(source: object) -> None:
    assert entry(sourceOrderTransactionId=source).payment_id == "gid://shopify/OrderTransaction/77"


def test_words_and_amounts_that_are_none_are_drift() -> None:
    payout = {"id": "p", "issuedAt": "2026-03-02T00:00:00Z", "status": "LOST", "net": ENTRY["net"]}
    with pytest.raises(CallTrouble, match="a status that is not listed: 'LOST'"):
        payout_of(msgspec.convert(payout, PayoutNode))
    with pytest.raises(CallTrouble, match="an amount that is none: 'NaN' 'JPY'"):
        entry(amount={"amount": "NaN", "currencyCode": "JPY"})
