"""Who buys: the customers that orders bring with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from storebridge_sandbox.shopify.call import Resolvers, shows
from storebridge_sandbox.shopify.ids import Numbers, number_of
from storebridge_sandbox.shopify.mutations import showing


@dataclass(slots=True, eq=False)
class Buyer:
    """A customer as orders know one."""

    graphql_type: ClassVar[str] = "Customer"
    id: str
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    locale: str = "en"
    tax_exempt: bool = False
    state: str = "DISABLED"
    addresses: list[dict[str, Any]] = field(default_factory=list)
    default_address_id: str | None = None
    email_consent: dict[str, Any] = field(default_factory=dict)
    sms_consent: dict[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def default_address(self) -> dict[str, Any] | None:
        return next((one for one in self.addresses if one["id"] == self.default_address_id), None)

    @property
    def display_name(self) -> str:
        name = " ".join(part for part in (self.first_name, self.last_name) if part)
        return name or self.email or self.phone or ""

    def facts(self) -> dict[str, Any]:
        facts = {"email": self.email, "phone": self.phone, "first_name": self.first_name, "last_name": self.last_name}
        return {name: value for name, value in facts.items() if value}


class Buyers:
    """Found by id, else by e-mail; made when an order brings somebody new."""

    def __init__(self, numbers: Numbers, now: Callable[[], datetime]) -> None:
        self._numbers = numbers
        self._now = now
        self.known: dict[str, Buyer] = {}
        self._by_email: dict[str, str] | None = None

    def of_order(self, asked: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        wanted = asked.get("toUpsert") or asked.get("toAssociate") or {}
        found = self._found(wanted)
        if found is None and asked.get("toUpsert"):
            found = self.new()
        if found is None:
            return None
        if asked.get("toUpsert"):
            for name, key in (
                ("email", "email"),
                ("phone", "phone"),
                ("first_name", "firstName"),
                ("last_name", "lastName"),
            ):
                setattr(found, name, wanted.get(key) or getattr(found, name))
            self.noted(found)
        return found.id, found.facts()

    def at_checkout(self, told: Mapping[str, Any]) -> tuple[Buyer, bool] | None:
        """Who buys, and whether the shop did not know them before; None for a shopper without an e-mail address."""
        email = str(told.get("email") or "").strip()
        if not email:
            return None
        found = self.by_email(email)
        buyer = found or self.new()
        buyer.email = buyer.email or email
        buyer.first_name = buyer.first_name or told.get("first_name") or None
        buyer.last_name = buyer.last_name or told.get("last_name") or None
        if found is None:
            self.noted(buyer)
        return buyer, found is None

    def by_email(self, email: str) -> Buyer | None:
        """Looked up, not searched for: a shop has many customers, and every order asks."""
        address = email.strip().lower()
        held = self._addresses()
        if address not in held:
            return None
        found = self.known.get(held[address])
        if found is None or _address(found) != address:
            self._by_email = None
            found = self.known.get(self._addresses().get(address, ""))
        return found

    def noted(self, one: Buyer) -> None:
        """They have this e-mail address from now on."""
        if one.email and self.by_email(one.email) is None:
            self._addresses()[_address(one)] = one.id

    def _addresses(self) -> dict[str, str]:
        if self._by_email is None:
            self._by_email = {_address(one): one.id for one in reversed(self.known.values()) if one.email}
        return self._by_email

    def new(self) -> Buyer:
        """Somebody of whom nothing is known yet."""
        moment = self._now()
        made = Buyer(self._numbers.new("Customer"), None, None, None, None, created_at=moment, updated_at=moment)
        self.known[made.id] = made
        return made

    def reached(self, email: str | None, phone: str | None) -> Buyer | None:
        """Who has this e-mail address or, without one, this phone number."""
        address, digits = (email or "").strip().lower(), _digits(phone)
        if not digits:
            return self.by_email(address)
        for one in self.known.values():
            if (address and (one.email or "").lower() == address) or (digits and _digits(one.phone) == digits):
                return one
        return None

    def _found(self, wanted: Mapping[str, Any]) -> Buyer | None:
        if wanted.get("id"):
            return self.known.get(wanted["id"])
        return self.by_email(wanted.get("email") or "")

    def shown(self, customer_id: str) -> Buyer | None:
        return self.known.get(customer_id)

    def payload(self, customer_id: str) -> dict[str, Any] | None:
        found = self.known.get(customer_id)
        if found is None:
            return None
        return {"id": number_of(found.id), "admin_graphql_api_id": found.id, **found.facts()}

    def resolvers(self) -> Resolvers:
        return {
            **showing("Customer", ("id", "email", "phone", "firstName", "lastName", "displayName")),
            ("Customer", "legacyResourceId"): lambda one, _a, _c: str(number_of(one.id)),
            ("Customer", "defaultEmailAddress"): lambda one, _a, _c: one if one.email else None,
            ("CustomerEmailAddress", "emailAddress"): shows("email"),
        }


def _address(one: Buyer) -> str:
    return (one.email or "").strip().lower()


def _digits(phone: str | None) -> str:
    return "".join(one for one in phone or "" if one.isdigit())
