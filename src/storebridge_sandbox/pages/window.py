"""What the pages ask of a store beside its verbs: goods with what is left of them, and levels by place."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

TAG = re.compile(r"<[^>]*>")
FEW = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """One variant. ``left`` is what the storefront shows, None for as many as one likes."""

    sku: str
    name: str
    price: Decimal
    was: Decimal | None
    left: int | None


@dataclass(frozen=True, slots=True)
class Goods:
    """One product; ``key`` is its place in the address bar, ``text`` is plain."""

    key: str
    title: str
    kind: str
    maker: str
    text: str
    offers: tuple[Offer, ...]

    @property
    def left(self) -> int | None:
        """Of all variants together."""
        counts = [offer.left for offer in self.offers]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def from_price(self) -> Decimal:
        return min(offer.price for offer in self.offers)

    @property
    def one_price(self) -> bool:
        return len({offer.price for offer in self.offers}) == 1


@dataclass(frozen=True, slots=True)
class Place:
    """One level of one SKU."""

    location_id: str
    name: str
    available: int
    tracked: bool


class Window(Protocol):
    """The goods of one store. Lists are in the store's own order."""

    currency: str

    def titles(self) -> Iterable[tuple[str, str]]:
        """(key, title) of every product on sale."""
        ...

    def goods(self, key: str) -> Goods | None:
        """A product on sale by its key."""
        ...

    def goods_of(self, sku: str) -> tuple[Goods, Offer] | None:
        """The product on sale that has this SKU, and its variant."""
        ...

    def skus(self) -> Iterable[tuple[str, str]]:
        """(SKU, title) of everything that the staff sees."""
        ...

    def places(self, sku: str) -> Sequence[Place]: ...


def plain_text(markup: str) -> str:
    """A description without its markup, as one paragraph."""
    return " ".join(html.unescape(TAG.sub(" ", markup)).split())


def left_in_words(left: int | None) -> tuple[str, str]:
    """(how it is said, ``gone``, ``few`` or ``many``)."""
    if left is None:
        return "in stock", "many"
    if left <= 0:
        return "sold out", "gone"
    return f"{left} left", "few" if left <= FEW else "many"
