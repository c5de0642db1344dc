"""The mutations of products: create, update, set, delete, options, tags are elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from storebridge_sandbox.shopify.call import Call, Resolvers, refused
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.metafields.state import Metafields
from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.products.answers import options_of
from storebridge_sandbox.shopify.products.media import Shelf, add_media, file_errors, media_errors, set_media
from storebridge_sandbox.shopify.products.option_checks import creation_errors
from storebridge_sandbox.shopify.products.state import Option, OptionValue, Product, Shelves, Variant
from storebridge_sandbox.shopify.products.variants import MostVariants, VariantWrites
from storebridge_sandbox.shopify.tags import tags_of

LONGEST = 255
DEFAULT = "Default Title"
COPIED = {
    "title": "title",
    "vendor": "vendor",
    "productType": "product_type",
    "descriptionHtml": "body_html",
    "templateSuffix": "template_suffix",
    "requiresSellingPlan": "requires_selling_plan",
}


@dataclass(slots=True)
class ProductSetOperation:
    """A ``productSet`` that runs on its own; done when it is next looked at after a moment."""

    graphql_type: ClassVar[str] = "ProductSetOperation"
    id: str
    ready_at: datetime
    product: Product | None
    errors: list[UserError] = field(default_factory=list)


class Membership(Protocol):
    """What products need of the desk of collections."""

    def knows(self, collection_id: str) -> bool: ...

    def rejoin(self, product: Product, *, join: Sequence[str], leave: Sequence[str] = ()) -> None: ...

    def set_of(self, product: Product, collection_ids: Sequence[str]) -> None: ...


class ProductWrites:
    """Each mutation with its recorded refusals. ``changed`` announces, ``gone`` forgets a product's stock."""

    def __init__(
        self,
        shelves: Shelves,
        variants: VariantWrites,
        numbers: Numbers,
        now: Callable[[], datetime],
        changed: Callable[[Product, str], None],
        gone: Callable[[Product], None],
        set_metafields: Callable[[Any, list[dict[str, Any]]], list[UserError]],
        metafields: Metafields,
        collections: Membership,
    ) -> None:
        self._shelves = shelves
        self._variants = variants
        self._numbers = numbers
        self._now = now
        self._changed = changed
        self._gone = gone
        self._set_metafields = set_metafields
        self._metafields = metafields
        self._collections = collections
        self.operations: dict[str, ProductSetOperation] = {}

    def resolvers(self) -> Resolvers:
        return {
            ("QueryRoot", "productByIdentifier"): lambda _s, args, _c: self.identified(args["identifier"]),
            ("QueryRoot", "productVariantByIdentifier"): lambda _s, args, _c: self.identified_variant(
                args["identifier"]
            ),
            ("Mutation", "productCreate"): self._create,
            ("Mutation", "productUpdate"): self._update,
            ("Mutation", "productChangeStatus"): self._change_status,
            ("Mutation", "productDelete"): self._delete,
            ("Mutation", "productSet"): self._set,
            ("ProductSetOperation", "id"): lambda one, _a, _c: one.id,
            ("ProductSetOperation", "status"): lambda one, _a, call: (
                "COMPLETE" if one.ready_at <= call.now else "CREATED"
            ),
            ("ProductSetOperation", "product"): lambda one, _a, call: one.product if one.ready_at <= call.now else None,
            ("ProductSetOperation", "userErrors"): lambda one, _a, _c: one.errors,
        }

    def begin(self, title: str, options: Sequence[Mapping[str, Any]]) -> Product:
        """A product with these options and no variant, which is not on the shelves yet."""
        product = self._make({"title": title})
        self.redo_options(product, options)
        return product

    def redo_options(self, product: Product, options: Sequence[Mapping[str, Any]]) -> None:
        self._put_options(product, [dict(one) for one in options])

    def identified(self, identifier: dict[str, Any]) -> Product | None:
        """By id, handle or a unique metafield."""
        if identifier.get("id"):
            return self._shelves.products.get(identifier["id"])
        if identifier.get("handle"):
            return self._shelves.by_handle(identifier["handle"])
        custom = identifier.get("customId")
        found = self._metafields.owner_by_value("Product", custom) if custom else None
        return found if isinstance(found, Product) else None

    def identified_variant(self, identifier: dict[str, Any]) -> Variant | None:
        """By id or a unique metafield."""
        if identifier.get("id"):
            return self._shelves.variants.get(identifier["id"])
        custom = identifier.get("customId")
        found = self._metafields.owner_by_value("ProductVariant", custom) if custom else None
        return found if isinstance(found, Variant) else None

    def _create(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args.get("product") or args.get("input") or {}
        errors = text_errors(given, ["title"], needs_title=True)
        errors += self._handle_errors(given, None, ["handle"])
        errors += creation_errors([], given.get("productOptions") or [], ("productOptions",))
        errors += self._metafield_errors(given, ["metafields"])
        errors += self._belonging_errors(given, args)
        if errors:
            return {"product": None, "userErrors": errors}
        product = self._make(given)
        options = given.get("productOptions") or []
        self._put_options(product, options)
        names = tuple(option.values[0].name for option in product.options if option.values)
        product.variants.append(self._variants.make(product, names))
        self._shelves.add(product)
        self._variants.stock_up(product.variants[0], [])
        add_media(product, args.get("media") or [], Shelf(self._numbers, self._now()))
        errors = self._set_metafields(product, given.get("metafields") or [])
        self._changed(product, "products/create")
        self._collections.rejoin(product, join=given.get("collectionsToJoin") or [])
        return {"product": product, "userErrors": errors}

    def _update(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args.get("product") or args.get("input") or {}
        product = self.identified(args["identifier"]) if args.get("identifier") else None
        product = product or self._shelves.products.get(given.get("id") or "")
        if product is None:
            return refused(["id"], "Product does not exist")
        errors = text_errors(given, ["title"]) + self._handle_errors(given, product, ["handle"])
        errors += self._belonging_errors(given, args)
        if errors:
            return {"product": product, "userErrors": errors}
        self._apply(product, given)
        add_media(product, args.get("media") or [], Shelf(self._numbers, self._now()))
        errors = self._set_metafields(product, given.get("metafields") or [])
        self._changed(product, "products/update")
        join, leave = given.get("collectionsToJoin") or [], given.get("collectionsToLeave") or []
        self._collections.rejoin(product, join=join, leave=leave)
        return {"product": product, "userErrors": errors}

    def _change_status(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._shelves.products.get(args["productId"])
        if product is None:
            return refused(["productId"], "Product does not exist", "PRODUCT_NOT_FOUND")
        self._apply(product, {"status": args["status"]})
        self._changed(product, "products/update")
        return {"product": product, "userErrors": []}

    def _delete(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._shelves.products.get(args["input"]["id"])
        if product is None:
            return refused(["id"], "Product does not exist")
        self._shelves.remove(product)
        self._gone(product)
        self._changed(product, "products/delete")
        return {"deletedProductId": product.id, "userErrors": []}

    # -- productSet ------------------------------------------------------------------------------------------------

    def _set(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        product, errors = self._put(args.get("identifier"), args["input"])
        if args.get("synchronous", True):
            return {"product": None if errors else product, "productSetOperation": None, "userErrors": errors}
        made = ProductSetOperation(
            self._numbers.new("ProductSetOperation"), call.now + MostVariants.PAUSE, product, errors
        )
        self.operations[made.id] = made
        return {"product": None, "productSetOperation": made, "userErrors": []}

    def _put(self, identifier: dict[str, Any] | None, given: dict[str, Any]) -> tuple[Product | None, list[UserError]]:
        if identifier and given.get("id"):
            told = "The id field is not allowed if identifier is provided."
            return None, [UserError(["input"], told, "ID_NOT_ALLOWED")]
        product = self.identified(identifier) if identifier else self._shelves.products.get(given.get("id") or "")
        if product is None and (given.get("id") or (identifier or {}).get("id")):
            return None, [UserError(["input", "id"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")]
        mismatch = _mismatch(identifier or {}, given)
        if mismatch is not None:
            return None, [mismatch]
        errors = text_errors(given, ["input", "title"], needs_title=product is None, at=["input"])
        errors += self._handle_errors(given, product, ["input", "handle"])
        errors += [*_set_option_errors(given), *self._metafield_errors(given, ["input", "metafields"])]
        errors += self._unknown_collections(given.get("collections"), ["input", "collections"], "NOT_FOUND")
        errors += file_errors(product, given)
        if given.get("productOptions") and "variants" not in given:
            told = "Variants input is required when updating product options"
            errors.append(UserError(["input", "variants"], told, "VARIANTS_INPUT_MISSING"))
        if not errors and "variants" in given:
            errors = self._variants.set_errors(product, given)
        if errors:
            return None, errors
        return self._put_down(product, identifier, given)

    def _put_down(
        self, product: Product | None, identifier: dict[str, Any] | None, given: dict[str, Any]
    ) -> tuple[Product, list[UserError]]:
        topic = "products/update" if product else "products/create"
        if product is None:
            handle = given.get("handle") or (identifier or {}).get("handle")
            product = self._make({**given, "handle": handle})
            self._shelves.add(product)
        else:
            self._apply(product, given)
        if given.get("productOptions"):
            self._put_options(product, given["productOptions"])
        elif not product.options and not product.option_names:
            self._put_options(product, [])
        if given.get("variants"):
            self._variants.replace_all(product, given["variants"])
        elif not product.variants:
            variant = self._variants.make(product, (DEFAULT,))
            product.variants.append(variant)
            self._shelves.add_variant(variant)
            self._variants.stock_up(variant, [])
        set_media(product, given, Shelf(self._numbers, self._now()))
        errors = self._set_metafields(product, given.get("metafields") or [])
        self._changed(product, topic)
        if given.get("collections") is not None:
            self._collections.set_of(product, given["collections"])
        return product, errors

    def _handle_errors(self, given: dict[str, Any], product: Product | None, path: list[str]) -> list[UserError]:
        """A handle that was asked for must be free; one that is made from the title is numbered until it is."""
        handle = given.get("handle")
        if not handle or self._shelves.by_handle(handle) in (None, product):
            return []
        told = f"Handle '{handle}' already in use. Please provide a new handle."
        return [UserError(path, told, "HANDLE_NOT_UNIQUE")]

    def _belonging_errors(self, given: dict[str, Any], args: dict[str, Any]) -> list[UserError]:
        """Of collections and pictures."""
        errors = media_errors(args.get("media") or [], ["media"])
        for name in ("collectionsToJoin", "collectionsToLeave"):
            errors += self._unknown_collections(given.get(name), [name], None)
        return errors

    def _unknown_collections(self, names: list[str] | None, path: list[str], code: str | None) -> list[UserError]:
        unknown = [name for name in names or () if not self._collections.knows(name)]
        return [UserError(path, "Collection does not exist", code)] if unknown else []

    def _metafield_errors(self, given: dict[str, Any], path: list[str]) -> list[UserError]:
        found = self._metafields.check_new("PRODUCT", given.get("metafields") or [], path)
        return [UserError(one["field"], one["message"], "INVALID_METAFIELD") for one in found]

    # -- the product's own data ------------------------------------------------------------------------------------

    def _make(self, given: dict[str, Any]) -> Product:
        moment = self._now()
        product = Product(
            id=self._numbers.new("Product"),
            handle=self._free_handle(given.get("handle") or handle_of(given["title"])),
            title=given["title"],
            body_html="",
            vendor=given.get("vendor") or "",
            product_type="",
            tags=(),
            status="active",
            option_names=(),
            media=[],
            created_at=moment,
            updated_at=moment,
        )
        self._apply(product, {name: value for name, value in given.items() if name != "handle"})
        return product

    def _apply(self, product: Product, given: dict[str, Any]) -> None:
        for name, attribute in COPIED.items():
            if given.get(name) is not None:
                setattr(product, attribute, given[name])
        if given.get("handle") and given["handle"] != product.handle:
            product.handle = self._free_handle(given["handle"])
        if given.get("status"):
            product.status = given["status"].lower()
            for variant in product.variants:
                variant.for_sale = product.status == "active"
        if given.get("tags") is not None:
            product.tags = tuple(tags_of(given["tags"]))
        if given.get("seo"):
            product.seo = {**product.seo, **given["seo"]}
        product.is_gift_card = bool(given.get("giftCard", product.is_gift_card))
        product.updated_at = self._now()

    def _put_options(self, product: Product, given: list[dict[str, Any]]) -> None:
        """Options as given, in the order of their positions; none given is the one with its default."""
        known = {option.name: option for option in product.options}
        wanted = given or [{"name": "Title", "values": [{"name": DEFAULT}]}]
        wanted = sorted(wanted, key=lambda one: one.get("position") or 0)
        product.options = [self._option(product, one, known.get(one.get("name") or "")) for one in wanted]
        product.option_names = tuple(option.name for option in product.options)

    def _option(self, product: Product, given: dict[str, Any], known: Option | None) -> Option:
        option = known or Option(self._numbers.new("ProductOption"), given.get("name") or "Title", [])
        option.product = product
        held = {value.name: value for value in option.values}
        names = [one["name"] for one in given.get("values") or [] if one.get("name")]
        option.values = [held.get(name) or OptionValue(self._numbers.new("ProductOptionValue"), name) for name in names]
        return option

    def _free_handle(self, wanted: str) -> str:
        handle, number = wanted, 1
        while self._shelves.by_handle(handle) is not None:
            handle, number = f"{wanted}-{number}", number + 1
        return handle


def _mismatch(identifier: dict[str, Any], given: dict[str, Any]) -> UserError | None:
    """Whoever names a product by its handle must give that handle in the input, too."""
    handle = identifier.get("handle")
    if not handle or given.get("handle") == handle:
        return None
    if not given.get("handle"):
        told = "The input field corresponding to the identifier is required."
        return UserError(["input"], told, "MISSING_FIELD_REQUIRED")
    told = "The identifier value does not match the value of the corresponding field in the input."
    return UserError(["input", "handle"], told, "INPUT_MISMATCH")


def _set_option_errors(given: dict[str, Any]) -> list[UserError]:
    """Of productSet, whose options may name values only through its variants."""
    errors = creation_errors([], given.get("productOptions") or [], ("input", "productOptions"))
    known = ("OPTIONS_OVER_LIMIT", "DUPLICATED_OPTION_NAME", "DUPLICATED_OPTION_VALUE")
    return [one for one in errors if one.code in known]


def _done(operation: ProductSetOperation, call: Call) -> bool:
    return operation.ready_at <= call.now


def text_errors(
    given: dict[str, Any], title_path: list[str], *, needs_title: bool = False, at: list[str] | None = None
) -> list[UserError]:
    """Texts that are missing or too long; ``at`` is where all but the title are told, else at their own names."""
    errors = []
    title = given.get("title")
    too_long = f"is too long (maximum is {LONGEST} characters)"
    if (needs_title and not (title or "").strip()) or (title is not None and not title.strip()):
        told = "can't be blank" if at else "Title can't be blank"
        errors.append(UserError(title_path, told, "INVALID_INPUT"))
    if title and len(title) > LONGEST:
        errors.append(UserError(title_path, too_long if at else f"Title {too_long}", "INVALID_INPUT"))
    if len(given.get("handle") or handle_of(title or "")) > LONGEST:
        errors.append(UserError(at or ["handle"], f"Handle {too_long}", "INVALID_INPUT"))
    if len(given.get("vendor") or "") > LONGEST:
        errors.append(UserError(at or ["vendor"], f"Vendor {too_long}", "INVALID_INPUT"))
    if len(given.get("productType") or "") > LONGEST:
        errors.append(UserError(at or ["productType"], f"Product type {too_long}", "INVALID_INPUT"))
        errors.append(UserError(at or ["customProductType"], f"Custom product type {too_long}", "INVALID_INPUT"))
    return errors


def handle_of(title: str) -> str:
    """``Été à Paris!`` is ``ete-a-paris``."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def option_of(product: Product, global_id: str) -> Option | None:
    return next((option for option in options_of(product) if option.id == global_id), None)
