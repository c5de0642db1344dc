"""Templates, and how times and numbers are written in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from storebridge.model.money import Money
from storebridge.web.console.records import gist, plainly, pretty

CENTS = Decimal("0.01")


def build_templates() -> Environment:
    """Templates that escape everything and fail on what is not there."""
    templates = Environment(
        loader=PackageLoader("storebridge.web.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(moment=moment, span=span, sku_path=sku_path, signed=signed, words=words)
    templates.filters.update(count=count, duration=duration, gist=gist, pretty=pretty, plainly=plainly, money=money)
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
    """With its cents, also where the store leaves zeros out: 19.90 EUR."""
    exact = amount.amount if amount.amount.as_tuple().exponent <= -2 else amount.amount.quantize(CENTS)  # type: ignore[operator]  # finite
    return f"{exact:,} {amount.currency}".replace("-", "−")


def words(name: str) -> Markup:
    """``change_held`` as words."""
    return escape(name.replace("_", " "))


def link(path: str, **query: Any) -> str:
    """An address with those parameters that say something."""
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path
