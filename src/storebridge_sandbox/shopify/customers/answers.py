"""Customers as the Admin API and the webhooks show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolver, Resolvers, iso, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.paging import Page, compile_search, page_of
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.buyers import Buyer, Buyers
from storebridge_sandbox.shopify.sales.state import ShopOrder

FIELDS: dict[str, Callable[[Any], Any]] = {
    "id": lambda one: number_of(one.id),
    "email": lambda one: one.email,
    "phone": lambda one: one.phone,
    "first_name": lambda one: one.first_name,
    "last_name": lambda one: one.last_name,
    "tag": lambda one: one.tags,
    "state": lambda one: one.state,
    "country": lambda one: [address.get("countryCode") for address in one.addresses],
    "customer_date": lambda one: one.created_at,
    "created_at": lambda one: one.created_at,
    "updated_at": lambda one: one.updated_at,
}
SORT: dict[str, Callable[[Buyer], str]] = {
    "CREATED_AT": lambda one: str(one.created_at),
    "UPDATED_AT": lambda one: str(one.updated_at),
    "NAME": lambda one: one.display_name.lower(),
}


class CustomerAnswers:
    """Reads; ``by_value`` finds the owner of a unique metafield."""

    def __init__(self, buyers: Buyers, book: Orders, currency: str, by_value: Callable[[str, Any], Any]) -> None:
        self._buyers = buyers
        self._book = book
        self._currency = currency
        self._by_value = by_value

    def resolvers(self) -> Resolvers:
        return {**self._roots(), **self._fields(), **_contact_fields()}

    def _roots(self) -> Resolvers:
        return {
            ("QueryRoot", "customer"): lambda _s, args, _c: self._buyers.known.get(args["id"]),
            ("QueryRoot", "customers"): self._list,
            ("QueryRoot", "customersCount"): lambda _s, args, call: len(self._found(args, call)),
            ("QueryRoot", "customerByIdentifier"): lambda _s, args, _c: self.identified(args["identifier"]),
        }

    def _fields(self) -> Resolvers:
        return {
            **{("Customer", name): shows(name) for name in ("note", "locale", "state", "tags")},
            ("Customer", "taxExempt"): shows("tax_exempt"),
            ("Customer", "taxExemptions"): lambda _o, _a, _c: [],
            ("Customer", "hasTimelineComment"): lambda _o, _a, _c: False,
            ("Customer", "statistics"): lambda _o, _a, _c: {"predictedSpendTier": None, "rfmGroup": None},
            ("Customer", "createdAt"): shows_time("created_at"),
            ("Customer", "updatedAt"): shows_time("updated_at"),
            ("Customer", "verifiedEmail"): lambda one, _a, _c: bool(one.email),
            ("Customer", "validEmailAddress"): lambda one, _a, _c: bool(one.email),
            ("Customer", "canDelete"): lambda one, _a, _c: not self.orders_of(one),
            ("Customer", "dataSaleOptOut"): lambda _o, _a, _c: False,
            ("Customer", "lifetimeDuration"): lambda _o, _a, _c: "less than a minute",
            ("Customer", "productSubscriberStatus"): lambda _o, _a, _c: "NEVER_SUBSCRIBED",
            ("Customer", "mergeable"): lambda _o, _a, _c: {"isMergeable": True, "errorFields": [], "reason": None},
            ("Customer", "numberOfOrders"): lambda one, _a, _c: str(len(self.orders_of(one))),
            ("Customer", "amountSpent"): self._spent,
            ("Customer", "lastOrder"): lambda one, _a, _c: next(reversed(self.orders_of(one)), None),
            ("Customer", "orders"): self._orders_page,
            ("Customer", "image"): _picture,
            ("Customer", "taxSettings"): lambda _o, _a, _c: {"taxId": None},
            ("Customer", "unsubscribeUrl"): _own_page("unsubscribe"),
            ("Customer", "addresses"): lambda one, args, _c: one.addresses[: args.get("first")],
            ("Customer", "addressesV2"): lambda one, args, _c: page_of(_address_rows(one), args),
            ("Customer", "defaultAddress"): lambda one, _a, _c: one.default_address,
            ("Customer", "defaultEmailAddress"): lambda one, _a, _c: one if one.email else None,
            ("Customer", "defaultPhoneNumber"): lambda one, _a, _c: one if one.phone else None,
            ("Customer", "emailMarketingConsent"): lambda one, _a, _c: _consent(one.email_consent, one.email),
            ("Customer", "smsMarketingConsent"): lambda one, _a, _c: _consent(one.sms_consent, one.phone),
        }

    def identified(self, identifier: Mapping[str, Any]) -> Buyer | None:
        """By id, e-mail, phone or a unique metafield."""
        if identifier.get("id"):
            return self._buyers.known.get(identifier["id"])
        email, phone = identifier.get("emailAddress") or identifier.get("email"), identifier.get("phoneNumber")
        phone = phone or identifier.get("phone")
        if email or phone:
            return self._buyers.reached(email, phone)
        found = self._by_value("Customer", identifier["customId"]) if identifier.get("customId") else None
        return found if isinstance(found, Buyer) else None

    def orders_of(self, one: Buyer) -> list[ShopOrder]:
        return self._book.orders_of(one.id)

    def changed(self, order: ShopOrder) -> None:
        """Whose it is was changed."""
        self._book.changed_hands(order)

    def _found(self, args: dict[str, Any], call: Call) -> list[Buyer]:
        search = compile_search(args.get("query"), FIELDS, lambda one: f"{one.display_name} {one.email}", call=call)
        return [one for one in self._buyers.known.values() if search.test(one)]

    def _list(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        key = SORT.get(args.get("sortKey") or "ID", _own_id)
        rows = [(key(one), number_of(one.id), one) for one in self._found(args, call)]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _orders_page(self, one: Buyer, args: dict[str, Any], _call: Call) -> Page:
        return page_of([(order.id, number_of(order.id), order) for order in self.orders_of(one)], args)

    def _spent(self, one: Buyer, _args: dict[str, Any], _call: Call) -> dict[str, str]:
        paid = [order for order in self.orders_of(one) if order.cancelled_at is None]
        return {"amount": f"{sum((order.total for order in paid), start=0):.2f}", "currencyCode": self._currency}


def _own_id(one: Buyer) -> str:
    return one.id


def _address_rows(one: Buyer) -> list[tuple[str, int, dict[str, Any]]]:
    return [(address["id"], number_of(address["id"]), address) for address in one.addresses]


def _consent(held: dict[str, Any], reached_at: str | None = "") -> dict[str, Any] | None:
    """None for who cannot be reached that way."""
    if reached_at is None:
        return None
    unasked = {"marketingState": "NOT_SUBSCRIBED", "marketingOptInLevel": "SINGLE_OPT_IN", "consentUpdatedAt": None}
    return {**unasked, **held, "sourceLocation": None, "consentCollectedFrom": None}


def _level(held: dict[str, Any], name: str = "marketingOptInLevel") -> Any:
    return (_consent(held) or {})[name]


def _newer(held: dict[str, Any]) -> dict[str, Any]:
    """A consent in the form of 2026-10, which has another word for who was never asked."""
    state = _level(held, "marketingState")
    return {
        "state": "NEVER_SUBSCRIBED" if state == "NOT_SUBSCRIBED" else state,
        "optInLevel": _level(held) if held else None,
        "updatedAt": _level(held, "consentUpdatedAt"),
    }


def _own_page(name: str) -> Resolver:
    return lambda one, _args, _call: f"https://shop.example/account/{name}/{number_of(one.id)}"


def _picture(one: Buyer, _args: dict[str, Any], _call: Call) -> dict[str, Any]:
    """The picture of somebody who has none, as Shopify's own."""
    address = f"https://shop.example/pictures/{number_of(one.id)}.png"
    return dict.fromkeys(("url", "src", "originalSrc", "transformedSrc"), address)


def _state_of_address(one: Buyer) -> str | None:
    """An address knows no word for consent that was redacted: nobody may be written to."""
    state = _level(one.email_consent, "marketingState")
    return "UNSUBSCRIBED" if state == "REDACTED" else state


def _contact_fields() -> Resolvers:
    return {
        ("CustomerEmailAddress", "emailAddress"): shows("email"),
        ("CustomerEmailAddress", "validFormat"): lambda _o, _a, _c: True,
        ("CustomerEmailAddress", "marketingState"): lambda one, _a, _c: _state_of_address(one),
        ("CustomerEmailAddress", "marketingOptInLevel"): lambda one, _a, _c: _level(one.email_consent),
        ("CustomerEmailAddress", "openTrackingLevel"): lambda _o, _a, _c: "UNKNOWN",
        ("CustomerEmailAddress", "marketingUnsubscribeUrl"): _own_page("unsubscribe"),
        ("CustomerEmailAddress", "openTrackingUrl"): _own_page("open_tracking"),
        ("CustomerPhoneNumber", "smsMarketingConsent"): lambda one, _a, _c: _newer(one.sms_consent),
        ("CustomerPhoneNumber", "whatsAppMarketingConsent"): lambda _o, _a, _c: _newer({}),
        ("CustomerPhoneNumber", "phoneNumber"): shows("phone"),
        ("CustomerPhoneNumber", "marketingState"): lambda one, _a, _c: _level(one.sms_consent, "marketingState"),
    }


def customer_payload(one: Buyer, orders: list[ShopOrder]) -> dict[str, Any]:
    """``customers/create``, ``customers/update`` and the REST API."""
    return {
        "id": number_of(one.id),
        "admin_graphql_api_id": one.id,
        "email": one.email,
        "phone": one.phone,
        "first_name": one.first_name,
        "last_name": one.last_name,
        "note": one.note,
        "tags": ", ".join(one.tags),
        "state": one.state.lower(),
        "verified_email": bool(one.email),
        "tax_exempt": one.tax_exempt,
        "orders_count": len(orders),
        "total_spent": f"{sum((order.total for order in orders if order.cancelled_at is None), start=0):.2f}",
        "addresses": [_rest_address(address, one) for address in one.addresses],
        "default_address": _rest_address(one.default_address, one) if one.default_address else None,
        "created_at": iso(one.created_at) if one.created_at else None,
        "updated_at": iso(one.updated_at) if one.updated_at else None,
    }


def _rest_address(address: dict[str, Any], one: Buyer) -> dict[str, Any]:
    plain = ("address1", "address2", "city", "company", "phone", "zip")
    return {
        **{name: address.get(name) for name in plain},
        "id": number_of(address["id"]),
        "customer_id": number_of(one.id),
        "first_name": address.get("firstName"),
        "last_name": address.get("lastName"),
        "country_code": address.get("countryCode"),
        "province_code": address.get("provinceCode"),
        "default": address is one.default_address,
    }
