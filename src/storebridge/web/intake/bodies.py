"""Bodies from outside, read within bounds."""

from __future__ import annotations

from starlette.requests import Request


class BodyTooLarge(Exception):
    """The body is longer than allowed; the rest of it is not read."""


async def read_bounded(request: Request, most_bytes: int) -> bytes:
    """The whole body, or BodyTooLarge as soon as it is known to be longer; never holds more than that."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most_bytes:
        raise BodyTooLarge
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > most_bytes:
            raise BodyTooLarge
        body += chunk
    return bytes(body)
