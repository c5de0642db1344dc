"""Answers of Catalog V3 that come in pages, which a cursor leads to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol, TypeVar

from storebridge.connectors.wix.client import Operation, WixClient
from storebridge.connectors.wix.errors import drift
from storebridge.connectors.wix.translate import Shape

MOST_PAGES = 500
"""More pages than this are a cursor that runs in a circle."""

Row = TypeVar("Row")
Seen = TypeVar("Seen", covariant=True)


class Cursors(Shape, frozen=True):
    """Where the next page begins."""

    next: str | None = None


class Paging(Shape, frozen=True):
    """Whether there is a next page; some resources do not say ``hasNext``."""

    cursors: Cursors | None = None
    has_next: bool | None = None

    @property
    def next_cursor(self) -> str | None:
        if self.has_next is False or self.cursors is None:
            return None
        return self.cursors.next or None


class Page(Protocol[Seen]):
    """An answer with rows and, perhaps, a cursor to more of them."""

    def rows(self) -> Sequence[Seen]: ...

    def cursor(self) -> str | None: ...


class Paged(Shape, frozen=True):
    """An answer that says where its next page begins."""

    paging_metadata: Paging | None = None

    def cursor(self) -> str | None:
        return self.paging_metadata.next_cursor if self.paging_metadata else None


async def pages_of(
    client: WixClient,
    operation: Operation,
    shape: type[Page[Row]],
    where: dict[str, Any],
    limit: int,
    extra: dict[str, Any] | None = None,
) -> AsyncIterator[Sequence[Row]]:
    """Page after page; ``extra`` goes with each question."""
    paging: dict[str, Any] = {"limit": limit}
    query: dict[str, Any] = {"filter": where, "cursorPaging": paging} if where else {"cursorPaging": paging}
    for _ in range(MOST_PAGES):
        page = await client.read(operation, shape, {"query": query, **(extra or {})})
        yield page.rows()
        cursor = page.cursor()
        if cursor is None or not page.rows():
            return
        query = {"cursorPaging": {"limit": limit, "cursor": cursor}}
    raise drift(f"{operation.name} never comes to its last page")
