"""Words that the adversarial schedules share."""

from __future__ import annotations

from typing import Any

from builders.journeys import Journey

WRITES = {
    "shopify": "inventory*Quantities",
    "wix": "bulkUpdateInventoryItems",
}
DEAF: dict[str, Any] = {"webhook_loss": 1.0}


def next_write(store: str, **rates: Any) -> list[dict[str, Any]]:
    """Fate for the next stock write of a store, as ``rules``."""
    return [{"operation": WRITES[store], "calls": 1, "rates": rates}]


async def in_step(journey: Journey, left: int) -> None:
    """Both stores show what the bridge counts as left, and nobody is asked anything."""
    assert (await journey.levels(), await journey.goods_left()) == ({"shopify": left, "wix": left}, left)
    assert await journey.reasons() == []
