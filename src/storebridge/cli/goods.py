"""``receive`` and ``count``: the only ways to create goods besides a baseline."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import run, write
from storebridge.cli.options import Common, SkuArgument
from storebridge.cli.output import give

Group = Annotated[str | None, Parameter(help="Location group, where the SKU has several.")]
Arrived = Annotated[int, Parameter(help="Units that arrived.")]
Counted = Annotated[int, Parameter(help="Units that can be sold.")]


def receive(sku: SkuArgument, qty: Arrived, /, *, group: Group = None, common: Common = Common()) -> int:  # noqa: B008
    """Book goods that arrived into the pool."""
    body = {"units": qty, "group": group, "actor": actor()}
    booked = run(write(common, lambda desk: desk.receive(sku, qty, group), f"receive/{quote(sku, safe='')}", body))
    give(booked, [f"{_units(booked)} of {sku} received; {booked['goods_left']} left to sell."], as_json=common.json)
    return 0


def count(sku: SkuArgument, qty: Counted, /, *, group: Group = None, common: Common = Common()) -> int:  # noqa: B008
    """A shelf count: this many units can be sold now, whatever the stores show."""
    body = {"units": qty, "group": group, "actor": actor()}
    booked = run(write(common, lambda desk: desk.count(sku, qty, group), f"count/{quote(sku, safe='')}", body))
    give(
        booked,
        [f"Counted {qty} of {sku}: {booked['units']:+d} booked; {booked['goods_left']} left to sell."],
        as_json=common.json,
    )
    return 0


def _units(booked: dict[str, Any]) -> str:
    return f"{booked['units']} unit{'' if booked['units'] == 1 else 's'}"
