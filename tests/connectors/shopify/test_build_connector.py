"""From configuration to connector: secrets found where the file says, and a sentence when they are not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from shopify_answers import HandClock, MemoryVault, ScriptedWire

from storebridge.clock import Clock
from storebridge.config import ConnectionConfig
from storebridge.connectors.catalog import build_connector
from storebridge.connectors.http import Transport
from storebridge.connectors.port import Connector
from storebridge.connectors.shopify.connector import ShopifyConnector
from storebridge.connectors.wix.connector import WixConnector
from storebridge.errors import ConfigurationError
from storebridge.model.ids import ConnectionName

SHOPIFY = {
    "kind": "shopify",
    "shop": "my-shop.myshopify.com",
    "client_id": "client-1",
    "client_secret": {"env": "SHOPIFY_CLIENT_SECRET"},
}
WIX = {"kind": "wix", "site_id": "site-1", "api_key": {"file": "/run/secrets/wix"}}


class Outside:
    """A machine with one variable and one file."""

    def __init__(self) -> None:
        self.transport: Transport = ScriptedWire()
        self.clock: Clock = HandClock()
        self.environ: Mapping[str, str] = {"SHOPIFY_CLIENT_SECRET": "from the environment"}
        self.read_file: Callable[[str], str] = {"/run/secrets/wix": "from the file\n"}.__getitem__


def build(settings: Mapping[str, Any], read_table: Callable[[str], str | None] | None = None) -> Connector:
    config = msgspec.convert(settings, ConnectionConfig)
    return build_connector(ConnectionName("store"), config, Outside(), MemoryVault(), read_table)


def test_each_kind_gets_its_connector() -> None:
    shopify, wix = build(SHOPIFY), build(WIX)
    assert isinstance(shopify, ShopifyConnector)
    assert isinstance(wix, WixConnector)
    assert [(found.kind, found.name) for found in (shopify, wix)] == [("shopify", "store"), ("wix", "store")]


def test_a_secret_may_stand_in_the_encrypted_table() -> None:
    settings = {**SHOPIFY, "client_secret": {"table": "shopify-secret"}}
    assert build(settings, {"shopify-secret": "from the table"}.get).kind == "shopify"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({**SHOPIFY, "client_secret": {"env": "UNSET"}}, r"connections\.store\.client_secret: .*UNSET"),
        ({**SHOPIFY, "client_secret": {"table": "unset"}}, r"connections\.store\.client_secret: .*unset"),
        ({**SHOPIFY, "shop": None}, "connection store: write shop"),
        ({"kind": "wix"}, "connection store: write app_id, app_secret and instance_id, or api_key and site_id"),
    ],
)
def test_what_is_missing_is_named(settings: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        build(settings)
