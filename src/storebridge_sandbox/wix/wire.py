"""Wix's way of writing things down: moments, money, refusals."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "ILS": "₪"}


class WixRefusal(Exception):
    """A call is refused: HTTP status and error envelope."""

    def __init__(self, status: int, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details or {}

    def body(self) -> dict[str, Any]:
        return {"message": self.message, "details": self.details}

    def told_in_bulk(self) -> dict[str, Any]:
        """The same as the ``error`` of one item of a bulk call: code, description, data."""
        told: dict[str, Any] | None = self.details.get("applicationError")
        if told is not None:
            return told
        violations = self.details.get("validationError", {}).get("fieldViolations", [])
        named = [violation["ruleName"] for violation in violations if "ruleName" in violation]
        code = named[0] if named else "INVALID_ARGUMENT"
        return {"code": code, "description": self.message}


def application_error(status: int, code: str, description: str, data: dict[str, Any] | None = None) -> WixRefusal:
    """A business rule says no; ``code`` is one that the vendor's packages declare, where they do."""
    error: dict[str, Any] = {"code": code, "description": description}
    if data is not None:
        error["data"] = data
    return WixRefusal(status, description, {"applicationError": error})


def validation_error(field: str, description: str, rule: str, data: dict[str, Any] | None = None) -> WixRefusal:
    """The request itself is wrong; ``rule`` is one of the vendor's words (REQUIRED_FIELD, MAX, ...)."""
    violation: dict[str, Any] = {"field": field, "description": description, "violatedRule": rule}
    if data is not None:
        violation["data"] = data
    return WixRefusal(400, f"{field} {description}", {"validationError": {"fieldViolations": [violation]}})


def broken_rule(field: str, rule_name: str, description: str) -> WixRefusal:
    """A validation rule with a name of its own, as the vendor's packages declare them."""
    violation = {"field": field, "description": description, "violatedRule": "OTHER", "ruleName": rule_name}
    return WixRefusal(400, f"{field} {description}", {"validationError": {"fieldViolations": [violation]}})


def millis(moment: datetime) -> int:
    """Whole milliseconds since 1970: how exactly the vendor's dates are told."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def wix_date(moment: datetime) -> str:
    """``2026-11-24T02:16:19.123Z``."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read_date(text: str) -> int:
    """Milliseconds since 1970 of an ISO-8601 moment; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return millis(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """``{"amount": "19.99", "formattedAmount": "$19.99"}``."""
    text = _digits(amount)
    return {"amount": text, "formattedAmount": SYMBOLS.get(currency, f"{currency} ") + text}


@lru_cache(4096)
def _digits(amount: Decimal) -> str:
    """Kept, because an order tells two dozen amounts at every change, and most of them are the same few."""
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount:.3f}"


def encode_token(raw: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_token(text: str) -> bytes:
    """The other way; raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error
