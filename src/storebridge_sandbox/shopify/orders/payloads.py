"""Orders, refunds, fulfilments and returns as webhooks carry them: REST shapes, numeric ids, money as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from storebridge_sandbox.orders import RefundedLine
from storebridge_sandbox.shopify.call import iso
from storebridge_sandbox.shopify.fulfilments.payloads import (
    event_payload,
    fulfilment_order_payload,
    fulfilment_payload,
    hold_payload,
    moved_payload,
)
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.money import ZERO, Bag, decimal_text, money_text
from storebridge_sandbox.shopify.returns.payloads import return_payload
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.customers_port import Customers
from storebridge_sandbox.shopify.sales.rest_lines import line_payload, money_set, property_list, tax_list
from storebridge_sandbox.shopify.sales.shown import restock_type
from storebridge_sandbox.shopify.sales.state import ShippingLine, ShopOrder, ShopRefund, Transaction

Payload = dict[str, Any]

ORDER_TOTALS: dict[str, Callable[[ShopOrder], Bag]] = {
    "current_subtotal_price": totals.current_subtotal,
    "current_total_discounts": totals.current_discounts,
    "current_total_price": totals.current_total,
    "current_total_tax": totals.current_tax,
    "subtotal_price": totals.subtotal,
    "total_discounts": totals.discounts,
    "total_line_items_price": lambda order: (
        totals.subtotal(order) + totals.discounts(order) - totals.shipping_discount(order)
    ),
    "total_price": totals.total_price,
    "total_tax": totals.tax,
}


class Payloads:
    """``word(topic, thing)``: the body of a webhook of that topic."""

    def __init__(self, customers: Customers) -> None:
        self._customers = customers

    def word(self, topic: str, thing: Any) -> Payload:
        group, _, verb = topic.partition("/")
        if topic == "orders/delete":
            return {"id": number_of(thing.id)}
        if topic == "orders/edited":
            return edit_payload(thing)
        words: dict[str, Callable[[Any], Payload]] = {
            "orders": self.order,
            "refunds": refund_payload,
            "order_transactions": transaction_payload,
            "fulfillments": fulfilment_payload,
            "fulfillment_events": lambda pair: event_payload(*pair),
            "returns": return_payload,
            "reverse_fulfillment_orders": lambda line: {"reverse_fulfillment_order_id": number_of(line.order.id)},
            "reverse_deliveries": lambda one: {"id": number_of(one.id), "admin_graphql_api_id": one.id},
        }
        if group == "fulfillment_orders":
            special = {"placed_on_hold": hold_payload, "moved": moved_payload}
            return special.get(verb, fulfilment_order_payload)(thing)
        return words[group](thing)

    def order(self, order: ShopOrder) -> Payload:
        """``orders/create``, ``orders/updated``, ``orders/paid``, ``orders/cancelled`` and so on."""
        customer = self._customers.payload(order.customer_id) if order.customer_id else None
        return {**_identity(order), **_states(order), **_amounts(order), **_contents(order), "customer": customer}


def _identity(order: ShopOrder) -> Payload:
    number = number_of(order.id)
    return {
        "id": number,
        "admin_graphql_api_id": order.id,
        "app_id": 1,
        "name": order.name,
        "number": order.number - 1000,
        "order_number": order.number,
        "confirmation_number": f"{number:X}"[-9:],
        "confirmed": True,
        "token": f"{number:032x}",
        "order_status_url": f"https://checkout.invalid/{number}",
        "email": order.email or order.customer.get("email") or "",
        "contact_email": order.email or order.customer.get("email"),
        "phone": order.phone or order.customer.get("phone"),
        "note": order.note,
        "note_attributes": property_list(order.attributes),
        "po_number": order.po_number,
        "source_identifier": order.origin,
        "source_name": order.source_name or "web",
        "source_url": order.source_url,
        "tags": ", ".join(order.tags),
        "test": order.test,
        "user_id": None,
        "location_id": None,
        "buyer_accepts_marketing": False,
        "browser_ip": None,
        "cart_token": None,
        "checkout_id": None,
        "checkout_token": None,
        "client_details": None,
        "customer_locale": None,
        "device_id": None,
        "landing_site": None,
        "referring_site": None,
        "reference": order.origin,
    }


def _states(order: ShopOrder) -> Payload:
    status = totals.financial_status(order)
    return {
        "created_at": iso(order.created_at),
        "updated_at": iso(order.updated_at),
        "processed_at": _time(order.processed_at),
        "closed_at": _time(order.closed_at),
        "cancelled_at": _time(order.cancelled_at),
        "cancel_reason": order.cancel_reason.lower() if order.cancel_reason else None,
        "financial_status": status.lower() if status else "pending",
        "fulfillment_status": _fulfilment_status(order),
        "payment_gateway_names": totals.gateways(order),
        "payment_terms": None,
        "merchant_of_record_app_id": None,
    }


def _fulfilment_status(order: ShopOrder) -> str | None:
    sent = sum(line.fulfilled for line in order.lines)
    if not sent:
        return None
    return "partial" if any(line.unfulfilled > 0 for line in order.lines) else "fulfilled"


def _amounts(order: ShopOrder) -> Payload:
    shown: Payload = {}
    for name, total in ORDER_TOTALS.items():
        bag = total(order)
        shown[name] = money_text(bag.shop)
        shown[f"{name}_set"] = money_set(order, bag)
    return {
        **shown,
        "currency": order.currency,
        "presentment_currency": order.presentment_currency,
        "taxes_included": order.taxes_included,
        "tax_exempt": False,
        "estimated_taxes": False,
        "duties_included": False,
        "current_total_additional_fees_set": None,
        "current_total_duties_set": None,
        "original_total_additional_fees_set": None,
        "original_total_duties_set": None,
        "total_outstanding": money_text(totals.outstanding(order).shop),
        "total_shipping_price_set": money_set(order, totals.shipping_price(order)),
        "total_cash_rounding_payment_adjustment_set": money_set(order, ZERO),
        "total_cash_rounding_refund_adjustment_set": money_set(order, ZERO),
        "total_tip_received": "0.00",
        "total_weight": 0,
    }


def _contents(order: ShopOrder) -> Payload:
    return {
        "billing_address": _address(order.billing_address),
        "shipping_address": _address(order.shipping_address),
        "discount_applications": [_application(one) for one in order.discounts],
        "discount_codes": [_code(order, one) for one in order.discounts if one.kind == "code"],
        "fulfillments": [fulfilment_payload(parcel) for parcel in order.fulfilments],
        "line_items": [line_payload(line) for line in order.shop_lines()],
        "refunds": [refund_payload(refund) for refund in order.shop_refunds()],
        "returns": [
            {"id": number_of(one.id), "admin_graphql_api_id": one.id, "status": one.status.lower()}
            for one in order.returns
        ],
        "shipping_lines": [_shipping(order, line) for line in order.shipping_lines],
        "tax_lines": tax_list(order, [tax for line in order.shop_lines() for tax in line.tax_lines]),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _address(address: dict[str, Any] | None) -> Payload | None:
    if address is None:
        return None
    return {
        "first_name": address.get("firstName"),
        "last_name": address.get("lastName"),
        "name": " ".join(part for part in (address.get("firstName"), address.get("lastName")) if part),
        "company": address.get("company"),
        "address1": address.get("address1"),
        "address2": address.get("address2"),
        "city": address.get("city"),
        "zip": address.get("zip"),
        "province": address.get("province"),
        "province_code": address.get("provinceCode"),
        "country": address.get("country") or address.get("countryCode"),
        "country_code": address.get("countryCode"),
        "phone": address.get("phone"),
        "latitude": None,
        "longitude": None,
    }


def _application(discount: Any) -> Payload:
    return {
        "type": "discount_code" if discount.kind == "code" else "manual",
        "title": discount.name,
        "code": discount.name,
        "value": decimal_text(discount.value),
        "value_type": "percentage" if discount.percentage else "fixed_amount",
        "allocation_method": "each" if discount.percentage else "across",
        "target_selection": "all",
        "target_type": "shipping_line" if discount.on_shipping else "line_item",
    }


def _code(order: ShopOrder, discount: Any) -> Payload:
    kind = "percentage" if discount.percentage else "fixed_amount"
    lines: list[Any] = [*order.shop_lines(), *order.shipping_lines]
    taken = sum((one.amount.shop for line in lines for one in line.allocations if one.discount is discount), ZERO.shop)
    return {"code": discount.name, "amount": money_text(taken), "type": "shipping" if discount.on_shipping else kind}


def _shipping(order: ShopOrder, line: ShippingLine) -> Payload:
    return {
        "id": number_of(line.id),
        "title": line.title,
        "code": line.code,
        "source": line.source,
        "price": money_text(line.price.shop),
        "price_set": money_set(order, line.price),
        "discounted_price": money_text(line.discounted.shop),
        "discounted_price_set": money_set(order, line.discounted),
        "discount_allocations": [],
        "tax_lines": tax_list(order, line.tax_lines),
        "carrier_identifier": None,
        "is_removed": False,
        "phone": None,
        "requested_fulfillment_service_id": None,
    }


def refund_payload(refund: ShopRefund) -> Payload:
    """``refunds/create``, and inside of orders."""
    order = refund.order
    assert order is not None
    return {
        "id": number_of(refund.id),
        "admin_graphql_api_id": refund.id,
        "order_id": number_of(order.id),
        "created_at": iso(refund.at),
        "processed_at": _time(refund.processed_at),
        "note": refund.note,
        "restock": any(back.restock for back in refund.lines),
        "user_id": None,
        "duties": [],
        "total_duties_set": money_set(order, ZERO),
        "return": {"id": number_of(refund.returned.id)} if refund.returned else None,
        "order_adjustments": _adjustments(order, refund),
        "refund_line_items": [_refund_line(refund, place, back) for place, back in enumerate(refund.lines)],
        "transactions": [transaction_payload(one) for one in refund.transactions],
    }


def _adjustments(order: ShopOrder, refund: ShopRefund) -> list[Payload]:
    rows = []
    if refund.shipping.shop:
        rows.append(("shipping_refund", "Shipping refund", ZERO - refund.shipping))
    if refund.discrepancy.shop:
        rows.append(("refund_discrepancy", "Refund discrepancy", ZERO - refund.discrepancy))
    return [
        {
            "id": number_of(refund.id) * 10 + place,
            "order_id": number_of(order.id),
            "refund_id": number_of(refund.id),
            "kind": kind,
            "reason": reason,
            "amount": money_text(bag.shop),
            "amount_set": money_set(order, bag),
            "tax_amount": "0.00",
            "tax_amount_set": money_set(order, ZERO),
        }
        for place, (kind, reason, bag) in enumerate(rows)
    ]


def _refund_line(refund: ShopRefund, place: int, back: RefundedLine) -> Payload:
    line: Any = back.line
    order = refund.order
    assert order is not None
    subtotal = line.discounted.share(back.quantity, line.quantity)
    tax = line.tax.share(back.quantity, line.quantity)
    return {
        "id": number_of(refund.id) * 1000 + place,
        "line_item_id": number_of(line.id),
        "line_item": line_payload(line),
        "quantity": back.quantity,
        "restock_type": restock_type(back).lower(),
        "location_id": number_of(back.location_id) if back.location_id else None,
        "subtotal": money_text(subtotal.shop),
        "subtotal_set": money_set(order, subtotal),
        "total_tax": money_text(tax.shop),
        "total_tax_set": money_set(order, tax),
    }


def transaction_payload(one: Transaction) -> Payload:
    """``order_transactions/create``, and inside of refunds."""
    return {
        "id": number_of(one.id),
        "admin_graphql_api_id": one.id,
        "order_id": number_of(one.order.id),
        "parent_id": number_of(one.parent.id) if one.parent else None,
        "kind": one.kind.lower(),
        "status": one.status.lower(),
        "gateway": one.gateway,
        "amount": money_text(one.amount.shop),
        "currency": one.order.currency,
        "authorization": one.authorization_code,
        "created_at": iso(one.created_at),
        "processed_at": iso(one.processed_at),
        "test": one.test,
        "source_name": one.order.source_name or "web",
        "message": None,
        "error_code": None,
        "device_id": None,
        "location_id": None,
        "user_id": None,
        "receipt": {},
        "payment_id": f"{one.order.name}.{number_of(one.id)}",
    }


def edit_payload(order: ShopOrder) -> Payload:
    """``orders/edited``: what an edit did, not the order."""
    return {
        "order_edit": {
            "app_id": 1,
            "order_id": number_of(order.id),
            "committed_at": iso(order.updated_at),
            "created_at": iso(order.updated_at),
            "notify_customer": False,
            "staff_note": order.staff_note,
            "user_id": None,
            "line_items": {
                "additions": [
                    {"id": number_of(line.id), "delta": delta} for line, delta in order.last_edit if delta > 0
                ],
                "removals": [
                    {"id": number_of(line.id), "delta": -delta} for line, delta in order.last_edit if delta < 0
                ],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
        }
    }
