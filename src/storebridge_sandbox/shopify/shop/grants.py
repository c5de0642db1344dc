"""How an app comes by a token: client credentials, refresh, a code from the merchant's approval, a session token."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from storebridge_sandbox.shopify.shop.state import TokenRefused, Tokens

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
ONLINE = "urn:shopify:params:oauth:token-type:online-access-token"
CODE_SECONDS, SESSION_SECONDS = 60.0, 60.0
USER_ID = 70_000_001
USER = {
    "id": USER_ID,
    "first_name": "Olive",
    "last_name": "Owner",
    "email": "owner@larkfield.example",
    "email_verified": True,
    "account_owner": True,
    "locale": "en",
    "collaborator": False,
}


@dataclass(frozen=True, slots=True)
class _Code:
    online: bool
    ends_at: datetime


class Grants:
    """The token address and the approval page. Raises TokenRefused in the vendor's words."""

    def __init__(self, tokens: Tokens, domain: str, now: Callable[[], datetime], seed: int) -> None:
        self._tokens = tokens
        self._domain = domain
        self._now = now
        self._chance = Random(f"shopify-grants-{seed}")
        self._codes: dict[str, _Code] = {}

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """What the token address answers to a form."""
        self._tokens.check_app(form)
        match form.get("grant_type"):
            case None if form.get("code"):
                return self._by_code(form)
            case "client_credentials":
                return self._tokens.client_credentials()
            case "refresh_token":
                return self._tokens.refresh(form.get("refresh_token", ""))
            case kind if kind == EXCHANGE:
                return self._by_session(form)
            case kind:
                raise TokenRefused("unsupported_grant_type", f"The grant type {kind!r} is not supported.")

    def approve(self, asked: Mapping[str, str]) -> str:
        """The merchant says yes at once: the address that the browser is sent back to, with a signed code."""
        if asked.get("client_id") != self._tokens.client_id:
            raise TokenRefused("application_cannot_be_found", "The client_id is not known.")
        back = _address(asked.get("redirect_uri", ""))
        if back is None:
            raise TokenRefused("invalid_request", "The redirect_uri is missing or not whitelisted")
        code = f"{self._chance.getrandbits(128):032x}"
        online = asked.get("grant_options[]") == "per-user"
        self._codes[code] = _Code(online, self._now() + timedelta(seconds=CODE_SECONDS))
        host = base64.b64encode(f"admin.shopify.com/store/{self._domain.partition('.')[0]}".encode()).decode()
        told = {
            "code": code,
            "host": host.rstrip("="),
            "shop": self._domain,
            "state": asked.get("state", ""),
            "timestamp": str(int(self._now().timestamp())),
        }
        told["hmac"] = self._signature(told)
        return f"{back}{'&' if '?' in back else '?'}{urlencode(told)}"

    def _signature(self, told: Mapping[str, str]) -> str:
        """Over the parameters in the order of their names, with the app's secret, in hexadecimals."""
        text = urlencode(sorted(told.items()))
        return hmac.new(self._tokens.client_secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def session_token(self) -> str:
        """What the admin's page gives an embedded app: a JWT signed with the app's secret, good for a minute."""
        moment = int(self._now().timestamp())
        claims = {
            "iss": f"https://{self._domain}/admin",
            "dest": f"https://{self._domain}",
            "aud": self._tokens.client_id,
            "sub": str(USER_ID),
            "exp": moment + int(SESSION_SECONDS),
            "nbf": moment,
            "iat": moment,
            "jti": str(uuid.UUID(int=self._chance.getrandbits(128), version=4)),
            "sid": f"{self._chance.getrandbits(256):064x}",
        }
        body = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{body}.{self._sealed(body)}"

    # -- the grants that the tokens do not know ------------------------------------------------------------------

    def _by_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        """A code works once, for a minute."""
        code = self._codes.pop(form["code"], None)
        if code is None or code.ends_at <= self._now():
            told = "The authorization code was not found or was already used"
            raise TokenRefused("invalid_request", told)
        return self._online() if code.online else self._offline(form)

    def _by_session(self, form: Mapping[str, str]) -> dict[str, Any]:
        if form.get("subject_token_type") != ID_TOKEN:
            raise TokenRefused("invalid_request", "The subject_token_type must be that of an id token.")
        self._check_session(form.get("subject_token", ""))
        match form.get("requested_token_type"):
            case kind if kind == OFFLINE:
                return self._offline(form)
            case kind if kind == ONLINE:
                return self._online()
        raise TokenRefused("invalid_request", "The requested_token_type is not supported.")

    def _check_session(self, token: str) -> None:
        body, _dot, seal = token.rpartition(".")
        claims = _claims(body)
        moment = self._now().timestamp()
        good = hmac.compare_digest(self._sealed(body).encode(), seal.encode()) and claims.get("aud") == (
            self._tokens.client_id
        )
        ends, begins = claims.get("exp"), claims.get("nbf")
        timely = isinstance(ends, int) and isinstance(begins, int) and begins - 10 <= moment < ends + 10
        if not good or not timely or claims.get("dest") != f"https://{self._domain}":
            raise TokenRefused("invalid_subject_token", "The session token is not valid or has ended.")

    def _offline(self, form: Mapping[str, str]) -> dict[str, Any]:
        """For ever, or for an hour with a refresh token where ``expiring`` is asked for."""
        return self._tokens.expiring() if form.get("expiring") in ("1", "true") else self._tokens.lasting()

    def _online(self) -> dict[str, Any]:
        """One that acts for the member of staff who sits before the screen."""
        held = self._tokens.of_a_day()
        return {**held, "associated_user_scope": held["scope"], "session": str(USER_ID), "associated_user": USER}

    def _sealed(self, body: str) -> str:
        seal = hmac.new(self._tokens.client_secret.encode(), body.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(seal).rstrip(b"=").decode()


def _address(text: str) -> str | None:
    """A web address as it may stand in a header, None for what is none."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    good = parts.scheme in ("http", "https") and parts.netloc
    return quote(parts.geturl(), safe=":/?&=%#@+,;~[]!$'()*") if good else None


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).rstrip(b"=").decode()


def _claims(body: str) -> dict[str, Any]:
    """The claims of a token, none where it is no token."""
    text = body.rpartition(".")[2]
    try:
        held = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return {}
    return held if isinstance(held, dict) else {}
