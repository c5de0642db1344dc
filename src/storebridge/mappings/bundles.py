"""Which variants are bundles, of what, and which of them can be kept in step. Pure.

A recipe comes from the configuration or from the store that makes the bundle up itself (Shopify). A recipe that names
another bundle is flattened, so that only ordinary SKUs are left in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from storebridge.model.catalogue import Variant
from storebridge.model.ids import ConnectionName

Recipe = Mapping[str, int]
"""Units of each component in one bundle, by SKU."""


class LinkedBundle(msgspec.Struct, frozen=True):
    """A bundle that can be kept in step."""

    sku: str
    components: dict[str, int]
    variants: dict[ConnectionName, Variant]
    """Where it is an ordinary variant with a level of its own; elsewhere the store makes it up itself or has none."""


class BundleTrouble(msgspec.Struct, frozen=True):
    """A bundle that is not kept in step, and why, as a sentence."""

    sku: str
    why: str


def recipes_of(
    declared: Mapping[str, Recipe], catalogues: Mapping[ConnectionName, Sequence[Variant]]
) -> tuple[dict[str, Recipe], list[BundleTrouble]]:
    """Every recipe, as configured or as a store tells it; one that is told twice and differs is a trouble."""
    found: dict[str, Recipe] = dict(declared)
    troubles: dict[str, BundleTrouble] = {}
    for connection in sorted(catalogues):
        for variant in catalogues[connection]:
            if not (variant.sku and variant.components):
                continue
            known = found.setdefault(variant.sku, variant.components)
            if dict(known) != dict(variant.components):
                told = in_words(variant.components)
                why = f"{connection} makes it of {told}, and another store or the configuration of {in_words(known)}"
                troubles[variant.sku] = BundleTrouble(variant.sku, why)
    return {sku: recipe for sku, recipe in found.items() if sku not in troubles}, list(troubles.values())


def called_bundles(declared: Mapping[str, Recipe], catalogues: Mapping[ConnectionName, Sequence[Variant]]) -> set[str]:
    """Every SKU that the configuration or a store calls a bundle, also where they differ about it."""
    recipes, differing = recipes_of(declared, catalogues)
    return {*recipes, *(one.sku for one in differing)}


def in_words(recipe: Recipe) -> str:
    """``2 × MUG and 1 × TEA``."""
    return " and ".join(f"{units} × {sku}" for sku, units in sorted(recipe.items()))


def flattened(sku: str, recipes: Mapping[str, Recipe]) -> dict[str, int]:
    """The ordinary SKUs of one bundle. Raises ValueError for one that is made of itself."""
    return _flattened(sku, recipes, ())


def _flattened(sku: str, recipes: Mapping[str, Recipe], above: tuple[str, ...]) -> dict[str, int]:
    if sku in above:
        raise ValueError(f"it is made of itself ({' of '.join((*above, sku))})")
    total: dict[str, int] = {}
    for component, units in recipes[sku].items():
        parts = _flattened(component, recipes, (*above, sku)) if component in recipes else {component: 1}
        for part, each in parts.items():
            total[part] = total.get(part, 0) + units * each
    return total


def link_bundles(
    recipes: Mapping[str, Recipe],
    usable: Mapping[str, Mapping[ConnectionName, Variant]],
    sold: Mapping[ConnectionName, set[str]],
) -> tuple[list[LinkedBundle], list[BundleTrouble]]:
    """Bundles whose components can all be counted. ``usable``: variants that can be linked, by SKU and store; ``sold``:
    every SKU that a store lists. A bundle that no store sells as an ordinary variant needs nothing and is left out."""
    bundles: list[LinkedBundle] = []
    troubles: list[BundleTrouble] = []
    for sku in sorted(recipes):
        try:
            components = flattened(sku, recipes)
        except ValueError as error:
            troubles.append(BundleTrouble(sku, str(error)))
            continue
        why = _obstacle(sku, components, usable, sold)
        if why:
            troubles.append(BundleTrouble(sku, why))
        elif usable.get(sku):
            bundles.append(LinkedBundle(sku, components, dict(usable[sku])))
    return bundles, troubles


def _obstacle(
    sku: str,
    components: Recipe,
    usable: Mapping[str, Mapping[ConnectionName, Variant]],
    sold: Mapping[ConnectionName, set[str]],
) -> str:
    if not any(sku in skus for skus in sold.values()):
        return "no store sells it"
    if "" in components:
        return "one of its components has no SKU in the store that makes it up"
    missing = [part for part in sorted(components) if not any(part in skus for skus in sold.values())]
    if missing:
        return f"no store sells its component {', '.join(missing)}"
    uncounted = [part for part in sorted(components) if not usable.get(part)]
    return f"its component {', '.join(uncounted)} cannot be counted (see its own case)" if uncounted else ""
