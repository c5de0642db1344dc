"""The Validations service plugin: an app's endpoint that the checkout asks and waits for.

``POST {deploymentUri}/v1/get-violations`` with a JWT whose claim ``data`` is ``{request, metadata}``; the vendor's own
server code checks issuer, audience and ``metadata.appExtensionType`` before it looks at the rest. An answer of
severity ERROR keeps the order from being placed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from storebridge_sandbox.orders import Refused
from storebridge_sandbox.wix.checkout.state import Checkout, CheckoutLine
from storebridge_sandbox.wix.identities import Guids
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID, STORES_APP_ID
from storebridge_sandbox.wix.signing import LIFETIME_SECONDS, sign_jwt
from storebridge_sandbox.wix.wire import money
from storebridge_sandbox.world import Ask, Unreachable, stamp

PATH = "/v1/get-violations"
ISSUER = "wix.com"
EXTENSION = "ECOM_VALIDATIONS"
HEADERS = {"content-type": "text/plain; charset=utf-8", "user-agent": "Wix-Service-Plugin-Sandbox"}
LONGEST_ANSWER = 1_000_000
KEPT = 1000
Source = Literal["CART", "CHECKOUT"]


class _Target(msgspec.Struct):
    name: str | None = None
    id: str | None = None


class _Targets(msgspec.Struct, rename="camel"):
    line_item: _Target | None = None
    other: _Target | None = None


class Violation(msgspec.Struct):
    """What an app has against a checkout."""

    severity: Literal["ERROR", "WARNING"]
    description: str | None = None
    target: _Targets | None = None


class _Answer(msgspec.Struct):
    violations: list[Violation] = []


@dataclass(slots=True)
class Plugin:
    """What stands in the app's dashboard; without an address nobody is asked."""

    deployment_uri: str | None = None
    validate_in_cart: bool = False


@dataclass(frozen=True, slots=True)
class GuardCall:
    """One question with what became of it: ``answered``, ``no_answer`` or ``bad_answer``."""

    at: datetime
    purchase_flow_id: str
    source: Source
    status: int | None
    outcome: str
    violations: int


class Guard:
    """Asks the app about a checkout. Raises Refused (409) when the checkout may not go on."""

    def __init__(
        self,
        ask: Ask,
        now: Callable[[], datetime],
        request_ids: Guids,
        quirks: WixQuirks,
        *,
        app_id: str,
        instance_id: str,
        currency: str,
        cut_off: Callable[[], bool],
    ) -> None:
        self._ask = ask
        self._now = now
        self._request_ids = request_ids
        self._quirks = quirks
        self._app_id = app_id
        self._instance_id = instance_id
        self._currency = currency
        self._cut_off = cut_off
        self._calls: deque[GuardCall] = deque(maxlen=KEPT)
        self.plugin = Plugin()

    def watches(self, checkout: Checkout) -> bool:
        """Whether anyone is asked about this checkout (G3: some ways to buy go past it)."""
        return self.plugin.deployment_uri is not None and checkout.channel not in self._quirks.g3_bypass_channels

    def is_passed_by(self, checkout: Checkout) -> bool:
        """Whether there is a guard and it has not let this checkout through: it was not asked, or did not answer."""
        return self.plugin.deployment_uri is not None and not (self.watches(checkout) and checkout.answered)

    async def look(self, checkout: Checkout, source: Source) -> list[dict[str, Any]]:
        """Ask, and keep what the app has against the checkout; an app that does not answer has nothing (G2), or, by the
        switch, everything."""
        answer = await self._answer(checkout, source)
        checkout.answered = answer is not None
        if answer is None:
            checkout.violations = [] if self._quirks.g2_passes_without_answer else [_silence()]
        else:
            checkout.violations = [msgspec.to_builtins(one) for one in answer.violations]
        return checkout.violations

    def refuse_if_blocked(self, checkout: Checkout) -> None:
        """Raises Refused with the first ERROR's own words."""
        for one in checkout.violations:
            if one["severity"] == "ERROR":
                raise Refused("violation", 409, **_told(one, checkout))

    def calls(self) -> list[dict[str, Any]]:
        """The latest questions, oldest first."""
        return [
            {
                "at": stamp(call.at),
                "purchase_flow_id": call.purchase_flow_id,
                "source": call.source,
                "status": call.status,
                "outcome": call.outcome,
                "violations": call.violations,
            }
            for call in self._calls
        ]

    async def _answer(self, checkout: Checkout, source: Source) -> _Answer | None:
        at, status, outcome = self._now(), None, "no_answer"
        answer: _Answer | None = None
        try:
            status, body = await self._post(checkout, source)
            answer = _read(status, body)
            outcome = "bad_answer" if answer is None else "answered"
        except Unreachable:
            answer = None
        found = 0 if answer is None else len(answer.violations)
        self._calls.append(GuardCall(at, checkout.purchase_flow_id, source, status, outcome, found))
        return answer

    async def _post(self, checkout: Checkout, source: Source) -> tuple[int, bytes]:
        if self._cut_off():
            raise Unreachable("partitioned")
        url = (self.plugin.deployment_uri or "").rstrip("/") + PATH
        return await self._ask(url, HEADERS, self._body(checkout, source), self._quirks.g2_timeout_seconds)

    def _body(self, checkout: Checkout, source: Source) -> bytes:
        at_seconds = int(self._now().timestamp())
        metadata = {
            "requestId": self._request_ids(),
            "currency": self._currency,
            "identity": checkout.buyer.identity,
            "languages": ["en"],
            "instanceId": self._instance_id,
            "appExtensionType": EXTENSION,
        }
        return sign_jwt(
            {
                "data": {"request": request_of(checkout, source, self._currency), "metadata": metadata},
                "iss": ISSUER,
                "aud": self._app_id,
                "iat": at_seconds,
                "exp": at_seconds + LIFETIME_SECONDS,
            }
        )


def request_of(checkout: Checkout, source: Source, currency: str) -> dict[str, Any]:
    """The GetValidationViolationsRequest message."""
    total = sum((line.sellable.price * line.quantity for line in checkout.lines), Decimal("0.00"))
    names = {"firstName": "first_name", "lastName": "last_name", "phone": "phone"}
    details = {wix: checkout.customer[ours] for wix, ours in names.items() if checkout.customer.get(ours)}
    buyer = {"email": checkout.customer["email"]} if checkout.customer.get("email") else {}
    nothing = money(Decimal("0.00"), currency)
    return {
        "sourceInfo": {"source": source, "purchaseFlowId": checkout.purchase_flow_id},
        "validationInfo": {
            "buyerDetails": buyer,
            "lineItems": [_line(line, currency) for line in checkout.lines],
            "weightUnit": "KG",
            "priceSummary": {
                "subtotal": money(total, currency),
                "shipping": nothing,
                "tax": nothing,
                "discount": nothing,
                "total": money(total, currency),
            },
            "billingInfo": {"contactDetails": details},
            "shippingAddress": {"contactDetails": details},
            "shippingInfo": {"selectedCarrierServiceOption": {"code": "standard", "title": "Standard shipping"}},
            "appliedDiscounts": [],
            "currency": currency,
        },
    }


def _line(line: CheckoutLine, currency: str) -> dict[str, Any]:
    sold = line.sellable
    single = sold.variant_id == DEFAULT_VARIANT_ID
    return {
        "id": line.id,
        "quantity": line.quantity,
        "catalogReference": {
            "catalogItemId": sold.product_id,
            "appId": STORES_APP_ID,
            "options": {"options": {}} if single else {"variantId": sold.variant_id},
        },
        "productName": {"original": sold.title, "translated": sold.title},
        "price": money(sold.price, currency),
        "physicalProperties": {"sku": sold.sku, "shippable": True},
        "itemType": {"preset": "PHYSICAL"},
    }


def _read(status: int, body: bytes) -> _Answer | None:
    """The app's answer; None for one that is none."""
    if status != 200 or len(body) > LONGEST_ANSWER:
        return None
    try:
        return msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _silence() -> dict[str, Any]:
    return {"severity": "ERROR", "description": "The order cannot be placed right now", "target": None}


def _told(violation: dict[str, Any], checkout: Checkout) -> dict[str, Any]:
    told = {"description": violation.get("description") or ""}
    target = ((violation.get("target") or {}).get("lineItem") or {}).get("id")
    line = next((line for line in checkout.lines if line.id == target), None)
    return told if line is None else {**told, "sku": line.sellable.sku}
