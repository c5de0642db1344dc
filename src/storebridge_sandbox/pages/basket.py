"""The basket: a cookie that holds SKUs and counts. It is the shopper's own word and is believed no further."""

from __future__ import annotations

import base64
import binascii

import msgspec
from starlette.requests import Request
from starlette.responses import Response

MOST_LINES = 30
MOST_UNITS = 999
LARGEST_COOKIE = 3500


def read_basket(request: Request, name: str) -> dict[str, int]:
    """SKU to count; an unreadable cookie is an empty basket."""
    try:
        raw = base64.urlsafe_b64decode(request.cookies.get(name, "").encode())
        held = msgspec.json.decode(raw, type=dict[str, int])
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return {}
    return {sku: count for sku, count in list(held.items())[:MOST_LINES] if 0 < count <= MOST_UNITS}


def put_basket(response: Response, name: str, basket: dict[str, int]) -> bool:
    """Hand the basket to the browser; false when it holds too much for a cookie."""
    held = {sku: min(count, MOST_UNITS) for sku, count in basket.items() if count > 0}
    text = base64.urlsafe_b64encode(msgspec.json.encode(held)).decode()
    if len(text) > LARGEST_COOKIE or len(held) > MOST_LINES:
        return False
    if held:
        response.set_cookie(name, text, httponly=True, samesite="lax")
    else:
        response.delete_cookie(name)
    return True
