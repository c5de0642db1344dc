"""A merchant's products, read from the CSV that Shopify exports.

Reads both column sets in circulation (``Variant SKU`` and ``SKU``). What cannot be used is listed with its
physical line and a reason, never dropped in silence.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

LONGEST_FIELD = 16 * 1024 * 1024


class CatalogueUnreadable(Exception):
    """The text is no product export at all; the message says what is missing."""


@dataclass(slots=True)
class CatalogueVariant:
    """One thing that is sold; quantities are the opening levels (None: not tracked)."""

    sku: str
    options: tuple[str, ...]
    price: Decimal
    compare_at_price: Decimal | None = None
    barcode: str = ""
    grams: int = 0
    tracked: bool = True
    continue_selling: bool = False
    quantity: int = 0
    outlet_quantity: int = 0
    wix_quantity: int = 0
    line: int = 0


@dataclass(slots=True)
class CatalogueProduct:
    """One product; ``option_names`` and each variant's ``options`` go by position."""

    handle: str
    title: str
    body_html: str = ""
    vendor: str = ""
    product_type: str = ""
    tags: tuple[str, ...] = ()
    status: str = "active"
    option_names: tuple[str, ...] = ("Title",)
    images: list[str] = field(default_factory=list)
    variants: list[CatalogueVariant] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that could not be used."""

    line: int
    reason: str


@dataclass(slots=True)
class Catalogue:
    """What was read, and what was not."""

    products: list[CatalogueProduct]
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def variants(self) -> int:
        return sum(len(product.variants) for product in self.products)

    def summary(self) -> dict[str, object]:
        """The answer of ``POST /_sandbox/catalogue``."""
        return {
            "products": len(self.products),
            "variants": self.variants,
            "skipped": [{"line": row.line, "reason": row.reason} for row in self.skipped],
        }


ALIASES = {
    "url handle": "handle",
    "description": "body (html)",
    "sku": "variant sku",
    "barcode": "variant barcode",
    "price": "variant price",
    "compare-at price": "variant compare at price",
    "weight value (grams)": "variant grams",
    "inventory tracker": "variant inventory tracker",
    "inventory quantity": "variant inventory qty",
    "continue selling when out of stock": "variant inventory policy",
    "product image url": "image src",
}
NEEDED = ("handle", "variant sku", "variant inventory qty", "variant price")
VARIANT_COLUMNS = ("variant sku", "variant price", "option1 value", "variant inventory qty")
POLICIES = {"": False, "deny": False, "false": False, "continue": True, "true": True}


class _Refused(Exception):
    """A row cannot become a variant."""


@dataclass(slots=True)
class _Row:
    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()


def read_catalogue(content: str | bytes) -> Catalogue:
    """Products and variants of an export; raises CatalogueUnreadable when it is no product export."""
    text = _decoded(content)
    catalogue = Catalogue([])
    products: dict[str, CatalogueProduct] = {}
    first_line_of: dict[str, int] = {}
    for row in _rows(text, catalogue.skipped):
        if not row["handle"]:
            catalogue.skipped.append(Skipped(row.line, "the handle is blank"))
            continue
        product = products.get(row["handle"])
        if product is None:
            product = products[row["handle"]] = _product(row)
        _take(row, product, catalogue.skipped, first_line_of)
    catalogue.products = [product for product in products.values() if product.variants]
    catalogue.skipped.sort(key=lambda skipped: skipped.line)
    return catalogue


def _decoded(content: str | bytes) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogueUnreadable(f"not UTF-8 text: {error.reason} at byte {error.start}") from error


def _rows(text: str, skipped: list[Skipped]) -> Iterator[_Row]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""))
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            skipped.append(Skipped(line, f"not readable as CSV: {error}"))
            continue
        if header is None:
            header = _header(cells)
        elif len(cells) > len(header):
            skipped.append(Skipped(line, f"{len(cells)} fields, but the header has {len(header)}"))
        elif any(cell.strip() for cell in cells):
            yield _Row(line, dict(zip(header, cells, strict=False)))
    if header is None:
        raise CatalogueUnreadable("the file is empty")


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    header = [ALIASES.get(name, name) for name in names]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise CatalogueUnreadable(f"no column {', '.join(repr(name) for name in missing)}")
    return header


def _product(row: _Row) -> CatalogueProduct:
    names = tuple(name for name in (row[f"option{n} name"] for n in (1, 2, 3)) if name)
    return CatalogueProduct(
        handle=row["handle"],
        title=row["title"] or row["handle"],
        body_html=row["body (html)"],
        vendor=row["vendor"],
        product_type=row["type"],
        tags=tuple(tag.strip() for tag in row["tags"].split(",") if tag.strip()),
        status=row["status"].lower() or "active",
        option_names=names or ("Title",),
    )


def _take(row: _Row, product: CatalogueProduct, skipped: list[Skipped], first_line_of: dict[str, int]) -> None:
    if row["image src"]:
        product.images.append(row["image src"])
    if not any(row[column] for column in VARIANT_COLUMNS):
        if not row["image src"]:
            skipped.append(Skipped(row.line, "neither a variant nor an image"))
        return
    try:
        variant = _variant(row, product, first_line_of)
    except _Refused as refused:
        skipped.append(Skipped(row.line, str(refused)))
        return
    first_line_of[variant.sku] = row.line
    product.variants.append(variant)


def _variant(row: _Row, product: CatalogueProduct, first_line_of: dict[str, int]) -> CatalogueVariant:
    sku = row["variant sku"].removeprefix("'")
    if not sku:
        raise _Refused("the SKU is blank")
    if sku in first_line_of:
        raise _Refused(f"SKU {sku!r} already stands on line {first_line_of[sku]}")
    options = tuple(row[f"option{n} value"] for n in range(1, len(product.option_names) + 1))
    if any(variant.options == options for variant in product.variants):
        raise _Refused(f"the options {' / '.join(options)!r} occur twice in product {product.handle!r}")
    tracked = _tracked(row)
    return CatalogueVariant(
        sku=sku,
        options=options if any(options) else ("Default Title",),
        price=_price(row, "variant price") or Decimal("0.00"),
        compare_at_price=_price(row, "variant compare at price"),
        barcode=row["variant barcode"].removeprefix("'"),
        grams=_grams(row),
        tracked=tracked,
        continue_selling=_policy(row),
        quantity=(quantity := _quantity(row, tracked)),
        wix_quantity=quantity,
        line=row.line,
    )


def _tracked(row: _Row) -> bool:
    tracker = row["variant inventory tracker"].lower()
    if tracker not in ("", "shopify"):
        raise _Refused(f"the inventory is tracked by {tracker!r}, not by Shopify")
    return tracker == "shopify"


def _quantity(row: _Row, tracked: bool) -> int:
    text = row["variant inventory qty"]
    if not tracked:
        return 0
    if not text:
        raise _Refused("the inventory quantity is blank, and blank is not zero")
    try:
        return int(text)
    except ValueError:
        raise _Refused(f"the inventory quantity {text!r} is no whole number") from None


def _policy(row: _Row) -> bool:
    policy = row["variant inventory policy"].lower()
    if policy not in POLICIES:
        raise _Refused(f"the inventory policy {policy!r} is neither deny nor continue")
    return POLICIES[policy]


def _price(row: _Row, column: str) -> Decimal | None:
    if not row[column]:
        return None
    try:
        price = Decimal(row[column])
    except InvalidOperation:
        raise _Refused(f"the price {row[column]!r} is no number") from None
    if not price.is_finite() or price < 0:
        raise _Refused(f"the price {row[column]!r} is no amount")
    return price.quantize(Decimal("0.01"))


def _grams(row: _Row) -> int:
    try:
        return int(Decimal(row["variant grams"] or "0"))
    except (InvalidOperation, ValueError, OverflowError):
        raise _Refused(f"the weight {row['variant grams']!r} is no number") from None
