"""Which variants are the same goods: linked by SKU, never by a guess.

A SKU that one store has twice, or that only one store has, is not linked; each such case is named with advice. A bundle
is linked to its components, and these are kept in step even where only one store sells them alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from storebridge.mappings.bundles import BundleTrouble, LinkedBundle, Recipe, called_bundles, link_bundles, recipes_of
from storebridge.mappings.renamed import Names, as_kept, names_of_listing
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
    is_component: bool = False
    """A bundle draws on it: it is kept in step though it may be in one store only."""


class Links(msgspec.Struct, frozen=True):
    """The result of matching the catalogues of a workspace."""

    linked: tuple[LinkedSku, ...]
    unlinked: tuple[Unlinked, ...]
    bundles: tuple[LinkedBundle, ...] = ()
    troubles: tuple[BundleTrouble, ...] = ()
    """Bundles that are not kept in step."""
    recipes: frozenset[str] = frozenset()
    """Every SKU that is called a bundle, by the configuration or a store."""
    unexplained: frozenset[str] = frozenset()
    """SKUs that a store makes up itself without telling of what: what other stores sell as such is no ordinary good."""


def link_as_kept(
    catalogues: Mapping[ConnectionName, Sequence[Variant]], declared: Mapping[str, Recipe], names: Names, bundles: Names
) -> Links:
    """The same, with every item under the SKU under which it is kept in step: ``names`` of items, and of those that are
    counters of ``bundles``."""
    called = called_bundles(declared, catalogues)
    kept = as_kept(catalogues, names_of_listing(catalogues, names, bundles, called))
    return link_by_sku(kept.catalogues, declared, frozenset(bundles.values()))


def link_by_sku(
    catalogues: Mapping[ConnectionName, Sequence[Variant]],
    declared: Mapping[str, Recipe] | None = None,
    bundles: Collection[str] = (),
) -> Links:
    """Match variants by their exact SKU; a SKU is linked when at least two stores sell and count it, or a bundle draws
    on it. ``declared`` are the bundles of the configuration; ``bundles`` the SKUs that have counters as bundles: they
    are no ordinary goods before they were let go."""
    recipes, differing = recipes_of(declared or {}, catalogues)
    called = {*recipes, *(one.sku for one in differing)}
    unlinked: list[Unlinked] = []
    usable: defaultdict[str, dict[ConnectionName, Variant]] = defaultdict(dict)
    for connection in sorted(catalogues):
        by_sku, blank = _by_sku(catalogues[connection])
        unlinked.extend(Unlinked(Obstacle.SKU_BLANK, connection, None, (variant,)) for variant in blank)
        for sku, variants in sorted(by_sku.items()):
            obstacle = _obstacle(variants)
            if obstacle is None:
                usable[sku][connection] = variants[0]
            elif obstacle is not Obstacle.NOT_ADJUSTABLE or sku not in called:
                unlinked.append(Unlinked(obstacle, connection, sku, tuple(variants)))
    sold = {connection: {v.sku for v in variants if v.sku} for connection, variants in catalogues.items()}
    linked, troubles = link_bundles(recipes, usable, sold)
    unexplained = {one.sku: one.connection for one in unlinked if one.sku and one.obstacle is Obstacle.NOT_ADJUSTABLE}
    apart = called | unexplained.keys() | set(bundles)
    ordinary = {sku: stores for sku, stores in usable.items() if sku not in apart}
    unsaid = [_unsaid(sku, store) for sku, store in unexplained.items() if sku in usable]
    links = _linked(ordinary, unlinked, tuple(linked), (*differing, *troubles, *unsaid))
    return msgspec.structs.replace(links, recipes=frozenset(called), unexplained=frozenset(unexplained))


def _unsaid(sku: str, connection: ConnectionName) -> BundleTrouble:
    return BundleTrouble(sku, f"{connection} makes it up itself, and it could not be read of what")


def _linked(
    usable: Mapping[str, dict[ConnectionName, Variant]],
    unlinked: list[Unlinked],
    bundles: tuple[LinkedBundle, ...],
    troubles: tuple[BundleTrouble, ...],
) -> Links:
    components = {sku for bundle in bundles for sku in bundle.components}
    linked = [
        LinkedSku(sku, stores, sku in components)
        for sku, stores in sorted(usable.items())
        if len(stores) > 1 or sku in components
    ]
    unlinked.extend(
        Unlinked(Obstacle.ONE_SIDE_ONLY, connection, sku, (variant,))
        for sku, stores in sorted(usable.items())
        if len(stores) == 1 and sku not in components
        for connection, variant in stores.items()
    )
    return Links(tuple(linked), tuple(unlinked), bundles, troubles)


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
