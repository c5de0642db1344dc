"""What the configuration says about one Shopify shop, checked before anything is sent."""

from __future__ import annotations

import re

import msgspec

from storebridge.connectors.secret import Secret
from storebridge.errors import ConfigurationError
from storebridge.model.ids import ConnectionName

API_VERSION = "2026-10"
SHOP_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")


class ShopifySettings(msgspec.Struct, frozen=True, kw_only=True):
    """One connection. An access token, a refresh token, or the client-credentials grant; in this order."""

    name: ConnectionName
    shop: str
    api_url: str | None = None
    """Only for a sandbox: the base address instead of ``https://{shop}``; also allows plain http."""
    client_id: str | None = None
    client_secret: Secret | None = None
    """Signs webhooks as well."""
    previous_client_secret: Secret | None = None
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    timeout_seconds: float = 20.0
    keeps_orders: bool = False
    """Whole orders are read and parcels told: more scopes are needed than for stock."""
    gets_copies: bool = False
    """Orders of other stores are copied here, and their copies are edited."""

    @property
    def base_url(self) -> str:
        return (self.api_url or f"https://{self.shop}").rstrip("/")

    @property
    def signing_secrets(self) -> tuple[bytes, ...]:
        """The secrets that may sign a delivery; two while one is rotated."""
        both = (self.client_secret, self.previous_client_secret)
        return tuple(secret.reveal().encode() for secret in both if secret)

    def check(self) -> None:
        """Raises ConfigurationError with the sentence that says what to write."""
        if not SHOP_NAME.fullmatch(self.shop):
            raise ConfigurationError(
                f"connection {self.name}: shop is {self.shop!r}; write the shop's own domain, name.myshopify.com"
            )
        if self.access_token is None and not (self.client_id and self.client_secret):
            raise ConfigurationError(
                f"connection {self.name}: write client_id and client_secret (client-credentials grant), or access_token"
            )
        if self.refresh_token is not None and not (self.client_id and self.client_secret):
            raise ConfigurationError(f"connection {self.name}: a refresh_token needs client_id and client_secret too")
        if not self.signing_secrets:
            raise ConfigurationError(f"connection {self.name}: client_secret is needed to verify webhooks")
