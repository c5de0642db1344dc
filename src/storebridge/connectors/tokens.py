"""Where a connector keeps a token that the vendor rotates: the store's encrypted table, handed in from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class TokenVault(Protocol):
    """Keeps one connection's rotating tokens; what is saved is on disk before ``save`` returns."""

    async def read(self, name: str) -> str | None:
        """The newest value, or None when there is none yet."""
        ...

    async def save(self, name: str, value: str) -> None:
        """Replace the value, journaled. Raises StoreUnavailableError; the old value then still stands."""
        ...

    def alone(self) -> AbstractAsyncContextManager[None]:
        """For the time of a renewal: no other process renews this connection's token meanwhile, as each works once."""
        ...

    async def begin(self, name: str, value: str) -> None:
        """Journal that ``value`` is about to be spent. Who finds it begun after a crash knows that the vendor's answer
        was lost, and the token with it."""
        ...

    async def was_begun(self, name: str, value: str) -> bool:
        """Whether the renewal with ``value`` was begun and never ended."""
        ...


class NoVault:
    """For connections whose tokens do not rotate."""

    async def read(self, name: str) -> str | None:  # noqa: ARG002 - nothing is kept
        return None

    async def save(self, name: str, value: str) -> None:  # noqa: ARG002 - nothing is kept
        return None

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        yield

    async def begin(self, name: str, value: str) -> None:  # noqa: ARG002 - nothing is kept
        return None

    async def was_begun(self, name: str, value: str) -> bool:  # noqa: ARG002 - nothing is kept
        return False
