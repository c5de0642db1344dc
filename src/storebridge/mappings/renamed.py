"""Items whose SKU was changed in their store after they were linked: they stay linked as they are.

Goods are linked by SKU once and kept in step by item from then on. A listing is therefore read with the SKUs under
which items are kept in step, so that a SKU typed anew neither cuts a link nor makes another one. All of this is pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from storebridge.mappings.bundles import Recipe
from storebridge.model.catalogue import Variant
from storebridge.model.ids import ConnectionName, ItemId

Catalogues = Mapping[ConnectionName, Sequence[Variant]]
Names = Mapping[tuple[ConnectionName, ItemId], str]
"""The SKU under which each item is kept in step."""


class SkuChanged(msgspec.Struct, frozen=True):
    """An item that is kept in step under one SKU and bears another in its store."""

    connection: ConnectionName
    kept_as: str
    variant: Variant
    """As its store lists it now."""

    @property
    def subject(self) -> str:
        """What its case is about."""
        return f"{self.connection}/{self.variant.item_id}"


class Listing(msgspec.Struct, frozen=True):
    """Catalogues by the SKUs that items are kept in step under."""

    catalogues: dict[ConnectionName, tuple[Variant, ...]]
    changed: tuple[SkuChanged, ...]


class Renames(msgspec.Struct, frozen=True):
    """SKUs in step that every store calls otherwise, and all the same."""

    moves: dict[str, str]
    """The new SKU by the old one."""
    blocked: dict[str, str]
    """Why the goods cannot be called so, by the old SKU."""


def names_of_listing(catalogues: Catalogues, names: Names, bundles: Names, called: Collection[str]) -> Names:
    """Under which SKUs a listing is read: those of items in step, and of ``bundles`` while recipes have that name.
    Where a recipe is called as the store calls the item now, the recipe was renamed, too. ``called``: every SKU that is
    told of as a bundle."""
    listed = {(c, variant.item_id): variant.sku for c, found in catalogues.items() for variant in found}
    stay = {item: sku for item, sku in bundles.items() if sku in called and listed.get(item) not in called}
    return {**names, **stay}


def as_kept(catalogues: Catalogues, names: Names) -> Listing:
    """Every item that is in step under its SKU there. A variant that is not in step and took the SKU over from such an
    item is left out: which of the two is meant cannot be known."""
    found: dict[ConnectionName, tuple[Variant, ...]] = {}
    changed: list[SkuChanged] = []
    for connection, variants in catalogues.items():
        own = [
            SkuChanged(connection, name, variant)
            for variant in variants
            if (name := names.get((connection, variant.item_id))) is not None and variant.sku != name
        ]
        kept_as = {one.variant.item_id: one.kept_as for one in own}
        left_out = {one.kept_as for one in own}
        found[connection] = tuple(
            msgspec.structs.replace(variant, sku=kept_as.get(variant.item_id, variant.sku))
            for variant in variants
            if (connection, variant.item_id) in names or variant.sku not in left_out
        )
        changed.extend(own)
    return Listing(found, tuple(changed))


def find_renames(
    catalogues: Catalogues, names: Names, recipes: Mapping[str, Recipe], taken: Collection[str]
) -> Renames:
    """What goods in step are called now, where all stores that have them agree. SKUs that trade places in every store
    do so here. ``taken``: every SKU of goods or bundles in step; ``recipes``: of every bundle that is told of."""
    listed = {(c, variant.item_id): variant.sku for c, found in catalogues.items() for variant in found}
    borne = Counter((c, variant.sku) for c, found in catalogues.items() for variant in found)
    twice = {sku for (_, sku), times in borne.items() if sku and times > 1}
    called: defaultdict[str, set[str | None]] = defaultdict(set)
    for item, name in names.items():
        called[name].add(listed.get(item))
    agreed = {name: new for name, skus in called.items() if len(skus) == 1 and (new := next(iter(skus)))}
    moves = {name: new for name, new in sorted(agreed.items()) if new != name}
    blocked: dict[str, str] = {}
    others = set(taken) | set(recipes)
    while found := {
        old: why for old, new in moves.items() if (why := _obstacle(old, new, moves, recipes, others, twice))
    }:
        blocked |= found
        moves = {old: new for old, new in moves.items() if old not in found}
    return Renames(moves, blocked)


def _obstacle(
    old: str,
    new: str,
    moves: Mapping[str, str],
    recipes: Mapping[str, Recipe],
    taken: Collection[str],
    twice: Collection[str],
) -> str:
    """Why goods cannot be called ``new``; empty when they can."""
    if new in taken and new not in moves:
        return f"other goods are kept in step as {new}"
    if new in twice:
        return f"a store has {new} on several variants"
    made_of_it = sorted(bundle for bundle, parts in recipes.items() if old in parts)
    if made_of_it:
        return f"the bundle {', '.join(made_of_it)} is made of {old} by that name"
    return ""
