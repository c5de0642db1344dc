"""Bundles of products (``productBundleCreate``, ``productBundleUpdate``): made by an operation that is polled.

Which variants of the components belong together follows from the options that are chosen: one that leaves several
values open becomes an option of the bundle, one with a single value is settled. Refusals are recorded (2025-01).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers
from storebridge_sandbox.shopify.ids import Numbers, number_of
from storebridge_sandbox.shopify.mutations import UserError, Verb, refuse
from storebridge_sandbox.shopify.paging import page_of
from storebridge_sandbox.shopify.products.answers import options_of
from storebridge_sandbox.shopify.products.bundles import MOST_COMPONENTS, MOST_UNITS, WORDS, BundleWrites, worth_of
from storebridge_sandbox.shopify.products.state import BundleOperation, BundlePart, Option, Product, Shelves, Variant
from storebridge_sandbox.shopify.products.variants import VariantWrites

DEFAULT = "Default Title"
NESTED = "NESTED_PARENT_PRODUCT_VARIANT"
MOST_OPTIONS = 3
Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Choice:
    """One value of an option of the bundle: what it settles of the components' options, and how many units of one."""

    value: str
    settles: tuple[tuple[str, str], ...] = ()
    units_of: tuple[int, int] | None = None


class BundleProducts:
    """``later`` has an operation carried out a moment after its answer."""

    def __init__(
        self,
        shelves: Shelves,
        variants: VariantWrites,
        bundles: BundleWrites,
        numbers: Numbers,
        begin: Callable[[str, Sequence[Given]], Product],
        redo_options: Callable[[Product, Sequence[Given]], None],
        changed: Callable[[Product, str], None],
        later: Callable[[BundleOperation], None],
    ) -> None:
        self._shelves = shelves
        self._variants = variants
        self._bundles = bundles
        self._numbers = numbers
        self._begin = begin
        self._redo_options = redo_options
        self._changed = changed
        self._later = later
        self.operations: dict[str, BundleOperation] = {}

    def verbs(self) -> dict[str, Verb]:
        return {"productBundleCreate": self._create, "productBundleUpdate": self._update}

    def resolvers(self) -> Resolvers:
        return {**self._operation(), **self._part(), **self._chosen()}

    def _operation(self) -> Resolvers:
        operation, error = "ProductBundleOperation", "ProductBundleMutationUserError"
        return {
            (operation, "id"): lambda one, _a, _c: one.id,
            (operation, "status"): self._status,
            (operation, "product"): lambda one, _a, _c: self._shelves.products.get(one.made or ""),
            (operation, "userErrors"): lambda one, _a, _c: [UserError(None, *row) for row in one.errors],
            **{(error, name): _told(name) for name in ("code", "field", "message")},
        }

    def _part(self) -> Resolvers:
        part = "ProductBundleComponent"
        return {
            ("Product", "bundleComponents"): lambda product, args, _c: page_of(_part_rows(product), args),
            (part, "componentProduct"): lambda one, _a, _c: self._shelves.products.get(one.product_id),
            (part, "componentVariants"): self._part_variants,
            (part, "componentVariantsCount"): lambda one, _a, _c: len(self._variants_of(one)),
            (part, "quantity"): lambda one, _a, _c: None if one.sizes else one.units,
            (part, "quantityOption"): lambda one, _a, _c: one if one.sizes else None,
            (part, "optionSelections"): self._selections,
        }

    def _chosen(self) -> Resolvers:
        size, selection = "ProductBundleComponentQuantityOption", "ProductBundleComponentOptionSelection"
        return {
            (size, "name"): lambda part, _a, _c: part.size_name,
            (size, "parentOption"): lambda part, _a, _c: self._own_option(part, part.size_name),
            (size, "values"): lambda part, _a, _c: list(part.sizes),
            (f"{size}Value", "name"): lambda row, _a, _c: row[0],
            (f"{size}Value", "quantity"): lambda row, _a, _c: row[1],
            (selection, "componentOption"): lambda row, _a, _c: row[1],
            (selection, "parentOption"): lambda row, _a, _c: self._own_option(row[0], row[2]),
            (selection, "values"): lambda row, _a, _c: row[3],
            (f"{selection}Value", "value"): lambda row, _a, _c: row[0],
            (f"{selection}Value", "selectionStatus"): lambda row, _a, _c: row[1],
        }

    # -- the mutations -----------------------------------------------------------------------------------------

    def _create(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        return self._start(args["input"], None)

    def _update(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["input"]
        product = self._shelves.products.get(given["productId"])
        if product is None or not product.bundle_parts:
            raise refuse(None, f"Failed to locate the following products: [{number_of(given['productId'])}]")
        return self._start(given, product.id)

    def _start(self, given: Given, changes: str | None) -> dict[str, Any]:
        if changes is None or given.get("components") is not None:
            self._check(given.get("components") or [])
        operation = BundleOperation(self._numbers.new("ProductBundleOperation"), dict(given), changes)
        self.operations[operation.id] = operation
        self._later(operation)
        return {"productBundleOperation": operation}

    def _status(self, operation: BundleOperation, _args: Any, _call: Call) -> str:
        """CREATED in the answer, ACTIVE for whoever polls (recorded), COMPLETE once it is done."""
        if operation.done:
            return "COMPLETE"
        status = "ACTIVE" if operation.begun else "CREATED"
        operation.begun = True
        return status

    def _check(self, components: Sequence[Given]) -> None:
        missing = [one["productId"] for one in components if one["productId"] not in self._shelves.products]
        if missing:
            raise refuse(None, f"Failed to locate the following products: {_numbers(missing)}")
        for one in components:
            self._check_options(one)
        over = [one["productId"] for one in components if (one.get("quantity") or 0) > MOST_UNITS]
        if over:
            told = f"Quantity cannot be greater than {MOST_UNITS}. The following products have a quantity that exceeds"
            raise refuse(None, f"{told} the maximum: {_numbers(over)}")
        single = [one["productId"] for one in components if one.get("quantityOption") and len(_sizes(one)) < 2]
        if single:
            told = "Quantity options must have at least two values. Invalid quantity options found for components"
            raise refuse(None, f"{told} targeting product_ids {_numbers(single)}.")
        if not 0 < len(components) <= MOST_COMPONENTS:
            raise refuse(None, f"A bundle must have between 1 and {MOST_COMPONENTS} components.")
        if self._is_nested(components):
            raise refuse(None, WORDS[NESTED])

    def _is_nested(self, components: Sequence[Given]) -> bool:
        """Whether a variant that is chosen is a bundle itself."""
        return any(one.requires_components for given in components for one in self._variants_of(_part("", given)))

    def _check_options(self, one: Given) -> None:
        """Every option of the component is mapped, to values that it has, and nothing else is."""
        product = self._shelves.products[one["productId"]]
        known = {option.id: {value.name for value in option.values} for option in options_of(product)}
        chosen = {row["componentOptionId"]: set(row["values"]) for row in one["optionSelections"]}
        if chosen.keys() != known.keys() or any(not values or values - known[name] for name, values in chosen.items()):
            told = "Mapping of components targeting products need to map all of the options of the product. Missing or"
            numbers = _numbers([product.id])
            raise refuse(None, f"{told} invalid options found for components targeting product_ids {numbers}.")

    # -- a moment later ----------------------------------------------------------------------------------------

    def carry_out(self, operation: BundleOperation) -> None:
        """Make the product, or change it; what became impossible meanwhile is told by the operation."""
        given, product = operation.given, self._shelves.products.get(operation.changes or "")
        operation.done = True
        if operation.changes is not None and product is None:
            operation.errors.append(("Product does not exist.", "PRODUCT_DOES_NOT_EXIST"))
            return
        components = given.get("components")
        if self._is_nested(components or []):
            operation.errors.append((WORDS[NESTED], "INVALID_INPUT"))
            return
        dimensions = self._dimensions(given) if components is not None else {}
        if len(dimensions) > MOST_OPTIONS:
            operation.errors.append(("A product cannot have more than 3 options.", "INVALID_INPUT"))
            return
        options = [
            {"name": name, "values": [{"name": one.value} for one in choices]} for name, choices in dimensions.items()
        ]
        fresh = product is None
        product = self._begin(given.get("title") or "", options) if product is None else product
        if given.get("title"):
            product.title = given["title"]
        if components is not None:
            if not fresh:
                self._redo_options(product, options)
            product.bundle_parts = [_part(product.id, one) for one in components]
            self._make_variants(product, dimensions)
        if fresh:
            self._shelves.add(product)
        operation.made = product.id
        self._changed(product, "products/create" if fresh else "products/update")

    def _dimensions(self, given: Given) -> dict[str, list[_Choice]]:
        """What the buyer chooses: by the name of the bundle's option, its values."""
        found: dict[str, list[_Choice]] = {}
        consolidated: set[str] = set()
        for one in given.get("consolidatedOptions") or []:
            choices = []
            for row in one["optionSelections"]:
                settles = tuple((c["componentOptionId"], c["componentOptionValue"]) for c in row["components"])
                consolidated |= {name for name, _ in settles}
                choices.append(_Choice(row["optionValue"], settles))
            found[one["optionName"]] = choices
        for place, one in enumerate(given["components"]):
            for row in one["optionSelections"]:
                if len(row["values"]) > 1 and row["componentOptionId"] not in consolidated:
                    choices = [_Choice(value, ((row["componentOptionId"], value),)) for value in row["values"]]
                    found[_free_name(row["name"], found)] = choices
            if one.get("quantityOption"):
                choices = [_Choice(name, units_of=(place, units)) for name, units in _sizes(one)]
                found[_free_name(one["quantityOption"]["name"], found)] = choices
        return found

    def _make_variants(self, product: Product, dimensions: Mapping[str, Sequence[_Choice]]) -> None:
        held = {variant.options: variant for variant in product.variants}
        product.variants.clear()
        for chosen in itertools.product(*dimensions.values()):
            names = tuple(one.value for one in chosen) or (DEFAULT,)
            components = self._components(product.bundle_parts, chosen)
            if not components:
                continue
            variant = held.pop(names, None)
            if variant is None:
                variant = self._variants.make(product, names)
                variant.tracked = True
                variant.price = worth_of(components, self._shelves)
                self._shelves.add_variant(variant)
            self._bundles.set_components(variant, components)
            product.variants.append(variant)
        for gone in held.values():
            self._variants.drop(gone)
        self._variants.number(product)

    def _components(self, parts: Sequence[BundlePart], chosen: Sequence[_Choice]) -> dict[str, int]:
        """Units by variant; a component whose number is zero is none."""
        settled = dict(pair for one in chosen for pair in one.settles)
        sizes = dict(one.units_of for one in chosen if one.units_of is not None)
        found: dict[str, int] = {}
        for place, part in enumerate(parts):
            values = {name: settled.get(name, values[0]) for name, _, values in part.selections}
            product = self._shelves.products.get(part.product_id)
            variant = _with_values(product, values) if product is not None else None
            units = sizes.get(place, part.units)
            if variant is not None and units > 0:
                found[variant.variant_id] = found.get(variant.variant_id, 0) + units
        return found

    # -- reading -----------------------------------------------------------------------------------------------

    def _variants_of(self, part: BundlePart) -> list[Variant]:
        product = self._shelves.products.get(part.product_id)
        chosen = {name: set(values) for name, _, values in part.selections}
        return [one for one in (product.variants if product else []) if _fits(product, one, chosen)]

    def _part_variants(self, part: BundlePart, args: dict[str, Any], _call: Call) -> Any:
        return page_of([(one.variant_id, number_of(one.variant_id), one) for one in self._variants_of(part)], args)

    def _selections(self, part: BundlePart, _args: Any, _call: Call) -> list[Any]:
        product = self._shelves.products.get(part.product_id)
        known = {option.id: option for option in (options_of(product) if product else [])}
        return [
            (
                part,
                known[name],
                own,
                [(value, "SELECTED" if value in values else "DESELECTED") for value in _all(known[name])],
            )
            for name, own, values in part.selections
            if name in known
        ]

    def _own_option(self, part: BundlePart, name: str) -> Option | None:
        product = self._shelves.products.get(part.owner_id)
        return next((one for one in (options_of(product) if product else []) if one.name == name), None)


def _told(name: str) -> Any:
    return lambda error, _args, _call: getattr(error, name)


def _numbers(ids: Sequence[str]) -> str:
    return f"[{', '.join(str(number_of(one)) for one in ids)}]"


def _sizes(one: Given) -> list[tuple[str, int]]:
    return [(row["name"], row["quantity"]) for row in (one.get("quantityOption") or {}).get("values") or []]


def _part(owner_id: str, one: Given) -> BundlePart:
    selections = tuple((row["componentOptionId"], row["name"], tuple(row["values"])) for row in one["optionSelections"])
    name = (one.get("quantityOption") or {}).get("name") or ""
    units = one.get("quantity")
    return BundlePart(owner_id, one["productId"], 1 if units is None else units, selections, name, tuple(_sizes(one)))


def _part_rows(product: Product) -> list[tuple[str, int, BundlePart]]:
    return [(str(place), place, part) for place, part in enumerate(product.bundle_parts, 1)]


def _free_name(wanted: str, taken: Mapping[str, object]) -> str:
    """Two options of one product have two names."""
    names = itertools.chain([wanted or "Quantity"], (f"{wanted or 'Quantity'} {n}" for n in itertools.count(2)))
    return next(name for name in names if name not in taken)


def _all(option: Option) -> list[str]:
    return [value.name for value in option.values]


def _values_of(product: Product, variant: Variant) -> dict[str, str]:
    return {option.id: value for option, value in zip(options_of(product), variant.options, strict=False)}


def _with_values(product: Product, wanted: Mapping[str, str]) -> Variant | None:
    return next((one for one in product.variants if _values_of(product, one).items() >= wanted.items()), None)


def _fits(product: Product | None, variant: Variant, chosen: Mapping[str, set[str]]) -> bool:
    own = _values_of(product, variant) if product else {}
    return all(own.get(name) in values for name, values in chosen.items())
