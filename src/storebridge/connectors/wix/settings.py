"""What the configuration says about one Wix site, checked before anything is sent."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

from storebridge.connectors.secret import Secret
from storebridge.errors import ConfigurationError
from storebridge.model.ids import ConnectionName

WIX_API_URL = "https://www.wixapis.com"
NAMESPACE = re.compile(r"[@_A-Za-z0-9][-_./A-Za-z0-9]{0,99}")
CALLS_PER_MINUTE = 200
"""Documented limit per app and site (W14)."""


class WixSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One connection. Either app credentials (``app_id``, ``app_secret``, ``instance_id``) or an API key with
    ``site_id``; where both are complete, the app's are used, because only an app receives webhooks."""

    name: ConnectionName
    api_url: str = WIX_API_URL
    sandbox: bool = False
    """True only when the configuration names an ``api_url`` of its own: unlocks http and the sandbox's
    hook."""
    site_id: str | None = None
    app_id: str | None = None
    app_secret: Secret | None = None
    instance_id: str | None = None
    """Which installation of the app; deliveries must name it."""
    api_key: Secret | None = None
    webhook_public_keys: tuple[str, ...] = ()
    """PEM, or base64 of PEM; several while a key is rotated."""
    stamp_namespace: str | None = None
    """Namespace of the app's extension for inventory items (W34); None writes no stamps."""
    calls_per_minute: int = CALLS_PER_MINUTE
    timeout_seconds: float = 20.0

    @property
    def uses_app(self) -> bool:
        return bool(self.app_id and self.app_secret and self.instance_id)

    def check(self) -> None:
        """Raises ConfigurationError with the sentence that says what to write."""
        if not self.uses_app and not (self.api_key and self.site_id):
            raise ConfigurationError(
                f"connection {self.name}: write app_id, app_secret and instance_id, or api_key and site_id"
            )
        if self.calls_per_minute < 2:
            raise ConfigurationError(f"connection {self.name}: calls_per_minute must be at least 2")
        if self.stamp_namespace is not None and not NAMESPACE.fullmatch(self.stamp_namespace):
            raise ConfigurationError(
                f"connection {self.name}: stamp_namespace is the extension's namespace as its dashboard shows it, "
                "such as @acme/storebridge"
            )
        self._check_address()

    def _check_address(self) -> None:
        parts = urlsplit(self.api_url)
        if self.sandbox:
            if parts.scheme not in ("http", "https") or not parts.netloc:
                raise ConfigurationError(f"connection {self.name}: api_url is not an http address")
        elif self.api_url != WIX_API_URL:
            raise ConfigurationError(f"connection {self.name}: without a sandbox the address is {WIX_API_URL}")
