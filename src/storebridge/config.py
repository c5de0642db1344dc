"""The configuration: one TOML file, checked as a whole; every setting has a sentence.

    [server]
    store = "storebridge.sqlite3"                 # or postgresql://user@host/database
    console_listen = "127.0.0.1:8790"             # console, API, metrics
    intake_listen = "127.0.0.1:8791"              # webhooks only
    intake_url = "https://hooks.example.com"      # how the stores reach the intake

    [workspaces.main]
    policy = "mirror"
    system_of_record = "shopify"

    [workspaces.main.connections.shopify]
    kind = "shopify"
    shop = "my-shop.myshopify.com"
    client_id = "abc"
    client_secret = { env = "SHOPIFY_CLIENT_SECRET" }
"""

from __future__ import annotations

from typing import Literal

import msgspec


class SecretRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is: exactly one of the three. The value itself never stands in the file."""

    env: str | None = None
    """An environment variable."""
    file: str | None = None
    """A file that only the service's user can read."""
    table: str | None = None
    """A name in the encrypted table (``storebridge secrets set NAME``)."""


class ConnectionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One store and its credentials."""

    kind: Literal["shopify", "wix"]
    api_url: str | None = None
    """Only for a sandbox: the base address instead of the vendor's own host."""
    # Shopify
    shop: str | None = None
    """``name.myshopify.com``."""
    client_id: str | None = None
    client_secret: SecretRef | None = None
    """Also signs webhooks. Two are accepted while a secret is rotated: see ``previous_client_secret``."""
    previous_client_secret: SecretRef | None = None
    access_token: SecretRef | None = None
    """A token that was given once (custom app); used instead of the client-credentials grant."""
    refresh_token: SecretRef | None = None
    """First refresh token of an expiring offline token; later ones live in the encrypted table."""
    # Wix
    site_id: str | None = None
    app_id: str | None = None
    app_secret: SecretRef | None = None
    instance_id: str | None = None
    api_key: SecretRef | None = None
    webhook_public_key: SecretRef | None = None
    """The app's public key (PEM, or base64 of it), from the app's dashboard; verifies deliveries."""
    previous_webhook_public_key: SecretRef | None = None


class LocationGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Locations of several stores that hold the same goods. Names or ids; ``*`` is every location of that store."""

    name: str
    locations: dict[str, list[str]]
    """Connection name to its locations, the first written first."""


class WorkspaceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant: stores, and how they are kept in step."""

    connections: dict[str, ConnectionConfig]
    policy: Literal["mirror", "escrow", "hybrid", "guarded"] = "mirror"
    system_of_record: str = ""
    """Whose level is believed at the baseline; default: the first connection."""
    groups: list[LocationGroup] = []
    """Default: one group ``main`` of every location that can sell online."""
    baseline: Literal["ask", "automatic"] = "ask"
    """``ask``: nothing is written before ``storebridge baseline --sign-off``. ``automatic``: sign off at first start."""
    safety_stock: int = 0
    """Units of each pool that no store shows."""
    hold_above_units: int = 200
    """A single change by staff of more units than this is held for a person."""
    mass_zero_share: float = 0.3
    """Hold everything of a store when more than this share of its counters falls to zero within one sweep."""
    sweep_seconds: float = 300.0
    """Every counter is read at least this often, webhooks or not."""
    hot_sweep_seconds: float = 30.0
    """Counters that moved lately or are low are read at least this often."""
    hot_below_units: int = 3
    order_poll_seconds: float = 30.0
    """Orders changed since the cursor are listed this often."""
    subscription_check_seconds: float = 600.0
    payload_retention_days: int = 30
    """Raw deliveries, which hold personal data, are emptied after this."""


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The process."""

    store: str = "storebridge.sqlite3"
    """A SQLite file, or ``postgresql://...``."""
    console_listen: str = "127.0.0.1:8790"
    intake_listen: str = "127.0.0.1:8791"
    intake_url: str = ""
    """How the stores reach the intake from outside; default: ``http://`` and ``intake_listen``."""
    console_token: SecretRef | None = None
    """Demanded by console and API when they listen anywhere but on loopback."""
    secrets_key: SecretRef | None = None
    """32 bytes, base64: seals the encrypted table."""
    max_delivery_bytes: int = 2 * 1024 * 1024


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    workspaces: dict[str, WorkspaceConfig]
    server: ServerConfig = ServerConfig()
