"""Secrets at rest: sealed under a key outside the database, and bound to their name."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime

import pytest
from shopify_answers import HandClock
from sqlalchemy import select

from storebridge.errors import ConfigurationError
from storebridge.model.ids import Workspace
from storebridge.store.dialects.inline import InlineStore
from storebridge.store.secrets import SecretBox, list_secrets, read_secret, save_secret
from storebridge.store.tables import secrets
from storebridge.store.transactions import Tx

MAIN = Workspace("main")
KEY = base64.b64encode(bytes(range(32))).decode()
NONCE = bytes(12)
BOX = SecretBox(KEY)


def test_what_is_sealed_is_opened_again_and_shows_nothing() -> None:
    sealed = BOX.seal(MAIN, "shopify.refresh_token", "shprt_päss", NONCE)
    assert sealed[:12] == NONCE
    assert len(sealed) == 12 + len("shprt_päss".encode()) + 16
    assert b"shprt" not in sealed
    assert BOX.open(MAIN, "shopify.refresh_token", sealed) == "shprt_päss"


@pytest.mark.parametrize(("workspace", "name"), [("main", "other.refresh_token"), ("other", "shopify.refresh_token")])
def test_a_seal_is_bound_to_its_workspace_and_name(workspace: str, name: str) -> None:
    sealed = BOX.seal(MAIN, "shopify.refresh_token", "secret", NONCE)
    with pytest.raises(ConfigurationError, match="not the key that sealed it"):
        BOX.open(Workspace(workspace), name, sealed)


def test_a_changed_byte_or_another_key_opens_nothing() -> None:
    sealed = BOX.seal(MAIN, "name", "secret", NONCE)
    other = SecretBox(base64.b64encode(bytes(32)).decode())
    for box, bytes_ in ((BOX, sealed[:-1] + bytes([sealed[-1] ^ 1])), (other, sealed), (BOX, b""), (BOX, sealed[:20])):
        with pytest.raises(ConfigurationError, match="not the key that sealed it"):
            box.open(MAIN, "name", bytes_)


@pytest.mark.parametrize("key", ["", "short", base64.b64encode(bytes(31)).decode(), "ü" * 44, KEY + "!"])
def test_a_key_is_32_bytes_in_base64(key: str) -> None:
    with pytest.raises(ConfigurationError, match="openssl rand -base64 32"):
        SecretBox(key)


def test_a_secret_is_replaced_and_its_generation_counted() -> None:
    def generation(tx: Tx) -> list[tuple[str, int, datetime]]:
        return [
            tuple(row) for row in tx.conn.execute(select(secrets.c.name, secrets.c.generation, secrets.c.written_at))
        ]

    async def play() -> None:
        store = InlineStore(clock=HandClock())
        assert await store.run(read_secret, MAIN, "a") is None
        await store.run(save_secret, MAIN, "a", b"first")
        await store.run(save_secret, MAIN, "a", b"second")
        assert await store.run(read_secret, MAIN, "a") == b"second"
        assert await store.run(read_secret, Workspace("other"), "a") is None
        assert await store.run(list_secrets, MAIN) == ["a"]
        assert await store.run(generation) == [("a", 2, datetime(2026, 11, 24, 9, 0, tzinfo=UTC))]
        store.engine.dispose()

    asyncio.run(play())
