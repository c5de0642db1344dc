"""Every kind of connector there is, by the name that the configuration gives it. Nothing else reaches inside one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from storebridge.clock import Clock
from storebridge.config import ConnectionConfig, SecretRef, resolve_secret
from storebridge.connectors.http import Transport
from storebridge.connectors.port import Connector
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.connector import ShopifyConnector
from storebridge.connectors.shopify.settings import ShopifySettings
from storebridge.connectors.tokens import TokenVault
from storebridge.connectors.wix.connector import WixConnector
from storebridge.connectors.wix.settings import WIX_API_URL, WixSettings
from storebridge.errors import ConfigurationError
from storebridge.model.ids import ConnectionName


class Outside(Protocol):
    """What a connector needs from outside; bootstrap's ``Environment`` offers it."""

    transport: Transport
    clock: Clock
    environ: Mapping[str, str]
    read_file: Callable[[str], str]


def build_connector(
    name: ConnectionName,
    config: ConnectionConfig,
    outside: Outside,
    vault: TokenVault,
    read_table: Callable[[str], str | None] | None = None,
    *,
    keeps_orders: bool = False,
    gets_copies: bool = False,
) -> Connector:
    """The connector of one configured connection; what is done with its orders says which scopes it needs.

    Raises ConfigurationError; sends nothing yet.
    """
    secrets = _Secrets(name, outside, read_table)
    if config.kind == "shopify":
        settings = _shopify(name, config, secrets)
        settings = msgspec.structs.replace(settings, keeps_orders=keeps_orders, gets_copies=gets_copies)
        return ShopifyConnector(settings, outside.transport, outside.clock, vault)
    wix = _wix(name, config, secrets)
    try:
        return WixConnector(wix, outside.transport, outside.clock)
    except ConfigurationError as error:
        raise ConfigurationError(f"connections.{name}: {error}") from error


class _Secrets:
    """Resolves the secrets of one connection."""

    def __init__(self, name: ConnectionName, outside: Outside, read_table: Callable[[str], str | None] | None) -> None:
        self._name = name
        self._outside = outside
        self._read_table = read_table

    def find(self, setting: str, ref: SecretRef | None) -> Secret | None:
        value = resolve_secret(
            ref,
            self._outside.environ,
            self._outside.read_file,
            setting=f"connections.{self._name}.{setting}",
            read_table=self._read_table,
        )
        return None if value is None else Secret(value)


def _shopify(name: ConnectionName, config: ConnectionConfig, secrets: _Secrets) -> ShopifySettings:
    if config.shop is None:
        raise ConfigurationError(f'connection {name}: write shop = "name.myshopify.com"')
    return ShopifySettings(
        name=name,
        shop=config.shop,
        api_url=config.api_url,
        client_id=config.client_id,
        client_secret=secrets.find("client_secret", config.client_secret),
        previous_client_secret=secrets.find("previous_client_secret", config.previous_client_secret),
        access_token=secrets.find("access_token", config.access_token),
        refresh_token=secrets.find("refresh_token", config.refresh_token),
    )


def _wix(name: ConnectionName, config: ConnectionConfig, secrets: _Secrets) -> WixSettings:
    keys = (
        secrets.find("webhook_public_key", config.webhook_public_key),
        secrets.find("previous_webhook_public_key", config.previous_webhook_public_key),
    )
    return WixSettings(
        name=name,
        api_url=config.api_url or WIX_API_URL,
        sandbox=config.api_url is not None,
        site_id=config.site_id,
        app_id=config.app_id,
        app_secret=secrets.find("app_secret", config.app_secret),
        instance_id=config.instance_id,
        stamp_namespace=config.stamp_namespace,
        api_key=secrets.find("api_key", config.api_key),
        webhook_public_keys=tuple(key.reveal() for key in keys if key),
    )
