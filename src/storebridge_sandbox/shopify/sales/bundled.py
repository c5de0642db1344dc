"""A bundle in the basket: what it takes of its components, and what each of them costs as a part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import TypeVar

from storebridge_sandbox.orders import OutOfStock, Sellable
from storebridge_sandbox.shopify.money import Bag, same
from storebridge_sandbox.shopify.sales.state import LineItemGroup

CENT = Decimal("0.01")
Part = TypeVar("Part", bound=Sellable)


@dataclass(frozen=True, slots=True)
class Bought:
    """What becomes a line; ``unit`` is its price where it is not the variant's own, ``parts`` what stock one unit of it
    takes where that is not the variant's own."""

    variant: Sellable
    quantity: int
    unit: Bag | None = None
    group: LineItemGroup | None = None
    parts: Sequence[tuple[Sellable, int]] = ()

    @property
    def goods(self) -> list[tuple[Sellable, int]]:
        """What must be in stock for it, with the units."""
        return [(part, self.quantity * units) for part, units in self.parts] or [(self.variant, self.quantity)]


def parts_of(variant: Sellable, variants: Mapping[str, Part]) -> list[tuple[Part, int]]:
    """The components of a bundle with their units; none of an ordinary variant, and none of a bundle that cannot be
    had: it lost its components, or the product of one was deleted (S40)."""
    if any(part not in variants for part in variant.components):
        return []
    return [(variants[part], units) for part, units in variant.components.items()]


def unpacked(
    variant: Sellable, quantity: int, variants: Mapping[str, Sellable], new_id: Callable[[], str], *, whole: bool
) -> list[Bought]:
    """The lines of one thing in the basket; ``whole`` leaves a bundle one line. Raises OutOfStock for a bundle that
    lacks a component."""
    if not variant.requires_components:
        return [Bought(variant, quantity)]
    parts = parts_of(variant, variants)
    if not parts:
        raise OutOfStock(variant.sku)
    if whole:
        return [Bought(variant, quantity, parts=parts)]
    group = LineItemGroup(
        new_id(), variant.title, quantity, variant.product_id, variant.variant_id, variant.sku or None
    )
    prices = shares_of_price(variant.price, [(part.price, units) for part, units in parts])
    return [
        Bought(part, quantity * units, same(price), group) for (part, units), price in zip(parts, prices, strict=True)
    ]


def shares_of_price(price: Decimal, parts: Sequence[tuple[Decimal, int]]) -> list[Decimal]:
    """The price of one unit of each component (its own price, units): by what they cost alone, in whole cents; what is
    left of rounding goes to the first component of which there is one."""
    worth = sum((own * units for own, units in parts), Decimal(0))
    pieces = sum(units for _, units in parts)
    shares = [price * own / worth if worth else price / pieces for own, _ in parts]
    shares = [share.quantize(CENT, ROUND_DOWN) for share in shares]
    rest = price - sum((share * units for share, (_, units) in zip(shares, parts, strict=True)), Decimal(0))
    single = next((place for place, (_, units) in enumerate(parts) if units == 1), None)
    if single is not None:
        shares[single] += rest
    return shares
