"""Values of the API's inputs as the state keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.money import Bag, same, to_cents
from storebridge_sandbox.shopify.mutations import UserError

Given = Mapping[str, Any]
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PHONE = re.compile(r"\+?[\d\s().-]{5,20}")


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Trimmed, each once whatever its case, in alphabetical order (recorded)."""
    known: dict[str, str] = {}
    for tag in tags:
        for one in tag.split(","):
            if one.strip():
                known.setdefault(one.strip().lower(), one.strip())
    return sorted(known.values(), key=str.lower)


def bag_of(given: Given | None) -> Bag | None:
    """``MoneyBagInput``; without a presentment amount the buyer paid the shop's."""
    if given is None:
        return None
    shop = to_cents(Decimal(str(given["shopMoney"]["amount"])))
    other = given.get("presentmentMoney")
    return same(shop) if other is None else Bag(shop, to_cents(Decimal(str(other["amount"]))))


def moment_of(given: Any) -> datetime:
    """A ``DateTime`` scalar."""
    if isinstance(given, datetime):
        return given
    moment = datetime.fromisoformat(str(given))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def address_of(given: Given | None) -> dict[str, Any] | None:
    """A ``MailingAddressInput`` without what was not said."""
    return None if given is None else {name: value for name, value in given.items() if value is not None}


def reach_errors(given: Given, path: list[str], code: str | None = None) -> Iterator[UserError]:
    """An e-mail address and a telephone number must look like one."""
    if given.get("email") and not EMAIL.fullmatch(given["email"].strip()):
        yield UserError([*path, "email"], "Email is invalid", code)
    if given.get("phone") and not PHONE.fullmatch(given["phone"].strip()):
        yield UserError([*path, "phone"], "Phone is invalid", code)
