"""The books of Shopify Payments: payouts and balance transactions, as the Admin API tells them (S38).

Scope ``read_shopify_payments_payouts``. A shop that takes payments in other ways only has no account. Orders that were
made through the API or paid elsewhere never stand here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from storebridge.connectors.port import BooksHidden, CallTrouble
from storebridge.connectors.shopify.client import Data, Operation, Shape, ShopifyClient
from storebridge.connectors.shopify.errors import drift
from storebridge.connectors.shopify.read import PAGE_INFO, shopify_time
from storebridge.connectors.shopify.sales_shapes import MoneyNode
from storebridge.connectors.shopify.translate import Rows
from storebridge.model.ids import OrderId
from storebridge.model.money import Money
from storebridge.model.settlement import (
    AdjustedOrder,
    EntriesPage,
    EntryKind,
    LedgerEntry,
    Payout,
    PayoutsPage,
    PayoutState,
)

AMOUNT = "{ amount currencyCode }"
LIST_PAYOUTS = Operation(
    "payouts",
    f"""query payouts($query: String!, $after: String) {{ account: shopifyPaymentsAccount {{
  page: payouts(first: 50, after: $after, query: $query, sortKey: ISSUED_AT) {{
    nodes {{ id issuedAt status net {AMOUNT} }} {PAGE_INFO} }} }} }}""",
)
LIST_ENTRIES = Operation(
    "balanceTransactions",
    f"""query balanceTransactions($query: String!, $after: String) {{ account: shopifyPaymentsAccount {{
  page: balanceTransactions(first: 100, after: $after, query: $query, sortKey: PROCESSED_AT, hideTransfers: true) {{
    nodes {{ id type transactionDate test sourceOrderTransactionId amount {AMOUNT} fee {AMOUNT} net {AMOUNT}
      associatedOrder {{ id name }} associatedPayout {{ id }}
      adjustmentsOrders {{ name link orderTransactionId amount {AMOUNT} fees {AMOUNT} }} }} {PAGE_INFO} }} }} }}""",
)
BOOKS_QUESTIONS = (LIST_PAYOUTS, LIST_ENTRIES)
KINDS = {
    "CHARGE": EntryKind.CHARGE,
    "REFUND": EntryKind.REFUND,
    "DISPUTE_WITHDRAWAL": EntryKind.CHARGEBACK,
    "CHARGEBACK_HOLD": EntryKind.CHARGEBACK,
    "DISPUTE_REVERSAL": EntryKind.CHARGEBACK_REVERSAL,
    "CHARGEBACK_HOLD_RELEASE": EntryKind.CHARGEBACK_REVERSAL,
    "CHARGEBACK_FEE": EntryKind.FEE,
    "CHARGEBACK_FEE_REFUND": EntryKind.FEE,
    "REFERRAL_FEE": EntryKind.FEE,
    "REFERRAL_FEE_TAX": EntryKind.FEE,
    "STRIPE_FEE": EntryKind.FEE,
    "APPLICATION_FEE_REFUND": EntryKind.FEE,
}
"""Every other type is an adjustment, also one that a later version adds: money is never left out for its name."""
STATES = {
    "SCHEDULED": PayoutState.SCHEDULED,
    "IN_TRANSIT": PayoutState.SCHEDULED,
    "PAID": PayoutState.PAID,
    "FAILED": PayoutState.FAILED,
    "CANCELED": PayoutState.CANCELLED,
}
TRANSACTION = "gid://shopify/OrderTransaction/"
ORDER = "gid://shopify/Order/"
ORDER_LINK = re.compile(r"/orders/(\d+)(?:$|[/?#])")


class PayoutNode(Shape, frozen=True):
    """A payout."""

    id: str
    issued_at: datetime
    status: str
    net: MoneyNode


class _Order(Shape, frozen=True):
    id: str
    name: str = ""


class _OfPayout(Shape, frozen=True):
    id: str | None = None


class AdjustedNode(Shape, frozen=True):
    """An order's share of an adjustment. It names the order by a link into the admin only."""

    amount: MoneyNode
    fees: MoneyNode
    order_transaction_id: str | int | None = None
    name: str = ""
    link: str = ""


class EntryNode(Shape, frozen=True):
    """A balance transaction."""

    id: str
    type: str
    transaction_date: datetime
    amount: MoneyNode
    fee: MoneyNode
    net: MoneyNode
    test: bool = False
    source_order_transaction_id: str | int | None = None
    associated_order: _Order | None = None
    associated_payout: _OfPayout | None = None
    adjustments_orders: tuple[AdjustedNode, ...] = ()


class _PayoutPages(Shape, frozen=True):
    page: Rows[PayoutNode]


class _EntryPages(Shape, frozen=True):
    page: Rows[EntryNode]


class PayoutsAnswer(Shape, frozen=True):
    """Payouts; no account where the shop does not use Shopify Payments."""

    account: _PayoutPages | None = None


class EntriesAnswer(Shape, frozen=True):
    """Balance transactions."""

    account: _EntryPages | None = None


class ShopifyPaymentsBooks:
    """Reads the books. Every coroutine raises CallTrouble, and BooksHidden where the scope is missing."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client

    async def payouts(self, since: datetime, page: str | None) -> PayoutsPage | None:
        """Payouts issued at or after a moment; None where the shop has no account."""
        query = f"issued_at:>='{shopify_time(since)}'"
        account = (await self._ask(LIST_PAYOUTS, {"query": query, "after": page}, PayoutsAnswer)).account
        if account is None:
            return None
        return PayoutsPage(tuple(payout_of(node) for node in account.page.nodes), account.page.next_cursor)

    async def entries(self, since: datetime, page: str | None) -> EntriesPage:
        """Entries booked at or after a moment."""
        return await self._entries(f"processed_at:>='{shopify_time(since)}'", page)

    async def entries_of(self, payout_id: str, page: str | None) -> EntriesPage:
        """Every entry of one payout."""
        return await self._entries(f"payments_transfer_id:{payout_id.rpartition('/')[2]}", page)

    async def _entries(self, query: str, page: str | None) -> EntriesPage:
        account = (await self._ask(LIST_ENTRIES, {"query": query, "after": page}, EntriesAnswer)).account
        if account is None:
            return EntriesPage((), None)
        return EntriesPage(tuple(entry_of(node) for node in account.page.nodes), account.page.next_cursor)

    async def _ask(self, operation: Operation, variables: Mapping[str, Any], shape: type[Data]) -> Data:
        try:
            return await self._client.ask(operation, variables, shape)
        except CallTrouble as trouble:
            if trouble.code == "ACCESS_DENIED":
                raise BooksHidden(str(trouble)) from trouble
            raise


def payout_of(node: PayoutNode) -> Payout:
    """A payout. Raises CallTrouble (schema drift) for a status that its API version does not list."""
    try:
        state = STATES[node.status]
    except KeyError:
        raise drift(f"Shopify's payout has a status that is not listed: {node.status!r}") from None
    return Payout(node.id, state, node.issued_at.astimezone(UTC), money_of(node.net))


def entry_of(node: EntryNode) -> LedgerEntry:
    """An entry. Shopify signs amounts as the balance moves; the fee is what is taken off."""
    order = node.associated_order
    source = str(node.source_order_transaction_id or "")
    return LedgerEntry(
        entry_id=node.id,
        kind=KINDS.get(node.type, EntryKind.ADJUSTMENT),
        word=node.type,
        at=node.transaction_date.astimezone(UTC),
        amount=money_of(node.amount),
        fee=money_of(node.fee),
        net=money_of(node.net),
        order_id=OrderId(order.id) if order else None,
        order_name=order.name if order else "",
        payment_id=f"{TRANSACTION}{source.rpartition('/')[2]}" if source else "",
        payout_id=(node.associated_payout.id if node.associated_payout else None) or "",
        test=node.test,
        parts=tuple(map(_part_of, node.adjustments_orders)),
    )


def _part_of(node: AdjustedNode) -> AdjustedOrder:
    number = ORDER_LINK.search(node.link)
    source = str(node.order_transaction_id or "")
    return AdjustedOrder(
        order_name=node.name,
        payment_id=f"{TRANSACTION}{source}" if source else "",
        amount=money_of(node.amount),
        fee=money_of(node.fees),
        order_id=OrderId(f"{ORDER}{number[1]}") if number else None,
    )


def money_of(node: MoneyNode) -> Money:
    """An exact amount. Raises CallTrouble (schema drift) for one that is none."""
    try:
        return Money(Decimal(node.amount), node.currency_code)
    except (InvalidOperation, ValueError) as error:
        raise drift(f"Shopify gives an amount that is none: {node.amount!r} {node.currency_code!r}") from error
