"""``/ecom/v1/orders``: search, get, aggregate, update, cancel, status, tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.orders.language import LANGUAGE, MOST_SORTS, OrderRow
from storebridge_sandbox.wix.orders.office import HELD, MANAGE, READ, Bulk, Office, declared, texts_in
from storebridge_sandbox.wix.orders.reading import object_in, one_of, text_in
from storebridge_sandbox.wix.orders.refusals import order_missing, refusal
from storebridge_sandbox.wix.orders.state import WixOrder
from storebridge_sandbox.wix.query import Page, Question
from storebridge_sandbox.wix.query_in_order import page_in_order
from storebridge_sandbox.wix.wire import WixRefusal, application_error, validation_error

BASE = "/ecom/v1/orders"
UPDATABLE = (
    ("buyerInfo", "email"),
    ("buyerLanguage",),
    ("weightUnit",),
    ("billingInfo",),
    ("archived",),
    ("attributionSource",),
    ("seenByAHuman",),
    ("recipientInfo",),
    ("shippingInfo", "logistics", "shippingDestination"),
)
"""What an update may change; anything else in it is ignored."""
ALLOWED: dict[str, frozenset[Any]] = {
    "archived": frozenset((True, False)),
    "seenByAHuman": frozenset((True, False)),
    "weightUnit": frozenset(("KG", "LB")),
    "attributionSource": frozenset(("UNSPECIFIED", "FACEBOOK_ADS")),
}
AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {"$sum": sum, "$min": min, "$max": max, "$avg": fmean}
MOST_TAGS = 100
NEXT = {"INITIALIZED": ("APPROVED", "CANCELED"), "APPROVED": ("CANCELED",)}
SETTABLE = ("APPROVED", "CANCELED")


class OrderAnswers:
    """Answers about orders that are there."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> list[Operation]:
        call = declared("ecom_orders")
        bulk = "/ecom/v1/bulk/orders"
        return [
            call("searchOrders", "POST", f"{BASE}/search", self.search, READ, lag="search"),
            call("aggregateOrders", "POST", f"{BASE}/aggregate", self.aggregate, READ, lag="search"),
            call("getOrder", "GET", BASE + "/{id}", self.get, READ, lag="get"),
            call("updateOrder", "PATCH", BASE + "/{id}", self.update, MANAGE),
            call("bulkUpdateOrders", "POST", f"{bulk}/update", self.bulk_update, MANAGE),
            call("bulkUpdateOrderTags", "POST", f"{bulk}/update-tags", self.bulk_update_tags, MANAGE),
            call("cancelOrder", "POST", BASE + "/{id}/cancel", self.cancel, MANAGE),
            call("updateOrderStatus", "POST", BASE + "/{orderId}/update-status", self.update_status, MANAGE),
        ]

    def search(self, call: Call) -> dict[str, Any]:
        question = LANGUAGE.read(call.part("search"))
        if len(question.sort) > MOST_SORTS:
            raise validation_error("search.sort", f"must have a size less than or equal to {MOST_SORTS}", "MAX_SIZE")
        page = self._page(question, call.read_moment)
        return {"orders": [row.shown for row in page.rows], "metadata": page.metadata()}

    def aggregate(self, call: Call) -> dict[str, Any]:
        """``{"aggregation": {name: {"$count": [fields]} | {"$sum"|"$min"|"$max"|"$avg": field}}}``.

        Counts are told per value, those of several fields joined by ``|``.
        """
        question = LANGUAGE.read({"filter": call.part("filter")})
        rows = [row for row in self._rows(question, call.read_moment) if question.matches(row)]
        separator = str(call.arguments.get("hierarchySeparatorOverride") or "|")
        asked = object_in(call.arguments.get("aggregation"), "aggregation")
        return {"aggregates": {name: _aggregated(part, rows, separator) for name, part in asked.items()}}

    def get(self, call: Call) -> dict[str, Any]:
        """One order, also an INITIALIZED one."""
        order = self._office.find(call.params["id"])
        shown = order.shown_as_of(call.get_moment)
        if shown is None:
            raise order_missing(order.id)
        return {"order": shown}

    def update(self, call: Call) -> dict[str, Any]:
        order = self._office.changeable(call.params["id"])
        self._apply(order, call.part("order"), call)
        call.wrote = True
        return {"order": order.shown}

    def bulk_update(self, call: Call) -> dict[str, Any]:
        bulk, whole = Bulk(), call.flag("returnEntity")
        for row in call.rows("orders", 100):
            message = row.get("order")
            order_id = message.get("id") if isinstance(message, dict) else None
            try:
                order = self._office.changeable(order_id)
                self._apply(order, object_in(message, "orders.order"), call)
            except WixRefusal as refused:
                bulk.failed(order_id, refused)
            else:
                bulk.done(order.id, order.shown if whole else None)
        call.wrote = True
        return bulk.answer()

    def bulk_update_tags(self, call: Call) -> dict[str, Any]:
        assign, unassign = call.part("assignTags"), call.part("unassignTags")
        if not assign and not unassign:
            raise refusal("EMPTY_ASSIGN_AND_UNASSIGN_LISTS", "Nothing to assign and nothing to unassign")
        bulk = Bulk()
        for order_id in texts_in(call, "orderIds", 100):
            try:
                order = self._office.find(order_id)
                order.told["tags"] = _tagged(order.told.get("tags") or {}, assign, unassign)
            except WixRefusal as refused:
                bulk.failed(order_id, refused)
            else:
                self._changed(order, call)
                bulk.done(order.id)
        call.wrote = True
        return bulk.answer()

    def cancel(self, call: Call) -> dict[str, Any]:
        order = self._office.changeable(call.params["id"])
        if any(payment.status == "AUTHORIZED" for payment in order.payments):
            raise refusal("ORDER_HAS_AUTHORIZED_TRANSACTION", "Capture or void the authorized payment first")
        restock = call.flag("restockAllItems")
        told: dict[str, Any] = {
            "restockAllItems": restock,
            "sendOrderCanceledEmail": call.flag("sendOrderCanceledEmail"),
        }
        if call.arguments.get("customMessage"):
            told["customMessage"] = text_in(call.arguments["customMessage"], "customMessage", 1000)
        if order.status != "CANCELED":
            self._office.cancel(order, call.actor, restock=restock, told=told)
        call.wrote = True
        return {"order": order.shown}

    def update_status(self, call: Call) -> dict[str, Any]:
        """Approve an order that waits, or cancel one; nothing else is reached this way."""
        order = self._office.find(call.params["orderId"])
        status = str(call.arguments.get("status"))
        if status not in SETTABLE:
            raise refusal("STATUS_NOT_SUPPORTED", f"An order cannot be set to {status}")
        if status == order.status:
            raise refusal("STATUS_ALREADY_SET", f"The order is {status} already")
        if status not in NEXT.get(order.status, ()):
            raise refusal("UNSUPPORTED_TRANSITION", f"{order.status} does not become {status}")
        if status == "CANCELED":
            told = {"restockAllItems": False, "sendOrderCanceledEmail": False}
            self._office.cancel(order, call.actor, restock=False, told=told)
        else:
            self._office.staff.approve(order)
            self._office.news.approved(order, call.actor)
            self._office.news.updated(order, call.actor)
        call.wrote = True
        return {"order": order.shown}

    def _changed(self, order: WixOrder, call: Call) -> None:
        self._office.orders.touch(order)
        self._office.news.updated(order, call.actor)

    def _apply(self, order: WixOrder, message: dict[str, Any], call: Call) -> None:
        """Merge the updatable parts; a null takes a part away."""
        changed = {path: found for path in UPDATABLE if (found := _at(message, path)) is not _ABSENT}
        for path, value in changed.items():
            if path[0] in ALLOWED:
                one_of(value, ALLOWED[path[0]], f"order.{path[0]}")
        for path, value in changed.items():
            if path[0] in ALLOWED or path == ("buyerLanguage",):
                order.told[path[0]] = value
            else:
                _put(order, path, value)
        if ("buyerInfo", "email") in changed:
            self._office.orders.note(order, "EMAIL_EDITED")
        if UPDATABLE[-1] in changed:
            self._office.orders.note(order, "SHIPPING_ADDRESS_EDITED")
        self._changed(order, call)

    # -- search --------------------------------------------------------------------------------------------

    def _page(self, question: Question, moment: datetime | None) -> Page:
        if moment is None and not NAMED & question.wanted.keys():
            sees = self._sight(question, None)
            page = page_in_order(LANGUAGE, question, self._office.orders.kept, sees)
            if page is not None:
                return page
        return LANGUAGE.page(question, self._rows(question, moment))

    def _rows(self, question: Question, moment: datetime | None) -> Iterator[OrderRow]:
        sees = self._sight(question, moment)
        rows = (sees(order) for order in self._candidates(question, moment))
        return (row for row in rows if row is not None)

    def _sight(self, question: Question, moment: datetime | None) -> Callable[[WixOrder], OrderRow | None]:
        """What the index shows: INITIALIZED never, PENDING and REJECTED when the filter names a status."""
        hidden = {"INITIALIZED"} if "status" in question.filter else {"INITIALIZED", *HELD}
        youngest = self._youngest(question)

        def sees(order: WixOrder) -> OrderRow | None:
            earlier = None if moment is None else order.shown_as_of(moment)
            if moment is not None and earlier is None:
                return None
            if (order.status if earlier is None else earlier["status"]) in hidden:
                return None
            return None if youngest is not None and order.created_at > youngest else OrderRow(order, earlier)

        return sees

    def _youngest(self, question: Question) -> datetime | None:
        """Orders made later are not found by their external id yet (W25)."""
        lag = self._office.orders.quirks.w25_external_id_lag_ms
        if not lag or EXTERNAL_ID not in question.filter:
            return None
        return self._office.orders.now() - timedelta(milliseconds=lag)

    def _candidates(self, question: Question, moment: datetime | None) -> Iterable[WixOrder]:
        wanted = question.wanted.get("id")
        if wanted is None and moment is None and EXTERNAL_ID in question.wanted:
            kept, values = self._office.orders.kept[EXTERNAL_ID], question.wanted[EXTERNAL_ID]
            return [row[2] for one in dict.fromkeys(values) for row in kept.having(one or "")]
        if wanted is None:
            return self._office.orders.orders.values()
        found = (self._office.orders.orders.get(str(one)) for one in dict.fromkeys(wanted))
        return [order for order in found if order is not None]


EXTERNAL_ID = "channelInfo.externalOrderId"
NAMED = {"id", EXTERNAL_ID}
"""Fields by which the few orders that are meant are found."""
_ABSENT = object()


def _at(message: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = message
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _put(order: WixOrder, path: tuple[str, ...], value: Any) -> None:
    """Into a copy: the older faces of the order keep theirs."""
    shown = order.shown.get(path[0]) or {}
    order.told[path[0]] = _merged(shown, path[1:], value)


def _merged(old: Any, path: tuple[str, ...], value: Any) -> Any:
    if path:
        held = old if isinstance(old, dict) else {}
        return {**held, path[0]: _merged(held.get(path[0]), path[1:], value)}
    if isinstance(value, dict) and isinstance(old, dict):
        merged = {**old, **{name: _merged(old.get(name), (), inner) for name, inner in value.items()}}
        return {name: inner for name, inner in merged.items() if inner is not None}
    return value


def _tagged(old: dict[str, Any], assign: dict[str, Any], unassign: dict[str, Any]) -> dict[str, Any]:
    tagged: dict[str, Any] = {}
    for kind in ("privateTags", "tags"):
        held = list((old.get(kind) or {}).get("tagIds") or [])
        gone = set((unassign.get(kind) or {}).get("tagIds") or [])
        more = [tag for tag in (assign.get(kind) or {}).get("tagIds") or [] if tag not in held]
        tags = [tag for tag in [*held, *more] if tag not in gone]
        if len(tags) > MOST_TAGS:
            raise validation_error(f"{kind}.tagIds", f"must have a size less than or equal to {MOST_TAGS}", "MAX_SIZE")
        tagged[kind] = {"tagIds": tags}
    return tagged


def _aggregated(part: Any, rows: list[OrderRow], separator: str) -> Any:
    for operator, asked in object_in(part, "aggregation").items():
        if operator == "$count":
            names = asked if isinstance(asked, list) else [asked]
            reads = [LANGUAGE.reader(str(name)) for name in names]
            return dict(Counter(separator.join(str(read(row)) for read in reads) for row in rows))
        if operator in AGGREGATES:
            values = [value for row in rows if (value := LANGUAGE.reader(str(asked))(row)) is not None]
            if not all(isinstance(value, int | float) for value in values):
                raise application_error(400, "INVALID_AGGREGATION", f"{asked} is no number")
            return AGGREGATES[operator](values) if values else 0
    raise application_error(400, "INVALID_AGGREGATION", "An aggregation needs $count, $sum, $min, $max or $avg")
