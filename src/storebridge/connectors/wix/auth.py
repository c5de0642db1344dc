"""How requests prove who they are: an app's token, asked for with client credentials, or an API key.

The raw token stands in ``Authorization`` without "Bearer" (seen with Wix's own SDK). There is no refresh
token: a new one is asked for, early and once, however many calls are waiting for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.http import NoAnswer, NotSent, Request, Response, Transport
from storebridge.connectors.port import Blame, CallTrouble, Remedy
from storebridge.connectors.wix.errors import Refusal, drift, read_refusal, trouble_from
from storebridge.connectors.wix.settings import WixSettings

EARLY_SECONDS = 300.0
FRESH_SECONDS = 60.0
"""A token younger than this is not blamed for a 403: the permission is missing, not the token old."""


class Credentials(Protocol):
    """What puts proof on a request and takes the proof out of what people read."""

    async def headers(self) -> Mapping[str, str]:
        """The headers of one request. Raises CallTrouble when no token can be had."""
        ...

    async def renew(self, refused: Mapping[str, str], status: int) -> bool:
        """Whether the request is worth sending again with new headers, after Wix refused these."""
        ...

    def scrub(self, text: str) -> str:
        """The text without any secret that Wix or a proxy echoed into it."""
        ...


class ApiKeyCredentials:
    """An API key of the site's owner; it does not expire and cannot be renewed."""

    def __init__(self, settings: WixSettings) -> None:
        if settings.api_key is None or settings.site_id is None:
            raise ValueError("an API key needs a site_id")
        self._key = settings.api_key
        self._site_id = settings.site_id

    async def headers(self) -> Mapping[str, str]:
        return {"authorization": self._key.reveal(), "wix-site-id": self._site_id}

    async def renew(self, refused: Mapping[str, str], status: int) -> bool:  # noqa: ARG002 - nothing to renew
        return False

    def scrub(self, text: str) -> str:
        return text.replace(self._key.reveal(), "***")


class _TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class _Token(msgspec.Struct, frozen=True):
    value: str
    made_at: float
    renew_at: float

    def __repr__(self) -> str:
        return "_Token(***)"


class AppCredentials:
    """The app's own token for one installation (``instance_id``), renewed before it ends.

    ``spend`` is called before each token request, so that it counts against the call budget.
    """

    def __init__(self, settings: WixSettings, transport: Transport, clock: Clock, spend: Callable[[], None]) -> None:
        if settings.app_secret is None:
            raise ValueError("an app needs its secret")
        self._settings = settings
        self._secret = settings.app_secret
        self._transport = transport
        self._clock = clock
        self._spend = spend
        self._token: _Token | None = None
        self._one_at_a_time = asyncio.Lock()

    async def headers(self) -> Mapping[str, str]:
        token = self._token
        if token is None or self._clock.monotonic() >= token.renew_at:
            token = await self._renewed(token)
        return {"authorization": token.value}

    async def renew(self, refused: Mapping[str, str], status: int) -> bool:
        token = self._token
        if token is None or refused.get("authorization") != token.value:
            return True
        if status == 403 and self._clock.monotonic() - token.made_at < FRESH_SECONDS:
            return False
        await self._renewed(token)
        return True

    def scrub(self, text: str) -> str:
        for secret in (self._secret.reveal(), self._token.value if self._token else ""):
            text = text.replace(secret, "***") if secret else text
        return text

    async def _renewed(self, old: _Token | None) -> _Token:
        async with self._one_at_a_time:
            if self._token is not None and self._token is not old:
                return self._token
            self._token = await self._ask()
            return self._token

    async def _ask(self) -> _Token:
        asked_at = self._clock.monotonic()
        self._spend()
        request = self._request()
        try:
            response = await self._transport.send(request)
        except (NotSent, NoAnswer) as lost:
            raise CallTrouble(
                Remedy.RETRY,
                Blame.NETWORK,
                f"Wix's token address {request.url} did not answer",
                code=type(lost).__name__,
            ) from None
        if response.status != 200:
            raise self._refused(response)
        try:
            answer = msgspec.json.decode(response.body, type=_TokenAnswer, strict=False)
        except (msgspec.MsgspecError, RecursionError):
            raise drift("Wix's token answer cannot be read") from None
        lives = max(answer.expires_in, 0.0)
        return _Token(answer.access_token, asked_at, asked_at + max(lives / 2, lives - EARLY_SECONDS))

    def _request(self) -> Request:
        ask = {
            "grant_type": "client_credentials",
            "client_id": self._settings.app_id,
            "client_secret": self._secret.reveal(),
            "instance_id": self._settings.instance_id,
        }
        return Request(
            method="POST",
            url=f"{self._settings.api_url.rstrip('/')}/oauth2/token",
            headers={"content-type": "application/json", "accept": "application/json"},
            body=msgspec.json.encode(ask),
            timeout_seconds=self._settings.timeout_seconds,
        )

    def _refused(self, response: Response) -> CallTrouble:
        told = read_refusal(response.status, response.body)
        refusal = Refusal(told.status, told.code, self.scrub(told.message), told.from_wix)
        if response.status in (400, 401, 403, 404):
            return CallTrouble(
                Remedy.STOP,
                Blame.CREDENTIALS,
                f"Wix gives no token for app {self._settings.app_id}, instance {self._settings.instance_id}: "
                f"check app_id, app_secret and instance_id (status {response.status}: {refusal.message})",
                code=refusal.code,
                status=response.status,
            )
        return trouble_from(refusal, writes=False)
