"""What stands before console and API: who may come in, and what a browser may do with what it gets.

On loopback nobody signs in, but only requests that name this machine are answered (a web page elsewhere could
otherwise reach us under a name of its own), and only our own pages may change anything. Bound elsewhere, every
request carries the token: as ``Authorization: Bearer``, or as the cookie that the sign-in page sets.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "storebridge_console"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = ("/healthz", "/readyz", "/sign-in", "/static/")
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not "no-referrer": with it a browser sends "Origin: null" along with our own forms, and they would be refused.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Wraps an application; ``token`` None means that it listens on loopback only."""

    def __init__(self, app: ASGIApp, *, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refuse(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refuse(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), str(scope["path"])
        if scope["method"] not in SAFE_METHODS and not is_same_origin(headers):
            return JSONResponse({"error": "This request comes from another site."}, 403)
        if self._token is None:
            if host_without_port(headers.get("host", "")) not in LOOPBACK_HOSTS:
                return JSONResponse({"error": "Only this machine is answered: use 127.0.0.1."}, 421)
            return None
        if path.startswith(OPEN_PATHS) or is_signed_in(headers, self._token):
            return None
        is_page = not path.startswith(("/api/", "/metrics")) and "text/html" in headers.get("accept", "")
        if is_page and scope["method"] == "GET":
            return RedirectResponse("/sign-in", 303)
        challenge = {"www-authenticate": "Bearer"}
        return JSONResponse({"error": "Send the console's token: Authorization: Bearer ..."}, 401, challenge)


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a request that changes something comes from our own pages, or from no web page at all."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
        return False
    return headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def host_without_port(host: str) -> str:
    """``[::1]:8790`` without its port."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdigit() else host.lower()


def is_signed_in(headers: Mapping[str, str], token: str) -> bool:
    """Whether the request carries the token; compared in constant time."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and same_secret(given.strip(), token):
        return True
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return False
    morsel = cookies.get(COOKIE)
    return morsel is not None and same_secret(morsel.value, cookie_value(token))


def same_secret(given: str, expected: str) -> bool:
    """Compare without telling by the time it takes where they differ."""
    return hmac.compare_digest(given.encode(), expected.encode())


def cookie_value(token: str) -> str:
    """What the browser keeps: proof of the token, not the token."""
    return hmac.new(token.encode(), b"storebridge console", hashlib.sha256).hexdigest()
