"""Where a connector keeps a token that the vendor rotates: the store's encrypted table, handed in from outside."""

from __future__ import annotations

from typing import Protocol


class TokenVault(Protocol):
    """Keeps one connection's rotating tokens; what is saved is on disk before ``save`` returns."""

    async def read(self, name: str) -> str | None:
        """The newest value, or None when there is none yet."""
        ...

    async def save(self, name: str, value: str) -> None:
        """Replace the value, journaled. Raises StoreUnavailableError; the old value then still stands."""
        ...


class NoVault:
    """For connections whose tokens do not rotate."""

    async def read(self, name: str) -> str | None:  # noqa: ARG002 - nothing is kept
        return None

    async def save(self, name: str, value: str) -> None:  # noqa: ARG002 - nothing is kept
        return None
