"""Templates, and how times and numbers are written in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from math import ceil
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from storebridge.exceptions_queue.sentences import plainly
from storebridge.model.money import Money
from storebridge.model.sales import Address
from storebridge.model.words import in_units
from storebridge.operations.tell_typed import typed_line
from storebridge.web.console.assets import asset
from storebridge.web.console.records import about, fact_name, gist, order_of, pretty


def build_templates() -> Environment:
    """Templates that escape everything and fail on what is not there."""
    templates = Environment(
        loader=PackageLoader("storebridge.web.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["asset"] = asset
    templates.filters.update(moment=moment, span=span, sku_path=sku_path, signed=signed, words=words, in_units=in_units)
    templates.filters.update(heading=heading, left=left, about=about, fact_name=fact_name, order_of=order_of)
    templates.filters.update(
        count=count,
        duration=duration,
        gist=gist,
        pretty=pretty,
        plainly=plainly,
        money=money,
        percent=percent,
        address=address,
        typed_line=typed_line,
    )
    return templates


def moment(at: datetime | None, now: datetime) -> Markup:
    """A time of day, with the date where it is not today; always UTC."""
    if at is None:
        return Markup("never")
    shown = f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%d %b %H:%M}"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}", shown
    )


def span(since: datetime | None, now: datetime) -> str:
    """How long ago, in one unit."""
    if since is None:
        return "never"
    seconds = max(timedelta(0), now - since).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def left(until: datetime, now: datetime) -> str:
    """How long until then, to the minute, from a day on to the hour: whoever just asked for 24 hours has a day left."""
    seconds = max(timedelta(0), until - now).total_seconds()
    if seconds < 60:
        return f"{int(seconds)} s"
    minutes = ceil(seconds / 60)
    if minutes < 1440:
        return _parts((minutes // 60, "h"), (minutes % 60, "min"))
    hours = round(minutes / 60)
    return _parts((hours // 24, "d"), (hours % 24, "h"))


def _parts(*parts: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def sku_path(sku: str) -> str:
    """A SKU as part of an address; it may hold anything."""
    return quote(sku, safe="")


def signed(units: int) -> str:
    """With its sign, and a true minus."""
    return f"{units:+d}".replace("-", "−")


def count(number: int) -> str:
    """With its thousands apart: 12,345."""
    return f"{number:,}".replace("-", "−")


def duration(milliseconds: int | None) -> str:
    """Milliseconds as a person says them: 521 ms, 1.6 s."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def money(amount: Money) -> str:
    """In the coins of its currency, also where the store leaves zeros out: 1,219.90 EUR, 1,500 JPY."""
    return f"{Decimal(amount.in_coins):,f} {amount.currency}".replace("-", "−")


def percent(rate: str) -> str:
    """A tax rate as people say it: 0.19 is 19 %; as it is where it is no number."""
    try:
        return f"{(Decimal(rate) * 100).normalize():f} %"
    except InvalidOperation:
        return rate


def address(to: Address) -> list[str]:
    """The lines of an address that say something, for a label."""
    lines = (
        f"{to.first_name} {to.last_name}",
        to.company,
        to.street,
        to.street_2,
        f"{to.postal_code} {to.city}",
        f"{to.region} {to.country}",
    )
    return [line.strip() for line in lines if line.strip()]


def words(name: str) -> Markup:
    """``change_held`` as words."""
    return escape(name.replace("_", " "))


def heading(name: str) -> Markup:
    """``sku_only_on_one_side`` as the beginning of a line: SKU only on one side."""
    told = " ".join("SKU" if word == "sku" else word for word in name.split("_"))
    return escape(told[:1].upper() + told[1:])


def link(path: str, **query: Any) -> str:
    """An address with those parameters that say something."""
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path
