"""Secrets in the encrypted table: set by a person, rotated by a vendor. The value itself is never shown again."""

from __future__ import annotations

import random

from storebridge.audit.record import AuditRow, append
from storebridge.errors import ConfigurationError
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.database import Store, Tx
from storebridge.store.secrets import NONCE_BYTES, SecretBox, list_secrets, read_secret, save_secret


def keep_secret(
    tx: Tx, workspace: Workspace, name: str, value: str, box: SecretBox, nonce: bytes, *, actor: str
) -> None:
    """Seal a secret and journal that it was replaced, not what it is."""
    save_secret(tx, workspace, name, box.seal(workspace, name, value, nonce))
    record = {"secret": name}
    append(tx, [AuditRow(workspace=workspace, kind="secret_replaced", subject=name, actor=actor, record=record)])


def open_secret(tx: Tx, workspace: Workspace, name: str, box: SecretBox) -> str | None:
    """A secret in clear, for the connector that needs it."""
    sealed = read_secret(tx, workspace, name)
    return None if sealed is None else box.open(workspace, name, sealed)


class StoredTokens:
    """A connection's rotating tokens in the encrypted table (the connectors' ``TokenVault``)."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        connection: ConnectionName,
        box: SecretBox | None,
        chance: random.Random,
    ) -> None:
        self._store = store
        self._workspace = workspace
        self._connection = connection
        self._box = box
        self._chance = chance

    async def read(self, name: str) -> str | None:
        return await self._store.read(open_secret, self._workspace, self._name(name), self._sealed())

    async def save(self, name: str, value: str) -> None:
        nonce = self._chance.randbytes(NONCE_BYTES)
        await self._store.run(
            keep_secret, self._workspace, self._name(name), value, self._sealed(), nonce, actor=self._connection
        )

    def _name(self, name: str) -> str:
        return f"{self._connection}.{name}"

    def _sealed(self) -> SecretBox:
        if self._box is None:
            raise ConfigurationError(
                f"The tokens of {self._connection} rotate, so they are kept in the encrypted table: write "
                "server.secrets_key (32 bytes in base64)."
            )
        return self._box


async def keep_given_secret(
    store: Store, workspace: Workspace, name: str, value: str, *, key: str, chance: random.Random, actor: str
) -> None:
    """Seal what a person typed. ``key``: 32 bytes in base64; raises ConfigurationError when it is none."""
    nonce = chance.randbytes(NONCE_BYTES)
    await store.run(keep_secret, workspace, name, value, SecretBox(key), nonce, actor=actor)


async def list_secret_names(store: Store, workspace: Workspace) -> list[str]:
    """Names only: no command shows a value."""
    return await store.read(list_secrets, workspace)
