"""Secrets at rest: sealed with AES-256-GCM under a key that is not in the database.

The workspace and the name are bound into each seal, so that a row cannot be moved to another name.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.errors import ConfigurationError
from storebridge.model.ids import Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import secrets

KEY_BYTES = 32
NONCE_BYTES = 12


class SecretBox:
    """Seals and opens secrets of one workspace."""

    def __init__(self, key: str) -> None:
        """``key`` is 32 bytes in base64. Raises ConfigurationError."""
        try:
            raw = base64.b64decode(key, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != KEY_BYTES:
            raise ConfigurationError(
                "server.secrets_key is not 32 bytes in base64: make one with openssl rand -base64 32 and keep it"
            )
        self._cipher = AESGCM(raw)

    def seal(self, workspace: Workspace, name: str, value: str, nonce: bytes) -> bytes:
        """``nonce``: 12 random bytes, never used twice with one key."""
        return nonce + self._cipher.encrypt(nonce, value.encode(), _bound(workspace, name))

    def open(self, workspace: Workspace, name: str, sealed: bytes) -> str:
        """Raises ConfigurationError when the key is not the one that sealed it."""
        try:
            clear = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(workspace, name))
        except (InvalidTag, ValueError):
            raise ConfigurationError(
                f"The secret {name} of {workspace} cannot be opened: server.secrets_key is not the key that sealed it."
            ) from None
        return clear.decode()


def _bound(workspace: Workspace, name: str) -> bytes:
    return f"{workspace}\x1f{name}".encode()


def read_secret(tx: HasConnection, workspace: Workspace, name: str) -> bytes | None:
    """The sealed value; None when there is none."""
    found = tx.conn.execute(
        select(secrets.c.sealed).where(secrets.c.workspace == workspace, secrets.c.name == name)
    ).scalar()
    return None if found is None else bytes(found)


def save_secret(tx: HasConnection, workspace: Workspace, name: str, sealed: bytes) -> None:
    """Replace a sealed value and count its generation."""
    insert = (postgresql if tx.dialect == "postgresql" else sqlite).insert(secrets)
    values = {"sealed": sealed, "written_at": tx.now}
    tx.conn.execute(
        insert.values(workspace=workspace, name=name, generation=1, **values).on_conflict_do_update(
            index_elements=["workspace", "name"],
            set_={**values, "generation": secrets.c.generation + 1},
        )
    )


def list_secrets(tx: HasConnection, workspace: Workspace) -> list[str]:
    """The names of the sealed secrets."""
    found = tx.conn.execute(select(secrets.c.name).where(secrets.c.workspace == workspace).order_by(secrets.c.name))
    return [name for (name,) in found]
