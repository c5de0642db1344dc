"""``shopifyPaymentsAccount``: balance, payouts and balance transactions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, iso, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.money import NOTHING, Money
from storebridge_sandbox.shopify.paging import Page, compile_search, page_of
from storebridge_sandbox.shopify.payments.state import BalanceTransaction, Payments, Payout
from storebridge_sandbox.shopify.shop.entity import the_business

PAYOUT_FIELDS: dict[str, Callable[[Payout], Any]] = {
    "issued_at": lambda one: one.issued_at,
    "status": lambda one: one.status.lower(),
    "id": lambda one: number_of(one.id),
}
TRANSACTION_FIELDS: dict[str, Callable[[BalanceTransaction], Any]] = {
    "id": lambda one: number_of(one.id),
    "payout_status": lambda one: "paid" if one.paid_out else "scheduled",
    "payments_transfer_id": lambda one: number_of(one.payout_id),
    "processed_at": lambda one: one.at,
    "transaction_type": lambda one: one.kind.lower(),
}
SUMMARY: dict[str, Callable[[Payout], Decimal]] = {
    "chargesGross": lambda one: one.sum_of("CHARGE"),
    "chargesFee": lambda one: one.sum_of("CHARGE", fees=True),
    "refundsFeeGross": lambda one: one.sum_of("REFUND"),
    "refundsFee": lambda one: one.sum_of("REFUND", fees=True),
}
SOURCE_TYPES = {
    "CHARGE": "CHARGE",
    "REFUND": "REFUND",
    "DISPUTE_WITHDRAWAL": "DISPUTE",
    "DISPUTE_REVERSAL": "DISPUTE",
    "CHARGE_ADJUSTMENT": "ADJUSTMENT",
}
NEVER = ("adjustmentsFee", "adjustmentsGross", "advanceFees", "advanceGross", "reservedFundsFee", "reservedFundsGross",
         "retriedPayoutsFee", "retriedPayoutsGross", "usdcRebateCreditAmount")  # fmt: skip


class PaymentAnswers:
    """Null where the shop's checkouts are paid by another gateway."""

    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    def resolvers(self) -> Resolvers:
        account, payout, entry = "ShopifyPaymentsAccount", "ShopifyPaymentsPayout", "ShopifyPaymentsBalanceTransaction"
        return {
            ("QueryRoot", "shopifyPaymentsAccount"): lambda _s, _a, _c: (
                self._payments if self._payments.is_open else None
            ),
            (account, "id"): lambda _p, _a, _c: "gid://shopify/ShopifyPaymentsAccount/1",
            (account, "activated"): lambda _p, _a, _c: True,
            (account, "onboardable"): lambda _p, _a, _c: False,
            (account, "country"): lambda _p, _a, _c: "DE",
            (account, "defaultCurrency"): shows("currency"),
            (account, "balance"): lambda one, _a, _c: [Money(one.balance(), one.currency)],
            (account, "payoutSchedule"): lambda _p, _a, _c: {"interval": "DAILY"},
            (account, "payouts"): self._payouts,
            (account, "balanceTransactions"): self._entries,
            (payout, "id"): shows("id"),
            (payout, "legacyResourceId"): lambda one, _a, _c: str(number_of(one.id)),
            (payout, "issuedAt"): shows_time("issued_at"),
            (payout, "status"): shows("status"),
            (payout, "transactionType"): lambda one, _a, _c: "DEPOSIT" if one.net >= 0 else "WITHDRAWAL",
            (payout, "net"): lambda one, _a, _c: Money(one.net, one.currency),
            (payout, "gross"): lambda one, _a, _c: Money(one.net, one.currency),
            (payout, "businessEntity"): the_business(),
            (payout, "summary"): lambda one, _a, _c: one,
            **{("ShopifyPaymentsPayoutSummary", name): _sum(total) for name, total in SUMMARY.items()},
            **{("ShopifyPaymentsPayoutSummary", name): _sum(lambda _one: NOTHING) for name in NEVER},
            **_entry_fields(entry),
        }

    def _payouts(self, payments: Payments, args: dict[str, Any], call: Call) -> Page:
        search = compile_search(args.get("query"), PAYOUT_FIELDS)
        call.ignored("payouts", args.get("query"), search)
        rows = [(iso(one.issued_at), number_of(one.id), one) for one in payments.payouts() if search.test(one)]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _entries(self, payments: Payments, args: dict[str, Any], call: Call) -> Page:
        search = compile_search(args.get("query"), TRANSACTION_FIELDS)
        call.ignored("balanceTransactions", args.get("query"), search)
        rows = [(one.at.isoformat(), number_of(one.id), one) for one in payments.transactions() if search.test(one)]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)


def _entry_fields(kind: str) -> Resolvers:
    payout, order = "ShopifyPaymentsBalanceTransactionAssociatedPayout", "ShopifyPaymentsAssociatedOrder"
    return {
        (kind, "id"): shows("id"),
        (kind, "type"): shows("kind"),
        (kind, "sourceType"): lambda one, _a, _c: SOURCE_TYPES[one.kind],
        (kind, "sourceId"): lambda one, _a, _c: str(number_of(one.id)),
        (kind, "sourceOrderTransactionId"): lambda one, _a, _c: str(number_of(one.source.id)) if one.source else None,
        (kind, "test"): lambda one, _a, _c: one.order.test,
        (kind, "transactionDate"): lambda one, _a, _c: iso(one.at),
        (kind, "adjustmentsOrders"): lambda one, _a, _c: list(one.shares),
        (kind, "associatedOrder"): lambda one, _a, _c: None if one.shares else one.order,
        **_share_fields("ShopifyPaymentsAdjustmentOrder"),
        (kind, "associatedPayout"): lambda one, _a, _c: one,
        **{
            (kind, name): (lambda key: lambda one, _a, _c: Money(getattr(one, key), one.order.currency))(name)
            for name in ("amount", "fee", "net")
        },
        (payout, "id"): lambda one, _a, _c: one.payout_id,
        (payout, "status"): lambda one, _a, _c: "PAID" if one.paid_out else "SCHEDULED",
        (order, "id"): shows("id"),
        (order, "name"): shows("name"),
    }


def _share_fields(kind: str) -> Resolvers:
    """An order's share of an adjustment: its transaction and its amount."""
    return {
        (kind, "amount"): lambda one, _a, _c: Money(one[1], one[0].order.currency),
        (kind, "net"): lambda one, _a, _c: Money(one[1], one[0].order.currency),
        (kind, "fees"): lambda one, _a, _c: Money(NOTHING, one[0].order.currency),
        (kind, "name"): lambda one, _a, _c: one[0].order.name,
        (kind, "orderTransactionId"): lambda one, _a, _c: str(number_of(one[0].id)),
        (kind, "link"): lambda one, _a, _c: f"https://shop.example/admin/orders/{number_of(one[0].order.id)}",
    }


def _sum(total: Callable[[Payout], Decimal]) -> Any:
    return lambda one, _args, _call: Money(total(one), one.currency)
