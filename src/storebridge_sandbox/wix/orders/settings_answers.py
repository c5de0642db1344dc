"""``/ecom/v1/orders-settings``: when orders lower stock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.orders.office import MANAGE, READ, Office, declared
from storebridge_sandbox.wix.settings import Trigger
from storebridge_sandbox.wix.wire import validation_error, wix_date

TRIGGERS: tuple[Trigger, ...] = ("ON_ORDER_PLACED", "ON_ORDER_PAID")
PATH = "/ecom/v1/orders-settings"


class OrdersSettingsAnswers:
    """The site-wide settings of orders."""

    def __init__(self, office: Office, now: Callable[[], datetime]) -> None:
        self._office = office
        self._now = now
        self._opened_at = now()
        self._changed_at = self._opened_at
        self._create_invoice = False

    def operations(self) -> list[Operation]:
        call = declared("ecom_orders-settings")
        return [
            call("getOrdersSettings", "GET", PATH, self.settings, READ),
            call("updateOrdersSettings", "PATCH", PATH, self.update_settings, MANAGE),
        ]

    def settings(self, _call: Call) -> dict[str, Any]:
        return {"ordersSettings": self._payload()}

    def update_settings(self, call: Call) -> dict[str, Any]:
        asked = call.part("ordersSettings")
        trigger = asked.get("inventoryUpdateTrigger", self._office.orders.trigger)
        if trigger not in TRIGGERS:
            raise validation_error("ordersSettings.inventoryUpdateTrigger", "is unknown", "INVALID_ENUM_VALUE")
        self._office.orders.trigger = trigger
        self._create_invoice = bool(asked.get("createInvoice", self._create_invoice))
        self._changed_at = self._now()
        self._office.news.settings_changed(self._payload(), call.actor)
        call.wrote = True
        return {"ordersSettings": self._payload()}

    def _payload(self) -> dict[str, Any]:
        return {
            "inventoryUpdateTrigger": self._office.orders.trigger,
            "createInvoice": self._create_invoice,
            "createdDate": wix_date(self._opened_at),
            "updatedDate": wix_date(self._changed_at),
        }
