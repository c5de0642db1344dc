"""Which events follow from what happened to orders."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.notices import Notices
from storebridge_sandbox.wix.orders.parcels import parcels_payload
from storebridge_sandbox.wix.orders.state import Chargeback, WixOrder, WixRefund
from storebridge_sandbox.wix.orders.transactions import (
    chargeback_payload,
    refund_completed,
    transactions_payload,
)
from storebridge_sandbox.wix.quirks import WixQuirks

ORDER = "wix.ecom.v1.order"
TRANSACTIONS = "wix.ecom.v1.order_transactions"


class OrderNews:
    """Sends the events about orders, their parcels and their money."""

    def __init__(self, notices: Notices, quirks: WixQuirks) -> None:
        self._notices = notices
        self._quirks = quirks
        self._unborn: set[str] = set()

    def placed(self, order: WixOrder, actor: Actor) -> None:
        """``order_created`` may speak of a checkout that has not ended (W21)."""
        if order.status == "INITIALIZED" and not self._quirks.w21_created_while_initialized:
            self._unborn.add(order.id)
            return
        self._created(order, actor)
        if order.status == "APPROVED":
            self.approved(order, actor)
        if order.payment_status == "PAID":
            self.payment_moved(order, "NOT_PAID", actor)

    def settled(self, order: WixOrder, before: str, actor: Actor, *, approved: bool) -> None:
        """Payments changed, and with them perhaps the order's status."""
        self._born(order, actor)
        if order.payment_status != before:
            self.payment_moved(order, before, actor)
        if approved:
            self.approved(order, actor)
        self.updated(order, actor)

    def cancelled(self, order: WixOrder, told: dict[str, Any], actor: Actor) -> None:
        self._born(order, actor)
        self._acted("canceled", order, told, actor)
        self.updated(order, actor)

    def refunded(self, order: WixOrder, refund: WixRefund, before: str, actor: Actor) -> None:
        """``refund_completed`` goes out once, when no transaction of the refund is under way any more."""
        if refund.completed:
            body = refund_completed(refund, order)
            self._notices.acted(f"{TRANSACTIONS}_refund_completed", order.id, body, actor)
        if order.payment_status != before:
            self.payment_moved(order, before, actor)
        self.money_moved(order, [], [refund.id], actor)
        self.updated(order, actor)

    def money_moved(self, order: WixOrder, payment_ids: list[str], refund_ids: list[str], actor: Actor) -> None:
        event = f"{TRANSACTIONS}_details_updated"
        if self._notices.wants(event):
            body = {
                "orderTransactions": transactions_payload(order),
                "paymentIds": payment_ids,
                "refundIds": refund_ids,
            }
            self._notices.acted(event, order.id, body, actor)

    def charged_back(self, order: WixOrder, chargeback: Chargeback, actor: Actor) -> None:
        slug = "chargeback_approved" if chargeback.status == "APPROVED" else "chargeback_reversed"
        body = {
            "orderId": order.id,
            "paymentId": chargeback.payment_id,
            "chargeback": chargeback_payload(chargeback, order),
            "orderTransactions": transactions_payload(order),
        }
        self._notices.acted(f"{TRANSACTIONS}_{slug}", order.id, body, actor)
        self.updated(order, actor)

    def shipped(self, order: WixOrder, actor: Actor, *, fulfilled: bool) -> None:
        """Serves new, changed and deleted parcels; ``fulfilled`` says that nothing is open since this one."""
        event = "wix.ecom.v1.fulfillments_updated"
        self._notices.updated(event, parcels_payload(order), actor, entity_id=order.id)
        if fulfilled:
            self._acted("fulfilled", order, {}, actor)
        self.updated(order, actor)

    def committed(self, order: WixOrder, more: dict[str, Any], actor: Actor) -> None:
        """An edit is a draft that is committed onto the order."""
        self._acted("committed", order, more, actor)
        self.updated(order, actor)

    def imported(self, order: WixOrder, actor: Actor) -> None:
        """The only event of an import (W9)."""
        self._acted("imported", order, {}, actor)
        if self._quirks.w9_import_fires_standard_events:
            self._created(order, actor)

    def imported_deleted(self, order: WixOrder, actor: Actor) -> None:
        self._acted("imported_order_deleted", order, {}, actor)

    def updated(self, order: WixOrder, actor: Actor) -> None:
        self._notices.updated(f"{ORDER}_updated", order.shown, actor)

    def approved(self, order: WixOrder, actor: Actor) -> None:
        self._acted("approved", order, {}, actor)

    def payment_moved(self, order: WixOrder, before: str, actor: Actor) -> None:
        self._acted("payment_status_updated", order, {"previousPaymentStatus": before}, actor)

    def settings_changed(self, settings: dict[str, Any], actor: Actor) -> None:
        self._notices.updated("wix.ecom.v1.orders_settings_updated", settings, actor, entity_id=self._notices.site_id)

    def _born(self, order: WixOrder, actor: Actor) -> None:
        if order.id in self._unborn:
            self._unborn.discard(order.id)
            self._created(order, actor)

    def _created(self, order: WixOrder, actor: Actor) -> None:
        self._notices.created(f"{ORDER}_created", order.shown, actor)

    def _acted(self, slug: str, order: WixOrder, more: dict[str, Any], actor: Actor) -> None:
        self._notices.acted(f"{ORDER}_{slug}", order.id, {"order": order.shown, **more}, actor)
