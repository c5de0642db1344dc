"""Who may call: the app's secret, its tokens, the API key, and how often."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from storebridge_sandbox.wix import identities
from storebridge_sandbox.wix.identities import Actor, Guids
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.wire import WixRefusal, application_error

WINDOW = timedelta(minutes=1)
CODE_LIVES = timedelta(minutes=10)
OLDER_TOKEN_LIVES = timedelta(minutes=5)


class Access:
    """Credentials of one app on one site, made from the seed."""

    def __init__(self, now: Callable[[], datetime], new_id: Guids, quirks: WixQuirks) -> None:
        self._now = now
        self._new_id = new_id
        self._quirks = quirks
        self._tokens: dict[str, datetime] = {}
        self._codes: dict[str, datetime] = {}
        self._refresh_tokens: set[str] = set()
        self._calls: deque[datetime] = deque()
        self.app_id = new_id()
        self.app_secret = new_id()
        self.instance_id = new_id()
        self.site_id = new_id()
        self.account_id = new_id()
        self.owner_id = new_id()
        self.api_key = f"IST.{new_id()}.{new_id()}".replace("-", "")
        self.api_key_valid = True
        self.installed = True
        self.app = identities.app(self.app_id)
        self.staff = identities.staff(self.owner_id)
        self.key_holder = identities.key_holder(self.owner_id)

    def issue(self) -> tuple[str, int]:
        """A new token and its lifetime in seconds."""
        lives = self._quirks.w17_token_seconds
        token = f"OauthNG.JWS.{self._new_id()}{self._new_id()}".replace("-", "")
        self._tokens[token] = self._now() + timedelta(seconds=lives)
        return token, lives

    def revoke_tokens(self) -> None:
        """Every token out there stops working; new ones can be asked for."""
        self._tokens.clear()

    def install(self) -> str:
        """The owner agrees to the app: a code for the older grant, good for ten minutes."""
        self.installed = True
        code = f"JWS.{self._new_id()}".replace("-", "")
        self._codes[code] = self._now() + CODE_LIVES
        return code

    def remove(self) -> None:
        """The owner takes the app off the site, with everything that it could use."""
        self.installed = False
        self.revoke_tokens()
        self._codes.clear()
        self._refresh_tokens.clear()

    def exchange(self, code: str) -> tuple[str, str] | None:
        """Access and refresh token for a code, once; None for a code that is no good."""
        ends = self._codes.pop(code, None)
        if ends is None or ends <= self._now():
            return None
        refresh = f"OAUTH2.{self._new_id()}{self._new_id()}".replace("-", "")
        self._refresh_tokens.add(refresh)
        return self._older_token(), refresh

    def refresh(self, refresh_token: str) -> str | None:
        """Another access token; the refresh token stays."""
        return self._older_token() if refresh_token in self._refresh_tokens else None

    def _older_token(self) -> str:
        token = f"OAUTH2.{self._new_id()}".replace("-", "")
        self._tokens[token] = self._now() + OLDER_TOKEN_LIVES
        return token

    def lives_until(self, token: str) -> datetime | None:
        ends = self._tokens.get(token)
        return ends if ends is not None and ends > self._now() else None

    def admit(self, authorization: str, site_id: str, account_id: str) -> Actor:
        """Who is calling; raises WixRefusal (401 or 403)."""
        if not authorization:
            raise application_error(401, "UNAUTHENTICATED", "No identity: the Authorization header is missing")
        if authorization == self.api_key and self.api_key_valid:
            return self._admit_key(site_id, account_id)
        if self.lives_until(authorization) is None:
            raise application_error(401, "UNAUTHENTICATED", "The access token is invalid or has expired")
        if not self.installed:
            raise forbidden("the app is not installed on this site")
        return self.app

    def pace(self) -> WixRefusal | None:
        """Count a call; a refusal when the minute's calls are used up."""
        most = self._quirks.w14_calls_per_minute
        if most is None:
            return None
        now = self._now()
        while self._calls and self._calls[0] <= now - WINDOW:
            self._calls.popleft()
        if len(self._calls) >= most:
            return throttled()
        self._calls.append(now)
        return None

    def _admit_key(self, site_id: str, account_id: str) -> Actor:
        if bool(site_id) == bool(account_id):
            raise application_error(
                400, "BAD_REQUEST", "Send either wix-site-id or wix-account-id with an API key, but not both"
            )
        if site_id != self.site_id:
            raise forbidden("the API key has no access to this site")
        return self.key_holder


def forbidden(why: str) -> WixRefusal:
    """403 as the vendor words it."""
    return application_error(403, "PERMISSION_DENIED", f"Permission denied: {why}")


def throttled() -> WixRefusal:
    """429 as the vendor words it."""
    return application_error(429, "RESOURCE_EXHAUSTED", "Too many requests: wait a minute and then retry")
