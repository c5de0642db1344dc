"""``/ecom/v1/orders/{id}/activities``: what merchants and apps write into an order's log."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.orders.office import MANAGE, Office, declared
from storebridge_sandbox.wix.orders.reading import object_in, text_in
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import WixOrder
from storebridge_sandbox.wix.wire import validation_error

BASE = "/ecom/v1/orders/{id}/activities"
SEVERAL = "/ecom/v1/orders/{orderId}/activities/add"
LONGEST_COMMENT = 5000
MOST = 300
OWN = ("MERCHANT_COMMENT", "CUSTOM_ACTIVITY")


class ActivityAnswers:
    """Comments and custom activities; the site's own entries cannot be changed."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> list[Operation]:
        call = declared("ecom_orders")
        one = BASE + "/{activityId}"
        return [
            call("addActivities", "POST", SEVERAL, self.add_several, MANAGE),
            call("addActivity", "POST", BASE, self.add, MANAGE),
            call("updateActivity", "PATCH", one, self.update, MANAGE),
            call("deleteActivity", "DELETE", one, self.delete, MANAGE),
        ]

    def add(self, call: Call) -> dict[str, Any]:
        order = self._office.find(call.params["id"])
        kind, content = _read(object_in(call.arguments.get("activity"), "activity"), "activity")
        activity_id = self._office.orders.note(order, kind, **content)
        self._changed(order, call)
        return {"order": order.shown, "activityId": activity_id}

    def add_several(self, call: Call) -> dict[str, Any]:
        """Comments only."""
        order = self._office.find(call.params["orderId"])
        read = [_read(row, f"orderActivities[{n}]") for n, row in enumerate(call.rows("orderActivities", MOST))]
        if any(kind != "MERCHANT_COMMENT" for kind, _ in read):
            raise validation_error("orderActivities", "takes merchant comments only", "OTHER")
        ids = [self._office.orders.note(order, kind, **content) for kind, content in read]
        self._changed(order, call)
        return {"order": order.shown, "activityIds": ids}

    def update(self, call: Call) -> dict[str, Any]:
        order, activity = self._activity(call)
        kind, content = _read(object_in(call.arguments.get("activity"), "activity"), "activity")
        if kind != activity["activityType"]:
            raise validation_error("activity", f"must stay a {activity['activityType']}", "OTHER")
        order.activities = [{**one, **content} if one is activity else one for one in order.activities]
        self._changed(order, call)
        return {"order": order.shown}

    def delete(self, call: Call) -> dict[str, Any]:
        order, activity = self._activity(call)
        order.activities.remove(activity)
        self._changed(order, call)
        return {"order": order.shown}

    def _activity(self, call: Call) -> tuple[WixOrder, dict[str, Any]]:
        order = self._office.find(call.params["id"])
        wanted = call.params["activityId"]
        found = next((one for one in order.activities if one["id"] == wanted), None)
        if found is None or found["activityType"] not in OWN:
            raise refusal("ACTIVITY_NOT_FOUND", f"No comment or custom activity {wanted!r}")
        return order, found

    def _changed(self, order: WixOrder, call: Call) -> None:
        self._office.orders.touch(order)
        self._office.news.updated(order, call.actor)
        call.wrote = True


def _read(message: dict[str, Any], field: str) -> tuple[str, dict[str, Any]]:
    comment, custom = message.get("merchantComment"), message.get("customActivity")
    if (comment is None) == (custom is None):
        raise validation_error(field, "takes merchantComment or customActivity", "ONE_OF")
    if comment is not None:
        text = object_in(comment, f"{field}.merchantComment").get("message")
        if not text:
            raise validation_error(f"{field}.merchantComment.message", "must not be empty", "MIN_LENGTH")
        text_in(text, f"{field}.merchantComment.message", LONGEST_COMMENT)
        return "MERCHANT_COMMENT", {"merchantComment": {"message": text}}
    kind = object_in(custom, f"{field}.customActivity").get("type")
    text_in(kind, f"{field}.customActivity.type", 100)
    return "CUSTOM_ACTIVITY", {}
