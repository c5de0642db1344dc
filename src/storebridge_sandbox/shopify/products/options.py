"""The mutations of a product's options: create, update, delete, reorder, and what becomes of the variants."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from storebridge_sandbox.shopify.call import Call
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.mutations import Refusals, Verb, refuse
from storebridge_sandbox.shopify.products.answers import options_of
from storebridge_sandbox.shopify.products.option_checks import creation_errors, update_errors
from storebridge_sandbox.shopify.products.state import Option, OptionValue, Product, Shelves, Variant
from storebridge_sandbox.shopify.products.variants import MostVariants, VariantWrites

DEFAULT_OPTION, DEFAULT_VALUE = "Title", "Default Title"
NOT_THERE = "Product does not exist", "PRODUCT_DOES_NOT_EXIST"


class OptionWrites:
    """``changed`` announces a product."""

    def __init__(
        self,
        shelves: Shelves,
        variants: VariantWrites,
        numbers: Numbers,
        now: Callable[[], datetime],
        changed: Callable[[Product, str], None],
    ) -> None:
        self._shelves = shelves
        self._variants = variants
        self._numbers = numbers
        self._now = now
        self._changed = changed

    def verbs(self) -> dict[str, Verb]:
        return {
            "productOptionsCreate": self._create,
            "productOptionUpdate": self._update,
            "productOptionsDelete": self._delete,
            "productOptionsReorder": self._reorder,
        }

    def _create(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._product(args)
        held = [] if _only_default(product) else options_of(product)
        errors = creation_errors(held, args["options"])
        if errors:
            raise Refusals(*errors, product=product)
        if not held:
            product.options = []
        for given in sorted(args["options"], key=lambda one: one.get("position") or len(product.options) + 9):
            self._insert(product, given, fresh=not held)
        if args.get("variantStrategy") == "CREATE":
            self._fill(product)
        return self._done(product)

    def _insert(self, product: Product, given: dict[str, Any], *, fresh: bool) -> None:
        """A new option with its values; each variant that is there takes the first."""
        values = [self._value(one) for one in given["values"]]
        option = Option(self._numbers.new("ProductOption"), given["name"], values, product)
        place = min((given.get("position") or len(product.options) + 1) - 1, len(product.options))
        first = fresh and not product.options
        product.options.insert(place, option)
        for variant in product.variants:
            names = [] if first else list(variant.options)
            names.insert(place, values[0].name)
            variant.options = tuple(names)

    def _value(self, given: dict[str, Any]) -> OptionValue:
        """A value has a name, or that of the metafield that it is linked to."""
        name = given.get("name") or given.get("linkedMetafieldValue") or ""
        return OptionValue(self._numbers.new("ProductOptionValue"), name)

    def _fill(self, product: Product) -> None:
        """A variant for each combination of values that has none yet."""
        held = {variant.options for variant in product.variants}
        wanted = [one for one in itertools.product(*map(_names, product.options)) if one not in held]
        if len(held) + len(wanted) > MostVariants.VARIANTS:
            told = f"The number of variants created is over the {MostVariants.VARIANTS} variants limit."
            raise refuse(["options"], told, "TOO_MANY_VARIANTS_CREATED", product=product)
        for names in wanted:
            variant = self._variants.make(product, names)
            variant.price = product.variants[0].price if product.variants else variant.price
            product.variants.append(variant)
            self._shelves.add_variant(variant)
            self._variants.stock_up(variant, [])

    def _update(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._product(args)
        given = args["option"]
        option = next((one for one in options_of(product) if one.id == given["id"]), None)
        if option is None:
            raise refuse(["option"], "Option does not exist", "OPTION_DOES_NOT_EXIST", product=product)
        manages = args.get("variantStrategy") == "MANAGE"
        errors = update_errors(product, option, args, manages=manages)
        if errors:
            raise Refusals(*errors, product=product)
        if given.get("name"):
            option.name = given["name"]
        for one in args.get("optionValuesToUpdate") or []:
            self._rename(product, option, one)
        self._drop_values(product, option, args.get("optionValuesToDelete") or [])
        option.values += [self._value(one) for one in args.get("optionValuesToAdd") or []]
        if given.get("position"):
            order = [one for one in product.options if one is not option]
            order.insert(given["position"] - 1, option)
            _put_in_order(product, order)
        if manages:
            self._fill(product)
        return self._done(product)

    def _rename(self, product: Product, option: Option, given: dict[str, Any]) -> None:
        value = next(one for one in option.values if one.id == given["id"])
        place = product.options.index(option)
        for variant in product.variants:
            if variant.options[place] == value.name and given.get("name"):
                variant.options = (*variant.options[:place], given["name"], *variant.options[place + 1 :])
        value.name = given.get("name") or value.name

    def _drop_values(self, product: Product, option: Option, ids: list[str]) -> None:
        gone = {value.name for value in option.values if value.id in ids}
        option.values = [value for value in option.values if value.name not in gone]
        place = product.options.index(option)
        self._drop(product, [one for one in product.variants if one.options[place] in gone])

    def _delete(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._product(args)
        held = {option.id: option for option in options_of(product)}
        for place, one in enumerate(args["options"]):
            if one not in held:
                told = "Option does not exist"
                raise refuse(
                    ["options", str(place)], told, "OPTION_DOES_NOT_EXIST", product=product, deletedOptionsIds=[]
                )
        self._check_deletion(product, [held[one] for one in args["options"]], args.get("strategy") or "DEFAULT")
        kept = [option for option in product.options if option.id not in args["options"]]
        places = [product.options.index(option) for option in kept]
        seen: set[tuple[str, ...]] = set()
        twins = []
        for variant in product.variants:
            variant.options = tuple(variant.options[place] for place in places) or (DEFAULT_VALUE,)
            twins += [variant] if variant.options in seen else []
            seen.add(variant.options)
        self._drop(product, twins)
        product.options = kept
        if not kept:
            value = OptionValue(self._numbers.new("ProductOptionValue"), DEFAULT_VALUE)
            product.options = [Option(self._numbers.new("ProductOption"), DEFAULT_OPTION, [value], product)]
        return {**self._done(product), "deletedOptionsIds": list(args["options"])}

    def _check_deletion(self, product: Product, options: list[Option], strategy: str) -> None:
        """DEFAULT deletes options of one value only; NON_DESTRUCTIVE none that would make two variants alike."""
        if strategy == "DEFAULT":
            for place, option in enumerate(options):
                if len(option.values) > 1:
                    told, code = (
                        "Cannot delete an option with multiple values.",
                        "CANNOT_DELETE_OPTION_WITH_MULTIPLE_VALUES",
                    )
                    raise refuse(["options", str(place)], told, code, product=product, deletedOptionsIds=[])
        kept = [place for place, option in enumerate(product.options) if option not in options]
        alike = len({tuple(one.options[place] for place in kept) for one in product.variants}) < len(product.variants)
        if strategy == "NON_DESTRUCTIVE" and alike:
            told = "Cannot delete the option because it would delete variants."
            raise refuse(
                ["options"], told, "CANNOT_USE_NON_DESTRUCTIVE_STRATEGY", product=product, deletedOptionsIds=[]
            )

    def _reorder(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._product(args)
        order = [self._meant(product, one, ["options", str(n)]) for n, one in enumerate(args["options"])]
        if len({option.id for option in order}) < len(order):
            raise refuse(["options"], "Duplicated option names", "DUPLICATED_OPTION_NAME", product=product)
        missing = [option for option in product.options if option not in order]
        if missing:
            raise refuse(["options"], "Missing option name", "MISSING_OPTION_NAME", product=product)
        for option, given in zip(order, args["options"], strict=True):
            self._reorder_values(product, option, given)
        _put_in_order(product, order)
        ranks = [{value.name: place for place, value in enumerate(option.values)} for option in order]
        product.variants.sort(key=lambda one: [rank[name] for rank, name in zip(ranks, one.options, strict=True)])
        return self._done(product)

    def _meant(self, product: Product, given: dict[str, Any], path: list[str]) -> Option:
        if not given.get("id") and not given.get("name"):
            raise refuse(path, "Either option id or name is required", "NO_KEY_ON_REORDER", product=product)
        for option in options_of(product):
            if option.id == given.get("id") or (not given.get("id") and option.name == given.get("name")):
                return option
        by_id = bool(given.get("id"))
        code = "OPTION_ID_DOES_NOT_EXIST" if by_id else "OPTION_NAME_DOES_NOT_EXIST"
        raise refuse([*path, "id" if by_id else "name"], "Option does not exist", code, product=product)

    def _reorder_values(self, product: Product, option: Option, given: dict[str, Any]) -> None:
        wanted = given.get("values")
        if not wanted:
            return
        order = []
        for one in wanted:
            found = next((v for v in option.values if one.get("id") == v.id or one.get("name") == v.name), None)
            if found is None:
                raise refuse(["options"], "Option value does not exist", "OPTION_VALUE_DOES_NOT_EXIST", product=product)
            order.append(found)
        if len(order) < len(option.values):
            raise refuse(["options"], "Missing option value", "MISSING_OPTION_VALUE", product=product)
        option.values = order

    def _product(self, args: dict[str, Any]) -> Product:
        product = self._shelves.products.get(args["productId"])
        if product is None:
            raise refuse(["productId"], *NOT_THERE)
        options_of(product)
        for variant in product.variants:
            variant.options = variant.options or (DEFAULT_VALUE,)
        return product

    def _drop(self, product: Product, variants: list[Variant]) -> None:
        for variant in variants:
            product.variants.remove(variant)
            self._variants.drop(variant)

    def _done(self, product: Product) -> dict[str, Any]:
        product.option_names = tuple(option.name for option in product.options)
        self._variants.number(product)
        self._changed(product, "products/update")
        return {"product": product}


def _names(option: Option) -> list[str]:
    return [value.name for value in option.values]


def _only_default(product: Product) -> bool:
    options = options_of(product)
    return [option.name for option in options] == [DEFAULT_OPTION] and _names(options[0]) == [DEFAULT_VALUE]


def _put_in_order(product: Product, order: list[Option]) -> None:
    """The options, and with them the values of each variant."""
    places = [product.options.index(option) for option in order]
    for variant in product.variants:
        variant.options = tuple(variant.options[place] for place in places)
    product.options = order
