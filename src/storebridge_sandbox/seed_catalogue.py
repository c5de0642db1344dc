"""A realistic catalogue made from a seed: clothes, shoes and things for the home, with sizes and colours."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import product as every

from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant

PRODUCTS = 124

COLOURS = ("Black", "Chalk", "Navy", "Olive", "Rust", "Sage", "Stone", "Plum", "Denim", "Mustard")
LINES = (
    "Harbour",
    "Meadow",
    "Alder",
    "Northgate",
    "Tidal",
    "Juniper",
    "Foundry",
    "Larch",
    "Coastline",
    "Ember",
)
VENDORS = ("Larkfield Mill", "Ostrea Supply", "Fernway Goods", "Pell & Moss")
LETTERS = ("S", "M", "L", "XL")
SHOES = ("38", "40", "42", "44")

# kind, code, type, sizes, how many colours, lowest and highest price, grams
KINDS: tuple[tuple[str, str, str, tuple[str, ...], int, int, int, int], ...] = (
    ("T-Shirt", "TEE", "Tops", LETTERS, 2, 18, 32, 180),
    ("Hoodie", "HOD", "Tops", LETTERS, 1, 55, 85, 640),
    ("Linen Shirt", "LSH", "Tops", LETTERS, 1, 48, 78, 260),
    ("Chino", "CHI", "Trousers", ("30", "32", "34", "36"), 1, 60, 95, 520),
    ("Canvas Sneaker", "SNK", "Shoes", SHOES, 1, 65, 110, 900),
    ("Beanie", "BEA", "Accessories", (), 3, 16, 28, 90),
    ("Tote Bag", "TOT", "Accessories", (), 2, 22, 40, 310),
    ("Stoneware Mug", "MUG", "Home", (), 3, 12, 19, 380),
    ("Soy Candle", "CAN", "Home", ("Small", "Large"), 1, 14, 36, 420),
    ("Wool Throw", "THR", "Home", (), 2, 85, 140, 1300),
    ("Field Notebook", "NTB", "Paper", (), 1, 9, 16, 210),
    ("Leather Belt", "BLT", "Accessories", ("S/M", "L/XL"), 2, 35, 60, 240),
)


def make_catalogue(seed: int, *, products: int = PRODUCTS) -> Catalogue:
    """``products`` products (124 give 430 variants) with prices, barcodes and opening levels.

    The same seed gives the same catalogue. Wix's opening levels differ from Shopify's for most variants.
    """
    chance = random.Random(f"catalogue-{seed}")
    made = [_make_product(number, chance) for number in range(products)]
    return Catalogue(made)


def _make_product(number: int, chance: random.Random) -> CatalogueProduct:
    kind, code, product_type, sizes, colour_count, low, high, grams = KINDS[number % len(KINDS)]
    round_number = number // len(KINDS)
    line = LINES[round_number % len(LINES)]
    suffix = "" if round_number < len(LINES) else f" {round_number // len(LINES) + 1}"
    title = f"{line} {kind}{suffix}"
    colours = chance.sample(COLOURS, colour_count)
    price = Decimal(chance.randint(low, high)) - Decimal("0.05")
    made = CatalogueProduct(
        handle=title.lower().replace(" ", "-").replace("/", "-"),
        title=title,
        body_html=f"<p>{title} by {{}}.</p>\n<ul>\n<li>Made in small runs</li>\n</ul>",
        vendor=chance.choice(VENDORS),
        product_type=product_type,
        tags=(product_type.lower(), line.lower()),
        option_names=("Colour", "Size") if sizes else ("Colour",),
        images=[f"https://cdn.example/{code.lower()}-{number + 1}.jpg"],
    )
    made.body_html = made.body_html.format(made.vendor)
    for colour, size in every(colours, sizes or ("",)):
        made.variants.append(_make_variant(f"{code}-{number + 1:03d}", colour, size, price, grams, chance))
    return made


def _make_variant(
    stem: str, colour: str, size: str, price: Decimal, grams: int, chance: random.Random
) -> CatalogueVariant:
    parts = [stem, colour[:3].upper(), size.replace("/", "")]
    main = _opening(chance)
    outlet = chance.choice((0, 0, 0, 2, 4, 6))
    return CatalogueVariant(
        sku="-".join(part for part in parts if part).upper(),
        options=(colour, size) if size else (colour,),
        price=price,
        barcode=_barcode(chance),
        grams=grams,
        quantity=main,
        outlet_quantity=outlet,
        wix_quantity=max(0, main + outlet + chance.choice((-3, -2, -1, 1, 2, 5))),
    )


def _opening(chance: random.Random) -> int:
    """Most sizes are in good supply, some are nearly gone, a few are best sellers."""
    low, high = chance.choices(((1, 4), (6, 30), (40, 90)), weights=(2, 6, 1))[0]
    return chance.randint(low, high)


def _barcode(chance: random.Random) -> str:
    digits = [5, 0, *(chance.randint(0, 9) for _ in range(10))]
    total = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return "".join(map(str, digits)) + str(-total % 10)
