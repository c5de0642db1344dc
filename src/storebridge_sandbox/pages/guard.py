"""What stands between the pages and other sites: who may post, who may ask, and what a browser may do with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

Handler = Callable[[Request], Awaitable[Response]]

LARGEST_FORM = 64 * 1024
MOST_FIELDS = 400
OWN_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not "no-referrer": with it a browser sends our own forms as from nowhere, and they would be refused.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


class FormTooLarge(Exception):
    """More than any of these forms can hold."""


def guarded(handler: Handler) -> Handler:
    """Refuses other hosts' names (a page elsewhere may point its own name at this machine) and other sites' posts."""

    async def answer(request: Request) -> Response:
        if request.url.hostname not in OWN_HOSTS:
            return PlainTextResponse("This store is only here for this machine: ask 127.0.0.1.\n", 421)
        if request.method == "POST" and not is_same_origin(request.headers):
            return PlainTextResponse("This form was sent by another site, and nothing was done.\n", 403)
        try:
            response = await handler(request)
        except FormTooLarge:
            response = PlainTextResponse("This form is too large, and nothing was done.\n", 413)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answer


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """A browser says where a form comes from; what says nothing is no browser and holds no cookie of ours."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
        return False
    return headers.get("sec-fetch-site", "none") in ("none", "same-origin")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form; the last of a name counts. Raises FormTooLarge."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            raise FormTooLarge
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise FormTooLarge from None
