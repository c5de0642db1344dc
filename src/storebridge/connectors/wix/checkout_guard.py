"""Wix's Validations service plugin: a buyer's checkout asks and waits (docs/assumptions.md, G1 to G4).

``POST {deploymentUri}/v1/get-violations``; the body is one raw token, signed like a delivery. Its claim ``data`` wraps
``request`` and ``metadata``; the vendor's own server code checks ``iss``, ``aud`` and the extension's type. The answer
is ``{"violations": []}`` or an ERROR for each line that may not go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.bounded_json import UnreadableJson, read_bounded_json
from storebridge.connectors.port import BadSignature, UnreadableQuestion
from storebridge.connectors.wix.settings import WixSettings
from storebridge.connectors.wix.signatures import Signatures
from storebridge.connectors.wix.translate import CatalogReference, Shape, line_item_of
from storebridge.model.checkouts import LONGEST_FLOW, Question, QuestionLine, Shortage, Verdict

ISSUER = "wix.com"
EXTENSION = "ECOM_VALIDATIONS"
MAX_QUESTION_BYTES = 1024 * 1024
MOST_LINES = 300
MOST_UNITS = 100_000
LEEWAY = timedelta(minutes=5)
LONGEST_NAME = 80
"""A product's name is cut in what a buyer reads."""


class _Name(Shape, frozen=True):
    original: str | None = None
    translated: str | None = None


class _Line(Shape, frozen=True):
    id: str
    quantity: int = 0
    catalog_reference: CatalogReference | None = None
    product_name: _Name | None = None


class _Source(Shape, frozen=True):
    purchase_flow_id: str | None = None


class _Info(Shape, frozen=True):
    line_items: tuple[_Line, ...] = ()


class _Request(Shape, frozen=True):
    source_info: _Source | None = None
    validation_info: _Info | None = None


class _Metadata(Shape, frozen=True):
    instance_id: str | None = None
    app_extension_type: str | None = None


class _Data(Shape, frozen=True):
    request: _Request
    metadata: _Metadata


class WixCheckoutGuard:
    """Reads questions of one site's checkout and writes the answers."""

    path = "/v1/get-violations"
    """What Wix appends to the address in the app's dashboard."""

    def __init__(self, settings: WixSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._signatures = Signatures(settings.webhook_public_keys, MAX_QUESTION_BYTES)

    def read(self, body: bytes) -> Question:
        """The question in a token.

        Raises BadSignature unless one of the app's keys signed exactly these bytes for this installation and lately: an
        old question would hold units that nobody wants. Raises UnreadableQuestion for a signed one of an unknown shape.
        """
        payload = self._signatures.check(body.strip())
        try:
            claims = read_bounded_json(payload)
            if not isinstance(claims, Mapping):
                raise UnreadableQuestion("the token is not an object")
            self._check_claims(claims)
            data = msgspec.convert(_opened(claims.get("data")), _Data)
        except (UnreadableJson, UnicodeDecodeError, msgspec.ValidationError) as unreadable:
            raise UnreadableQuestion(str(unreadable)) from None
        self._check_metadata(data.metadata)
        return _question_of(data.request, _moment(claims.get("iat")))

    def write(self, verdict: Verdict) -> bytes:
        """The answer's body."""
        return msgspec.json.encode({"violations": [_violation(one) for one in verdict.shortages]})

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != ISSUER:
            raise BadSignature("the question does not come from Wix's own issuer")
        audience = claims.get("aud")
        if self._settings.app_id is None or self._settings.app_id not in (
            audience if isinstance(audience, list) else [audience]
        ):
            raise BadSignature("the question is for another app")
        now, made, ends = self._clock.now(), _moment(claims.get("iat")), _moment(claims.get("exp"))
        if (made is not None and made > now + LEEWAY) or (ends or made or now) < now - LEEWAY:
            raise BadSignature("the question is not of this moment: a replay, or a wrong clock")

    def _check_metadata(self, metadata: _Metadata) -> None:
        if metadata.instance_id != self._settings.instance_id:
            raise BadSignature("the question is for another installation of the app")
        if metadata.app_extension_type not in (None, EXTENSION):
            raise BadSignature("the question is for another extension of the app")


def _opened(data: object) -> object:
    """``data`` is an object, or JSON of one in a string (W20)."""
    return read_bounded_json(data.encode()) if isinstance(data, str) else data


def _question_of(request: _Request, signed_at: datetime | None) -> Question:
    flow = "" if request.source_info is None else request.source_info.purchase_flow_id or ""
    lines = () if request.validation_info is None else request.validation_info.line_items
    if not flow or len(flow) > LONGEST_FLOW:
        raise UnreadableQuestion("it names no purchase")
    if len(lines) > MOST_LINES or any(not 0 <= line.quantity <= MOST_UNITS for line in lines):
        raise UnreadableQuestion("its basket is larger than Wix allows")
    return Question(flow, tuple(_line_of(line) for line in lines), signed_at)


def _line_of(line: _Line) -> QuestionLine:
    name = line.product_name or _Name()
    told = name.translated or name.original or "This item"
    return QuestionLine(line.id, line_item_of(line.catalog_reference), line.quantity, told[:LONGEST_NAME])


def _violation(shortage: Shortage) -> dict[str, Any]:
    if shortage.line_id:
        target: dict[str, Any] = {"lineItem": {"name": "LINE_ITEM_DEFAULT", "id": shortage.line_id}}
    else:
        target = {"other": {"name": "OTHER_DEFAULT"}}
    return {"severity": "ERROR", "target": target, "description": _sentence(shortage)}


def _sentence(shortage: Shortage) -> str:
    """What the buyer reads."""
    if shortage.left is None:
        return f"We could not confirm that {shortage.name} is in stock just now. Please try again in a moment."
    if shortage.left == 0:
        return f"{shortage.name} is no longer available."
    return f"Only {shortage.left} of {shortage.name} left. Please lower the quantity."


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
