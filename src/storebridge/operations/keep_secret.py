"""Secrets in the encrypted table: set by a person, rotated by a vendor. The value itself is never shown again."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Clock
from storebridge.errors import ConfigurationError
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.database import Store, Tx
from storebridge.store.leases import LostLease, release, take
from storebridge.store.secrets import NONCE_BYTES, SecretBox, list_secrets, read_secret, save_secret

RENEWAL_SECONDS = 120.0
"""Longer than any vendor's token address is waited for."""
LOOK_AGAIN_SECONDS = 1.0


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
        clock: Clock,
    ) -> None:
        self._store = store
        self._clock = clock
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

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """A lease: it ends by itself when its holder dies in the middle."""
        owner, lease = f"renewal-{self._chance.getrandbits(64):x}", f"token/{self._connection}"
        while (epoch := await self._store.run(take, self._workspace, lease, owner, RENEWAL_SECONDS)) is None:
            await self._clock.sleep(LOOK_AGAIN_SECONDS)
        try:
            yield
        finally:
            with contextlib.suppress(LostLease):
                await self._store.run(release, self._workspace, lease, owner, epoch)

    async def begin(self, name: str, value: str) -> None:
        await self.save(f"{name}.begun", _mark_of(value))

    async def was_begun(self, name: str, value: str) -> bool:
        return await self.read(f"{name}.begun") == _mark_of(value)

    def _name(self, name: str) -> str:
        return f"{self._connection}.{name}"

    def _sealed(self) -> SecretBox:
        if self._box is None:
            raise ConfigurationError(
                f"The tokens of {self._connection} rotate, so they are kept in the encrypted table: write "
                "server.secrets_key (32 bytes in base64)."
            )
        return self._box


def _mark_of(value: str) -> str:
    """Tells a token from another without being one."""
    return hashlib.sha256(value.encode()).hexdigest()


async def keep_given_secret(
    store: Store, workspace: Workspace, name: str, value: str, *, key: str, chance: random.Random, actor: str
) -> None:
    """Seal what a person typed. ``key``: 32 bytes in base64; raises ConfigurationError when it is none."""
    nonce = chance.randbytes(NONCE_BYTES)
    await store.run(keep_secret, workspace, name, value, SecretBox(key), nonce, actor=actor)


async def list_secret_names(store: Store, workspace: Workspace) -> list[str]:
    """Names only: no command shows a value."""
    return await store.read(list_secrets, workspace)
