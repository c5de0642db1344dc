"""``orders ready`` and ``orders handed-over``: orders that no carrier takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import run, write
from storebridge.cli.options import Common, units_of
from storebridge.cli.output import give
from storebridge.model.words import in_units

if TYPE_CHECKING:
    from storebridge.cli.verbs import Desk

Order = Annotated[str, Parameter(help="Its key, its store's id, or its name, such as '#1001'.")]


def add_handing_over(group: App) -> None:
    """Add both commands to ``orders``."""
    group.command(ready)
    group.command(handed_over)


def ready(order: Order, /, *, common: Common = Common()) -> int:  # noqa: B008
    """The buyer can collect the order: Shopify is told and writes to them; for Wix it is noted here."""
    body = {"order": order, "actor": actor()}
    moved = run(write(common, lambda desk: desk.ready(order), "pickups/ready", body))
    said = "was said before" if moved["repeated"] else f"{in_units(moved['units'])} can be collected"
    give(moved, [f"{order}: {said}."], as_json=common.json)
    return 0


def handed_over(
    order: Order,
    /,
    *,
    line: Annotated[
        tuple[str, ...], Parameter(name="--line", help="SKU=UNITS, once per line; none: all of it.", negative="")
    ] = (),
    notify: Annotated[bool, Parameter(help="Whether the store writes to the buyer.")] = True,
    reference: Annotated[str, Parameter(help="Your name of it; the same again does nothing.")] = "",
    common: Common = Common(),  # noqa: B008
) -> int:
    """The buyer collected the goods, or you brought them: the store that sold them is told, without tracking."""
    units = units_of(line)
    body = {"order": order, "lines": units, "notify": notify, "reference": reference, "actor": actor()}

    async def here(desk: Desk) -> Any:
        return await desk.handed_over(order, units, notify=notify, reference=reference)

    moved = run(write(common, here, "pickups/handed-over", body))
    said = "It was noted before; nothing was changed." if moved["repeated"] else f"Noted: {in_units(moved['units'])}."
    give(moved, [said], as_json=common.json)
    return 0
