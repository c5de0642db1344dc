"""Locations, access tokens and scopes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from storebridge_sandbox.shopify.quirks import ShopifyOptions

SCOPES = (
    "read_products", "write_products", "read_inventory", "write_inventory", "read_locations", "read_orders",
    "write_orders", "write_order_edits", "read_all_orders", "read_customers", "write_customers", "read_fulfillments",
    "write_fulfillments", "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders", "read_returns", "write_returns",
)  # fmt: skip
EXPIRING_TOKEN_SECONDS = 3600.0
ONLINE_TOKEN_SECONDS = 86_399.0
REFRESH_TOKEN_DAYS = 90


SHOP_ID = "gid://shopify/Shop/1"


@dataclass(slots=True)
class Location:
    """A place that holds stock."""

    graphql_type: ClassVar[str] = "Location"
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    active: bool = True
    fulfills_online_orders: bool = True
    address: dict[str, Any] = field(default_factory=dict)
    deactivated_at: datetime | None = None
    service_id: str | None = None


@dataclass(slots=True)
class FulfilmentService:
    """A third party that ships; ``location_id`` is empty for the merchant's own hands."""

    graphql_type: ClassVar[str] = "FulfillmentService"
    id: str
    handle: str
    service_name: str
    location_id: str
    callback_url: str | None = None
    tracking_support: bool = False
    inventory_management: bool = False
    requires_shipping_method: bool = True
    type: str = "THIRD_PARTY"


@dataclass(slots=True)
class ShopState:
    """The shop's own data."""

    domain: str
    name: str
    created_at: datetime
    currency: str = "EUR"
    locations: list[Location] = field(default_factory=list)
    services: list[FulfilmentService] = field(default_factory=list)

    @property
    def id(self) -> str:
        """There is one."""
        return SHOP_ID

    def location(self, location_id: str) -> Location | None:
        return next((one for one in self.locations if one.id == location_id), None)


class TokenRefused(Exception):
    """The token endpoint's refusal: an OAuth error code and what it means."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Tokens:
    """Access tokens of one app: permanent ones, client-credentials ones, a person's, and expiring ones with refresh."""

    def __init__(self, seed: int, now: Callable[[], datetime], options: ShopifyOptions) -> None:
        self._now = now
        self._options = options
        self._chance = random.Random(f"shopify-credentials-{seed}")
        self.client_id = self._hex(16)
        self.client_secret = f"shpss_{self._hex(16)}"
        self.permanent = f"shpat_{self._hex(16)}"
        self.ends_at: dict[str, datetime | None] = {self.permanent: None}
        self.first_refresh_token = f"shprt_{self._hex(16)}"
        self.refresh_ends_at = {self.first_refresh_token: now() + timedelta(days=REFRESH_TOKEN_DAYS)}
        self.scopes = SCOPES if options.granted_scopes is None else options.granted_scopes

    def accepts(self, token: str) -> bool:
        """Whether a call with this token is let in now."""
        if token not in self.ends_at:
            return False
        end = self.ends_at[token]
        return end is None or self._now() < end

    def revoke_all(self) -> None:
        """The merchant removes the app: nothing works until a new token is asked for."""
        self.ends_at.clear()
        self.refresh_ends_at.clear()

    def check_app(self, form: Mapping[str, str]) -> None:
        """Raises TokenRefused for an app that is not this one."""
        if form.get("client_id") != self.client_id:
            raise TokenRefused("application_cannot_be_found", "The client_id is not known.")
        if form.get("client_secret") != self.client_secret:
            raise TokenRefused("invalid_client", "The client_secret is wrong.")

    def client_credentials(self) -> dict[str, Any]:
        seconds = self._options.token_seconds
        return {**self._answer(self._issue(seconds)), "expires_in": int(seconds)}

    def refresh(self, token: str) -> dict[str, Any]:
        """A refresh token works once; its successor comes with the answer."""
        end = self.refresh_ends_at.pop(token, None)
        if end is None or end <= self._now():
            raise TokenRefused("invalid_grant", "The refresh token is not valid or was used before.")
        return self.expiring()

    def expiring(self) -> dict[str, Any]:
        """A token for an hour, with one to renew it."""
        successor = f"shprt_{self._hex(16)}"
        self.refresh_ends_at[successor] = self._now() + timedelta(days=REFRESH_TOKEN_DAYS)
        return {
            **self._answer(self._issue(EXPIRING_TOKEN_SECONDS)),
            "expires_in": int(EXPIRING_TOKEN_SECONDS),
            "refresh_token": successor,
            "refresh_token_expires_in": REFRESH_TOKEN_DAYS * 86_400,
        }

    def lasting(self) -> dict[str, Any]:
        """A token without an end."""
        return self._answer(self._issue(None))

    def of_a_day(self) -> dict[str, Any]:
        """A token of a person's session."""
        return {**self._answer(self._issue(ONLINE_TOKEN_SECONDS)), "expires_in": int(ONLINE_TOKEN_SECONDS)}

    def _answer(self, token: str) -> dict[str, Any]:
        return {"access_token": token, "scope": ",".join(self.scopes)}

    def _issue(self, seconds: float | None) -> str:
        """With an end, earlier ones with an end may go (S30)."""
        if seconds is not None and self._options.new_token_retires_old:
            self.ends_at = {token: end for token, end in self.ends_at.items() if end is None}
        token = f"shpat_{self._hex(16)}"
        self.ends_at[token] = None if seconds is None else self._now() + timedelta(seconds=seconds)
        return token

    def _hex(self, length: int) -> str:
        return f"{self._chance.getrandbits(length * 8):0{length * 2}x}"
