"""What a caller wants a Catalog V3 product to be: read from the payload and held against the vendor's rules.

Nothing here changes the shelf: a draft that is refused leaves everything as it was. Types, sizes and formats were
checked against the vendor's messages before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.products.options import read_choices, read_options
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID
from storebridge_sandbox.wix.shelf.state import Choice, Option, Product, Shelf, Variant
from storebridge_sandbox.wix.wire import application_error, broken_rule, validation_error

Asked = dict[str, Any]

MOST_PRODUCTS = 50_000
SLUG = re.compile(r"[\w-]+")
DETAILS = (
    "description",
    "media",
    "seoData",
    "taxGroupId",
    "modifiers",
    "infoSections",
    "mainCategoryId",
    "purchaseEligibility",
    "extendedFields",
    "tags",
    "subscriptionDetails",
    "physicalProperties",
)
"""Parts of a product that are kept as they were written."""
VARIANT_DETAILS = ("digitalProperties",)


@dataclass(slots=True)
class VariantDraft:
    """One wanted variant; ``existing`` is the one that it stands for."""

    variant_id: str
    sku: str
    barcode: str
    price: Decimal
    compare_at_price: Decimal | None
    cost: Decimal | None
    weight: float
    visible: bool
    choices: tuple[Choice, ...]
    details: Asked
    inventory: Asked | None
    existing: Variant | None = None


@dataclass(slots=True)
class Draft:
    """A wanted product; None means that the caller said nothing about it."""

    name: str | None = None
    slug: str | None = None
    handle: str | None = None
    visible: bool | None = None
    visible_in_pos: bool | None = None
    kind: str | None = None
    html: str | None = None
    brand: str | None = None
    options: list[Option] | None = None
    variants: list[VariantDraft] | None = None
    details: Asked = field(default_factory=dict)


class Drafting:
    """Reads drafts; it knows what is on the shelf already."""

    def __init__(self, shelf: Shelf, quirks: WixQuirks, new_id: Callable[[], str]) -> None:
        self._shelf = shelf
        self._quirks = quirks
        self._new_id = new_id

    def for_creation(self, asked: Asked) -> Draft:
        """A new product; raises WixRefusal."""
        if len(self._shelf.products) >= MOST_PRODUCTS:
            raise application_error(428, "PRODUCTS_LIMIT_EXCEEDED", f"A site has at most {MOST_PRODUCTS} products")
        for name in ("name", "variantsInfo"):
            if asked.get(name) is None:
                raise validation_error(f"product.{name}", "must not be empty", "REQUIRED_FIELD")
        kind = asked.get("productType") or "PHYSICAL"
        if kind == "PHYSICAL" and asked.get("physicalProperties") is None:
            raise validation_error("product.physicalProperties", "must not be empty", "REQUIRED_FIELD")
        return self._read({**asked, "options": asked.get("options") or []}, None, kind)

    def for_update(self, asked: Asked, product: Product) -> Draft:
        """What changes of a product; arrays replace those that are there. Raises WixRefusal."""
        sends_variants = asked.get("variantsInfo") is not None
        if sends_variants and product.options and asked.get("options") is None:
            raise broken_rule(
                "product.options", "MISSING_OPTIONS_ON_UPDATE_VARIANTS", "must be sent together with the variants"
            )
        if asked.get("options") is not None and not sends_variants:
            raise _not_aligned({variant.variant_id: "variants were not sent" for variant in product.variants})
        return self._read(asked, product, product.kind)

    def _read(self, asked: Asked, product: Product | None, kind: str) -> Draft:
        draft = Draft(
            name=self._name(asked),
            slug=self._slug(asked, product),
            handle=self._handle(asked, product),
            visible=asked.get("visible"),
            visible_in_pos=asked.get("visibleInPos"),
            kind=kind,
            html=asked.get("plainDescription"),
            brand=self._brand(asked),
            details={name: asked[name] for name in DETAILS if name in asked},
        )
        if kind == "DIGITAL" and draft.visible_in_pos:
            raise broken_rule(
                "product.visibleInPos", "DIGITAL_PRODUCT_CANNOT_BE_VISIBLE_IN_POS", "must be false for digital goods"
            )
        self._check_details(asked)
        draft.details |= self._ribbons(asked)
        if asked.get("variantsInfo") is not None:
            draft.options = read_options(asked.get("options") or [], self._shelf.find_option, self._new_id)
            draft.variants = self._variants(asked["variantsInfo"], draft.options, product, kind)
        return draft

    # -- the product itself --------------------------------------------------------------------------------

    def _name(self, asked: Asked) -> str | None:
        name = asked.get("name")
        if isinstance(name, str) and not name.strip():
            raise application_error(400, "ONLY_SPACES_STRING_ERROR", "The name has nothing but spaces")
        return name

    def _slug(self, asked: Asked, product: Product | None) -> str | None:
        slug = asked.get("slug")
        if slug is None:
            return None
        if not SLUG.fullmatch(slug):
            raise broken_rule("product.slug", "INVALID_SLUG_FORMAT", "may hold letters, digits, - and _ only")
        if self._shelf.by_slug.get(slug, product) is not product:
            raise application_error(409, "DUPLICATE_SLUG_ERROR", f"Another product has the slug {slug!r}")
        return str(slug)

    def _handle(self, asked: Asked, product: Product | None) -> str | None:
        """Set at creation only, and only if the vendor lets callers (W26)."""
        handle = asked.get("handle")
        if handle is None or product is not None or not self._quirks.w26_handle_can_be_set:
            return None
        if not isinstance(handle, str) or not 1 <= len(handle) <= 100:
            raise validation_error("product.handle", "must have 1 to 100 characters", "MAX_LENGTH", {"threshold": 100})
        taken = any(one.handle == handle for one in self._shelf.products.values())
        if taken and self._quirks.w26_handle_is_unique:
            raise application_error(409, "DUPLICATE_HANDLE_ERROR", f"Another product has the handle {handle!r}")
        return handle

    def _brand(self, asked: Asked) -> str | None:
        brand = asked.get("brand")
        if brand is None:
            return None
        known = {brand_id: name for name, brand_id in self._shelf.brands.items()}
        if brand.get("id"):
            if brand["id"] not in known:
                raise application_error(428, "BRAND_CREATION_FAILED", f"There is no brand {brand['id']!r}")
            return known[brand["id"]]
        if not brand.get("name"):
            raise broken_rule("product.brand", "BRAND_MISSING_ID", "needs an id or a name")
        return str(brand["name"])

    def _check_details(self, asked: Asked) -> None:
        items = ((asked.get("media") or {}).get("itemsInfo") or {}).get("items") or []
        names = [item.get("id") or item.get("url") for item in items]
        if len(set(names)) < len(names):
            raise broken_rule("product.media.itemsInfo.items", "DUPLICATE_MEDIA_ERROR", "hold the same file twice")
        modifiers = asked.get("modifiers") or []
        ids = [modifier["id"] for modifier in modifiers if modifier.get("id")]
        if len(set(ids)) < len(ids):
            raise broken_rule("product.modifiers", "MODIFIERS_ID_DUPLICATION_ERROR", "name one modifier twice")
        for modifier in modifiers:
            if not modifier.get("id") and not (modifier.get("name") and modifier.get("modifierRenderType")):
                raise application_error(400, "MODIFIER_NAME_AND_TYPE_REQUIRED", "A modifier needs a name and a type")

    def _ribbons(self, asked: Asked) -> Asked:
        """Ribbons with their ids; a new name makes a new ribbon."""
        told: Asked = {}
        if "ribbon" in asked:
            told["ribbon"] = self._ribbon(asked["ribbon"]) if asked["ribbon"] else None
        more = [self._ribbon(ribbon) for ribbon in asked.get("additionalRibbons") or []]
        if more:
            told["additionalRibbons"] = more
        ids = [ribbon["id"] for ribbon in more]
        for ribbon_id, times in Counter(ids).items():
            if times > 1:
                raise application_error(
                    400, "DUPLICATE_RIBBON_IN_ADDITIONAL", "A ribbon occurs twice", {"ribbonIds": [ribbon_id]}
                )
        if told.get("ribbon") and told["ribbon"]["id"] in ids:
            raise application_error(
                400,
                "DUPLICATE_RIBBON_IN_PRIMARY_AND_ADDITIONAL",
                "The primary ribbon is among the additional ones",
                {"ribbonIds": [told["ribbon"]["id"]]},
            )
        return told

    def _ribbon(self, asked: Asked) -> Asked:
        ribbons = self._shelf.ribbons
        if asked.get("id"):
            name = next((name for name, ribbon_id in ribbons.items() if ribbon_id == asked["id"]), None)
            if name is None:
                raise application_error(404, "RIBBON_NOT_FOUND", f"There is no ribbon {asked['id']!r}")
            return {"id": asked["id"], "name": name}
        name = asked.get("name") or ""
        if not name.strip():
            raise application_error(400, "RIBBON_CREATION_FAILED", "A ribbon needs a name")
        return {"id": ribbons.get(name) or self._new_id(), "name": name}

    # -- variants ------------------------------------------------------------------------------------------

    def _variants(self, info: Asked, options: list[Option], product: Product | None, kind: str) -> list[VariantDraft]:
        rows = info.get("variants") or []
        if not rows:
            raise validation_error("product.variantsInfo.variants", "must not be empty", "MIN_SIZE", {"threshold": 1})
        if not options and (len(rows) > 1 or rows[0].get("choices")):
            raise application_error(
                428, "INVALID_DEFAULT_VARIANT", "A product without options has exactly one variant without choices"
            )
        drafts = [self._variant(row, number, options, product, kind) for number, row in enumerate(rows)]
        self._check_choices(drafts, options)
        self._check_unique(drafts, product)
        return drafts

    def _variant(
        self, row: Asked, number: int, options: list[Option], product: Product | None, kind: str
    ) -> VariantDraft:
        path = f"product.variantsInfo.variants[{number}]"
        wrong = "digitalProperties" if kind == "PHYSICAL" else "physicalProperties"
        if row.get(wrong) is not None:
            raise broken_rule(
                f"{path}.{wrong}", "VARIANTS_TYPED_PROPERTIES_ARE_NOT_ALIGNED", f"does not go with {kind} products"
            )
        price = row.get("price") or {}
        actual = _amount(price.get("actualPrice"))
        if actual is None:
            raise validation_error(f"{path}.price.actualPrice", "must not be empty", "REQUIRED_FIELD")
        before = _amount(price.get("compareAtPrice"))
        if before is not None and before < actual:
            raise application_error(
                400, "COMPARE_AT_PRICE_LOWER_THAN_ACTUAL_PRICE", "The price before is lower than the actual price"
            )
        choices = read_choices(row.get("choices") or [], options, path)
        existing = _existing(row, choices, product)
        visible = row.get("visible")
        return VariantDraft(
            variant_id=existing.variant_id if existing else self._variant_id(row),
            sku=row.get("sku") or "",
            barcode=row.get("barcode") or "",
            price=actual,
            compare_at_price=before,
            cost=_amount((row.get("revenueDetails") or {}).get("cost")),
            weight=float((row.get("physicalProperties") or {}).get("weight") or 0),
            visible=True if visible is None else visible,
            choices=choices,
            details={name: row[name] for name in VARIANT_DETAILS if row.get(name) is not None},
            inventory=row.get("inventoryItem"),
            existing=existing,
        )

    def _variant_id(self, row: Asked) -> str:
        """The caller's, if the vendor takes it (W27)."""
        if row.get("id") and self._quirks.w27_variant_ids_accepted:
            return str(row["id"])
        return self._new_id()

    def _check_choices(self, drafts: list[VariantDraft], options: list[Option]) -> None:
        wanted = {option.id for option in options}
        wrong = {
            draft.variant_id: f"needs exactly one choice of each of {len(options)} options"
            for draft in drafts
            if len(draft.choices) != len(options) or {choice.option_id for choice in draft.choices} != wanted
        }
        if wrong:
            raise _not_aligned(wrong)
        seen = Counter(frozenset(choice.choice_id for choice in draft.choices) for draft in drafts)
        if options and seen.most_common(1)[0][1] > 1:
            raise application_error(
                400, "DUPLICATE_VARIANT_OPTION_CHOICE", "Two variants have the same choices of all options"
            )

    def _check_unique(self, drafts: list[VariantDraft], product: Product | None) -> None:
        self._check_ids(drafts, product)
        skus = Counter(draft.sku for draft in drafts if draft.sku)
        for sku, times in skus.items():
            holder = self._shelf.by_sku.get(sku)
            if times > 1 or (holder is not None and holder.product is not product):
                raise application_error(409, "SKU_ALREADY_EXIST_ERROR", f"Another variant has the SKU {sku!r}")
        barcodes = Counter(draft.barcode for draft in drafts if draft.barcode)
        if barcodes and barcodes.most_common(1)[0][1] > 1:
            raise application_error(409, "DUPLICATE_BARCODE_ERROR", "Two variants have the same barcode")
        taken = {variant.barcode for variant in self._shelf.variants() if variant.product is not product}
        for barcode in barcodes:
            if barcode in taken:
                raise application_error(
                    409, "BARCODE_ALREADY_EXIST_ERROR", f"Another variant has the barcode {barcode!r}"
                )

    def _check_ids(self, drafts: list[VariantDraft], product: Product | None) -> None:
        ids = Counter(draft.variant_id for draft in drafts)
        others = {variant.variant_id for variant in self._shelf.variants() if variant.product is not product}
        for variant_id, times in ids.items():
            if times > 1 or (variant_id in others and variant_id != DEFAULT_VARIANT_ID):
                raise application_error(409, "VARIANT_ID_ALREADY_EXISTS", f"Another variant has the id {variant_id!r}")


def _existing(row: Asked, choices: tuple[Choice, ...], product: Product | None) -> Variant | None:
    """The variant that a row stands for: by id, else by the same choices."""
    if product is None:
        return None
    if row.get("id"):
        return next((one for one in product.variants if one.variant_id == row["id"]), None)
    wanted = {choice.choice_id for choice in choices}
    return next((one for one in product.variants if {choice.choice_id for choice in one.choices} == wanted), None)


def _amount(asked: Asked | None) -> Decimal | None:
    text = (asked or {}).get("amount")
    return None if text is None or text == "" else Decimal(text)


def _not_aligned(wrong: dict[str, str]) -> Exception:
    told = [{"variantId": variant_id, "errorDescription": why} for variant_id, why in wrong.items()]
    return application_error(
        428, "VARIANTS_ARE_NOT_ALIGNED_WITH_PRODUCT", "Variants do not fit the product's options", {"variants": told}
    )
