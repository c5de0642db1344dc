"""Which variants are the same goods: linked by SKU, never by a guess.

A SKU that one store has twice, or that only one store has, is not linked; each such case is named with advice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from storebridge.model.catalogue import Variant
from storebridge.model.ids import ConnectionName


class Obstacle(StrEnum):
    """Why a variant is not kept in step."""

    SKU_BLANK = "sku_blank"
    SKU_DUPLICATE = "sku_duplicate_in_store"
    ONE_SIDE_ONLY = "sku_only_on_one_side"
    UNTRACKED = "item_untracked"
    NOT_ADJUSTABLE = "item_not_adjustable"


class Unlinked(msgspec.Struct, frozen=True):
    """A variant, or several of one SKU, that cannot be linked."""

    obstacle: Obstacle
    connection: ConnectionName
    sku: str | None
    variants: tuple[Variant, ...]


class LinkedSku(msgspec.Struct, frozen=True):
    """One SKU and its one variant in each store that has it."""

    sku: str
    variants: dict[ConnectionName, Variant]


class Links(msgspec.Struct, frozen=True):
    """The result of matching the catalogues of a workspace."""

    linked: tuple[LinkedSku, ...]
    unlinked: tuple[Unlinked, ...]


def link_by_sku(catalogues: Mapping[ConnectionName, Sequence[Variant]]) -> Links:
    """Match variants by their exact SKU; a SKU is linked when at least two stores sell and count it."""
    unlinked: list[Unlinked] = []
    usable: defaultdict[str, dict[ConnectionName, Variant]] = defaultdict(dict)
    for connection in sorted(catalogues):
        by_sku, blank = _by_sku(catalogues[connection])
        unlinked.extend(Unlinked(Obstacle.SKU_BLANK, connection, None, (variant,)) for variant in blank)
        for sku, variants in sorted(by_sku.items()):
            obstacle = _obstacle(variants)
            if obstacle is None:
                usable[sku][connection] = variants[0]
            else:
                unlinked.append(Unlinked(obstacle, connection, sku, tuple(variants)))
    linked = [LinkedSku(sku, stores) for sku, stores in sorted(usable.items()) if len(stores) > 1]
    unlinked.extend(
        Unlinked(Obstacle.ONE_SIDE_ONLY, connection, sku, (variant,))
        for sku, stores in sorted(usable.items())
        if len(stores) == 1
        for connection, variant in stores.items()
    )
    return Links(tuple(linked), tuple(unlinked))


def _by_sku(variants: Iterable[Variant]) -> tuple[dict[str, list[Variant]], list[Variant]]:
    by_sku: defaultdict[str, list[Variant]] = defaultdict(list)
    blank: list[Variant] = []
    for variant in variants:
        if variant.sku:
            by_sku[variant.sku].append(variant)
        else:
            blank.append(variant)
    return dict(by_sku), blank


def _obstacle(variants: Sequence[Variant]) -> Obstacle | None:
    if len(variants) > 1:
        return Obstacle.SKU_DUPLICATE
    if not variants[0].tracked:
        return Obstacle.UNTRACKED
    if not variants[0].adjustable:
        return Obstacle.NOT_ADJUSTABLE
    return None
