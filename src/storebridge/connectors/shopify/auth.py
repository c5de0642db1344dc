"""How requests prove who they are: a given token, the client-credentials grant, or an expiring token with refresh.

A refresh token works once and its successor comes with the answer: it is saved before the new access token is used, and
one lock per connection keeps two refreshes apart, or the second would present a token that is already spent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from urllib.parse import urlencode

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.http import NoAnswer, NotSent, Request, Response, Transport
from storebridge.connectors.port import TOKEN_REFRESH, Blame, CallTrouble, Remedy
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.errors import drift
from storebridge.connectors.shopify.settings import ShopifySettings
from storebridge.connectors.tokens import TokenVault

EARLY_SECONDS = 300.0
FRESH_SECONDS = 60.0
"""A token younger than this is not blamed for a 403: the shop or the permission is, not the token's age."""
TOKEN_PATH = "/admin/oauth/access_token"
HEADER = "x-shopify-access-token"
REFRESH_TOKEN = "refresh_token"
ANSWERED = "answered"
"""In place of a token that was begun: its answer came, and was a refusal."""


class _Grant(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 0.0
    refresh_token: str | None = None


class _Token(msgspec.Struct, frozen=True):
    value: str
    made_at: float
    renew_at: float | None
    """On the monotonic clock, like ``made_at``; None when it does not end."""

    def __repr__(self) -> str:
        return "_Token(***)"


class TokenSource:
    """The access token of one connection, renewed before it ends."""

    def __init__(self, settings: ShopifySettings, transport: Transport, clock: Clock, vault: TokenVault) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._vault = vault
        self._one_at_a_time = asyncio.Lock()
        given = settings.access_token if settings.refresh_token is None else None
        self._token = _Token(given.reveal(), clock.monotonic(), None) if given else None
        self._unsaved: str | None = None
        """A new refresh token that could not be saved yet: the saved one is spent already."""

    async def headers(self) -> Mapping[str, str]:
        """The headers of one request. Raises CallTrouble when no token can be had."""
        token = self._token
        if token is None or (token.renew_at is not None and self._clock.monotonic() >= token.renew_at):
            token = await self._renewed(token)
        return {HEADER: token.value}

    async def renew(self, refused: Mapping[str, str], status: int) -> bool:
        """Whether the request is worth sending again with new headers, after Shopify refused these."""
        token = self._token
        if token is None or refused.get(HEADER) != token.value:
            return True
        if token.renew_at is None:
            return False  # a given token cannot be renewed: a person must install the app again
        if status == 403 and self._clock.monotonic() - token.made_at < FRESH_SECONDS:
            return False
        await self._renewed(token)
        return True

    async def _renewed(self, old: _Token | None) -> _Token:
        async with self._one_at_a_time:
            if self._token is not None and self._token is not old:
                return self._token
            self._token = await self._ask()
            return self._token

    async def _ask(self) -> _Token:
        if self._settings.refresh_token is None:
            return await self._granted({"grant_type": "client_credentials"})
        async with self._vault.alone():
            return await self._refreshed()

    async def _refreshed(self) -> _Token:
        """Spend the newest refresh token; when it is refused, the other one that is known."""
        tried: set[str] = set()
        newest = await self._untried_refresh_token(tried)
        lost = await self._vault.was_begun(REFRESH_TOKEN, newest)
        await self._vault.begin(REFRESH_TOKEN, newest)
        while True:
            refresh = await self._untried_refresh_token(tried)
            tried.add(refresh)
            try:
                return await self._granted({"grant_type": "refresh_token", "refresh_token": refresh})
            except CallTrouble as trouble:
                if trouble.blame is not Blame.CREDENTIALS:
                    raise
                if await self._untried_refresh_token(tried) in tried:
                    if not lost:
                        await self._vault.begin(REFRESH_TOKEN, ANSWERED)
                    raise _no_renewal(trouble, lost=lost) from None

    async def _untried_refresh_token(self, tried: Collection[str]) -> str:
        """The newest token; when that was refused, one saved since by another process of ours, then the
        configured one, which is newer when the app was installed again. Any of them when all were tried."""
        configured = _revealed(self._settings.refresh_token)
        known = [self._unsaved, await self._vault.read(REFRESH_TOKEN) or configured, configured]
        return next((token for token in known if token is not None and token not in tried), configured)

    async def _granted(self, form: Mapping[str, str]) -> _Token:
        app = {"client_id": self._settings.client_id or "", "client_secret": _revealed(self._settings.client_secret)}
        asked_at = self._clock.monotonic()
        grant = _read_grant(await self._post({**app, **form}))
        if grant.refresh_token:
            self._unsaved = grant.refresh_token
            await self._vault.save(REFRESH_TOKEN, grant.refresh_token)
            self._unsaved = None
        lives = max(grant.expires_in, 0.0)
        return _Token(grant.access_token, asked_at, asked_at + max(lives / 2, lives - EARLY_SECONDS))

    async def _post(self, form: Mapping[str, str]) -> Response:
        request = Request(
            "POST",
            f"{self._settings.base_url}{TOKEN_PATH}",
            {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
            urlencode(form).encode(),
            self._settings.timeout_seconds,
        )
        try:
            response = await self._transport.send(request)
        except (NotSent, NoAnswer) as lost:
            raise CallTrouble(
                Remedy.RETRY,
                Blame.NETWORK,
                f"Shopify's token address {request.url} did not answer",
                code=type(lost).__name__,
            ) from None
        if response.status == 200:
            return response
        if 400 <= response.status < 500 and response.status != 429:
            raise CallTrouble(
                Remedy.STOP,
                Blame.CREDENTIALS,
                f"Shopify gives no token for {self._settings.shop} (status {response.status}): check client_id and "
                "client_secret, or install the app again",
                code="TOKEN",
                status=response.status,
            )
        message = f"Shopify's token address answered {response.status}"
        raise CallTrouble(Remedy.RETRY, Blame.VENDOR, message, status=response.status)


def _no_renewal(trouble: CallTrouble, *, lost: bool) -> CallTrouble:
    """Only a new installation brings another refresh token."""
    why = "; an earlier renewal was answered while we were being ended, and its token was lost with us" if lost else ""
    return CallTrouble(Remedy.STOP, Blame.CREDENTIALS, f"{trouble}{why}", code=TOKEN_REFRESH, status=trouble.status)


def _read_grant(response: Response) -> _Grant:
    try:
        return msgspec.json.decode(response.body, type=_Grant, strict=False)
    except (msgspec.MsgspecError, RecursionError):
        raise drift("Shopify's token answer cannot be read") from None


def _revealed(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""
