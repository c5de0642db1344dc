"""What each metafield type takes, and how it is kept; the wordings are recorded ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

NUMBERS = {"number_integer", "number_decimal"}
TEXTS = {"single_line_text_field", "multi_line_text_field"}
MEASURES = {
    "dimension": {"MILLIMETERS", "CENTIMETERS", "METERS", "INCHES", "FEET", "YARDS", "mm", "cm", "m", "in", "ft", "yd"},
    "weight": {"GRAMS", "KILOGRAMS", "OUNCES", "POUNDS", "g", "kg", "oz", "lb"},
    "volume": {
        "MILLILITERS", "CENTILITERS", "LITERS", "CUBIC_METERS", "FLUID_OUNCES", "PINTS", "QUARTS", "GALLONS",
        "IMPERIAL_FLUID_OUNCES", "IMPERIAL_PINTS", "IMPERIAL_QUARTS", "IMPERIAL_GALLONS", "ml", "cl", "l", "m3",
        "us_fl_oz", "us_pt", "us_qt", "us_gal", "imp_fl_oz", "imp_pt", "imp_qt", "imp_gal",
    },
}  # fmt: skip
REFERENCES = {
    "product_reference": "Product", "variant_reference": "ProductVariant", "customer_reference": "Customer",
    "order_reference": "Order", "collection_reference": "Collection", "file_reference": "MediaImage",
    "page_reference": "Page", "metaobject_reference": "Metaobject", "mixed_reference": "",
    "company_reference": "Company",
}  # fmt: skip
KNOWN = {
    "boolean", "color", "date", "date_time", "id", "json", "link", "money", "rating", "rich_text_field", "url",
    "language", *NUMBERS, *TEXTS, *MEASURES, *REFERENCES,
}  # fmt: skip
NOT_CHECKED = {
    "antenna_gain", "area", "article_reference", "battery_charge_capacity", "battery_energy_capacity",
    "capacitance", "concentration", "data_storage_capacity", "data_transfer_rate", "display_density", "distance",
    "duration", "electric_current", "electrical_resistance", "energy", "frequency", "illuminance", "inductance",
    "integer", "json_string", "luminous_flux", "mass_flow_rate", "power", "pressure",
    "product_taxonomy_value_reference", "resolution", "rotational_speed", "sound_level", "speed", "string",
    "temperature", "thermal_power", "voltage", "volumetric_flow_rate",
}  # fmt: skip
"""Types that the vendor has as well; a value of them is kept as it is."""
SCHEMES = ("http", "https", "mailto", "sms", "tel")
LONGEST_LIST = 128
NEVER_LISTS = {"boolean", "json", "money", "multi_line_text_field", "rich_text_field", "id"}
CATEGORIES = {"boolean": "TRUE_FALSE", "color": "COLOR", "date": "DATE_TIME", "date_time": "DATE_TIME", "id": "ID",
              "json": "CUSTOM", "link": "LINK", "url": "URL", "money": "MONEY", "rating": "RATING",
              "rich_text_field": "TEXT", "language": "TEXT"}  # fmt: skip
INTEGER = re.compile(r"-?\d+(\.0+)?")
CURRENCY = re.compile(r"[A-Z]{3}")


class Unfit(ValueError):
    """A value does not fit its type; ``place`` is the element of a list."""

    def __init__(self, message: str, place: int | None = None) -> None:
        super().__init__(message)
        self.place = place


def is_type(name: str) -> bool:
    base = name.removeprefix("list.")
    return base in KNOWN and (base == name or base not in NEVER_LISTS)


def type_error(name: str) -> str | None:
    """What is said of a type that there is not."""
    if is_type(name) or name.removeprefix("list.") in NOT_CHECKED:
        return None
    listed = sorted(KNOWN | NOT_CHECKED - {"string", "integer", "json_string"})
    return f"Type must be one of the following: {', '.join(listed)}"


def category_of(name: str) -> str:
    base = name.removeprefix("list.")
    if base in NUMBERS:
        return "NUMBER"
    if base in TEXTS:
        return "TEXT"
    if base in MEASURES:
        return "MEASUREMENT"
    return "REFERENCE" if base in REFERENCES else CATEGORIES.get(base, "CUSTOM")


def kept_value(kind: str, value: str, exists: Callable[[str], bool], currency: str) -> str:
    """The value as it is kept. Raises Unfit."""
    if not kind.startswith("list."):
        return _one(kind, value, exists, currency)
    try:
        items = json.loads(value)
    except ValueError:
        raise Unfit("Value must be an array.") from None
    if not isinstance(items, list):
        raise Unfit("Value must be an array.")
    if len(items) > LONGEST_LIST:
        raise Unfit(f"Value has more than {LONGEST_LIST} elements.")
    base = kind.removeprefix("list.")
    for place, item in enumerate(items):
        try:
            _one(base, item if isinstance(item, str) else json.dumps(item), exists, currency)
        except Unfit as unfit:
            raise Unfit(str(unfit), None if base in REFERENCES else place) from None
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False)


def _one(kind: str, value: str, exists: Callable[[str], bool], currency: str) -> str:
    if not value.strip():
        raise Unfit("Value can't be blank.")
    if kind in MEASURES:
        return _measure(kind, value)
    if kind in REFERENCES:
        if not exists(value):
            raise Unfit(f"Value references non-existent resource {value}.")
        return value
    keep = _KEEP.get(kind)
    if kind == "money":
        return _money(value, currency)
    return value if keep is None else keep(value)


def json_value(kind: str, value: str) -> Any:
    """``jsonValue``, with the oddities recorded: false and decimals stay texts."""
    if kind == "boolean":
        return True if value == "true" else value
    if kind == "number_integer":
        return int(value)
    structured = {"json", "money", "rating", "link", "rich_text_field", *MEASURES}
    return json.loads(value) if kind.startswith("list.") or kind in structured else value


def _boolean(value: str) -> str:
    word = value.strip().lower()
    if word in ("t", "true", "1"):
        return "true"
    if word in ("f", "false", "0"):
        return "false"
    raise Unfit("Value must be true or false.")


def _integer(value: str) -> str:
    if not INTEGER.fullmatch(value.strip()):
        raise Unfit("Value must be an integer.")
    number = int(Decimal(value.strip()))
    if abs(number) > 9_007_199_254_740_991:
        raise Unfit("Value must be within +/-9007199254740991.")
    return str(number)


def _decimal(value: str) -> str:
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        raise Unfit("Value must be a decimal.") from None
    if abs(number) > Decimal("9999999999999.999999999"):
        raise Unfit("Value can't exceed 9999999999999.")
    cut = number.quantize(Decimal("1e-9"), rounding="ROUND_DOWN").normalize() if number.as_tuple().exponent else number
    text = f"{cut:f}"
    return text if "." in text else f"{text}.0"


def _color(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise Unfit("Value must be a hex color code.")
    return value


def _date(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise Unfit("Value must be in YYYY-MM-DD format.") from None


def moment_of(value: str) -> datetime:
    """A date_time's moment; without an offset it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date_time(value: str) -> str:
    try:
        moment = moment_of(value)
    except ValueError:
        moment = None
    if moment is None or "T" not in value:
        raise Unfit("Value must be in “YYYY-MM-DDTHH:MM:SS” format. For example: 2022-06-01T15:30:00")
    return moment.isoformat()


def _json(value: str) -> str:
    try:
        json.loads(value)
    except ValueError as error:
        found = re.match(r"\{([A-Za-z]\w*|$)", value)
        got = f"'{found[1]}'" if found and found[1] else "EOF"
        what = f"expected object key, got {got} at line 1 column 2" if found else str(error)
        raise Unfit(f"Value is invalid JSON: {what}.") from None
    return value


def _money(value: str, _currency: str) -> str:
    told = (
        "Value must be a stringified JSON object with amount (numeric) and currency_code "
        "(string matching the shop's currency) fields."
    )
    try:
        held = json.loads(value)
    except ValueError:
        raise Unfit(told) from None
    if not isinstance(held, dict):
        raise Unfit(told)
    amount, code = held.get("amount"), held.get("currency_code")
    if amount is None or code is None:
        raise Unfit(told)
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        raise Unfit("Value must have a numeric amount.") from None
    if not code:
        raise Unfit("Value must have a currency code.")
    if code == "ZZZ" or not CURRENCY.fullmatch(str(code)):
        raise Unfit(f"Value contains an invalid currency, {code}.")
    if abs(number) >= Decimal(10) ** 18:
        raise Unfit("Value must be within +/-1000000000000000000.")
    return json.dumps({"amount": f"{number:.2f}", "currency_code": code}, separators=(",", ":"))


def _url(value: str) -> str:
    scheme, colon, _rest = value.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        listed = ", ".join(f'"{one}"' for one in SCHEMES)
        raise Unfit(
            f"Value cannot have an empty scheme (protocol), must include one of the following URL schemes: [{listed}].'"
        )
    if scheme.lower() not in SCHEMES:
        raise Unfit(f"Value must be one of the following URL schemes: {', '.join(SCHEMES)}.")
    return value


def _link(value: str) -> str:
    try:
        held = json.loads(value)
    except ValueError:
        held = None
    if not isinstance(held, dict) or "url" not in held:
        raise Unfit("Value must be a valid link.")
    try:
        _url(str(held["url"]))
    except Unfit:
        raise Unfit("Value must be a valid link.") from None
    return value


def _single_line(value: str) -> str:
    if "\n" in value or "\r" in value:
        raise Unfit("Value must be a single line text string.")
    return value


def _rating(value: str) -> str:
    try:
        held = json.loads(value)
        number, low, high = (Decimal(str(held[name])) for name in ("value", "scale_min", "scale_max"))
    except (ValueError, KeyError, TypeError, InvalidOperation):
        raise Unfit("Value must be a stringified JSON object with value, scale_min and scale_max fields.") from None
    if number > high:
        raise Unfit(f"Value has a maximum of {high}.")
    if number < low:
        raise Unfit(f"Value has a minimum of {low}.")
    return value


def _measure(kind: str, value: str) -> str:
    try:
        held = json.loads(value)
        unit, amount = held["unit"], held["value"]
    except (ValueError, KeyError, TypeError):
        raise Unfit("Value must be a stringified JSON object with a value and unit.") from None
    number = amount if isinstance(amount, int | float) and not isinstance(amount, bool) else None
    if number is None:
        try:
            number = float(str(amount))
        except ValueError:
            raise Unfit("Value must be a non-negative number.") from None
    if number < 0:
        raise Unfit("Value must be a non-negative number.")
    if unit not in MEASURES[kind] and str(unit).upper() not in MEASURES[kind]:
        raise Unfit("Value must be a supported unit.")
    return json.dumps({"value": number, "unit": str(unit).upper()}, separators=(",", ":"))


_KEEP: dict[str, Callable[[str], str]] = {
    "boolean": _boolean,
    "number_integer": _integer,
    "number_decimal": _decimal,
    "color": _color,
    "date": _date,
    "date_time": _date_time,
    "json": _json,
    "rich_text_field": _json,
    "url": _url,
    "link": _link,
    "single_line_text_field": _single_line,
    "id": _single_line,
    "rating": _rating,
}
