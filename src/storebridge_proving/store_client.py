"""The control calls of a pretend store, for whoever plays shopper, staff or fate. HTTP, like everything
else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from storebridge.connectors.http import Request, Transport

PATIENCE_SECONDS = 30.0


class StoreRefused(Exception):
    """The store does not allow this now; ``status`` is its answer's."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status


class SoldOut(StoreRefused):
    """The storefront does not show so many of ``sku``."""

    def __init__(self, sku: str) -> None:
        super().__init__(409, f"{sku} is out of stock")
        self.sku = sku


@dataclass(frozen=True, slots=True)
class CartLine:
    """So many of one SKU; ``restock`` matters when they come back."""

    sku: str
    quantity: int
    restock: bool = True

    def shown(self) -> dict[str, Any]:
        return {"sku": self.sku, "quantity": self.quantity, "restock": self.restock}


class StoreClient:
    """One store's ``/_sandbox/`` calls. Raises SoldOut, StoreRefused, and what the transport raises."""

    def __init__(self, name: str, base: str, transport: Transport) -> None:
        self.name = name
        self.base = base.rstrip("/")
        self._transport = transport

    async def checkout(
        self,
        lines: Sequence[CartLine],
        customer: Mapping[str, str],
        *,
        paid: bool,
        channel: str = "web",
        delivery: str = "shipping",
    ) -> str:
        """Buy; returns the order's id."""
        wanted = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
        body = {"lines": wanted, "customer": dict(customer), "paid": paid, "channel": channel, "delivery": delivery}
        bought = await self._post("/_sandbox/checkout", body)
        return str(bought["order_id"])

    async def adjust(self, sku: str, delta: int) -> None:
        """Staff types a difference into the store's admin."""
        await self._post("/_sandbox/adjust", {"sku": sku, "delta": delta})

    async def cancel(self, order_id: str, *, restock: bool) -> None:
        await self._post(_order_path(order_id, "cancel"), {"restock": restock})

    async def fulfil(self, order_id: str, tracking: Mapping[str, str], lines: Sequence[CartLine] = ()) -> None:
        """Send these units; without any, everything that is open."""
        wanted = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
        await self._post(_order_path(order_id, "fulfil"), {"lines": wanted, "tracking": dict(tracking)})

    async def edit(self, order_id: str, lines: Sequence[CartLine]) -> None:
        """Staff give lines other quantities; a SKU that is not there yet comes in."""
        wanted = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
        await self._post(_order_path(order_id, "edit"), {"lines": wanted})

    async def refund(self, order_id: str, lines: Sequence[CartLine]) -> None:
        await self._post(_order_path(order_id, "refund"), {"lines": [line.shown() for line in lines]})

    async def give_back(self, order_id: str, lines: Sequence[CartLine]) -> None:
        """Shipped goods come back."""
        await self._post(_order_path(order_id, "return"), {"lines": [line.shown() for line in lines]})

    async def pay(self, order_id: str) -> None:
        await self._post(_order_path(order_id, "pay"), {})

    async def truth(self, since_movement: int | None = None) -> dict[str, Any]:
        """The store's own records, or only what changed since so many movements."""
        query = "" if since_movement is None else f"?since_movement={since_movement}"
        return await self._call("GET", f"/_sandbox/truth{query}")

    async def webhooks(self, since: int = 0) -> list[dict[str, Any]]:
        """Delivery attempts with their answers, numbered above ``since``."""
        return list((await self._call("GET", f"/_sandbox/webhooks?since={since}"))["webhooks"])

    async def struck(self) -> dict[str, int]:
        """How often each fault on deliveries came about, by its setting."""
        return dict(await self._call("GET", "/_sandbox/webhooks/struck"))

    async def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """API calls that the store received, numbered above ``since``."""
        return list((await self._call("GET", f"/_sandbox/requests?since={since}"))["requests"])

    async def set_faults(self, settings: Mapping[str, Any]) -> None:
        """Replace all fault settings, e.g. ``{"profile": "storm"}``; an empty mapping ends them."""
        await self._call("PUT", "/_sandbox/faults", settings)

    async def set_webhook_address(self, url: str) -> None:
        """What a person types into the dashboard of a vendor that has no API for it."""
        await self._call("PUT", "/_sandbox/webhook_address", {"url": url})

    async def set_checkout_guard(self, url: str) -> None:
        """What a person types into the app's dashboard: where the checkout asks before it sells (Wix)."""
        await self._call("PUT", "/_sandbox/checkout_guard", {"deployment_uri": url})

    async def try_checkout(self, sku: str) -> None:
        """Somebody opens a checkout and goes away; the guard is asked (Wix)."""
        opened = await self._post("/_sandbox/checkouts", {"lines": [{"sku": sku, "quantity": 1}]})
        await self._call("DELETE", f"/_sandbox/checkouts/{opened['checkout_id']}")

    async def guard_calls(self) -> list[dict[str, Any]]:
        """The checkout's latest questions with what became of them (Wix)."""
        return list((await self._call("GET", "/_sandbox/checkout_guard"))["calls"])

    async def credentials(self) -> dict[str, str]:
        return dict(await self._call("GET", "/_sandbox/credentials"))

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._call("POST", path, body)

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {"content-type": "application/json"} if content else {}
        answer = await self._transport.send(Request(method, f"{self.base}{path}", headers, content, PATIENCE_SECONDS))
        said: dict[str, Any] = msgspec.json.decode(answer.body) if answer.body else {}
        if answer.status == 409 and said.get("error") == "out_of_stock":
            raise SoldOut(str(said["sku"]))
        if answer.status == 409 and said.get("error") == "violation" and "sku" in said:
            raise SoldOut(str(said["sku"]))
        if answer.status >= 400:
            raise StoreRefused(answer.status, str(said.get("error", answer.body[:200])))
        return said


def _order_path(order_id: str, verb: str) -> str:
    return f"/_sandbox/orders/{quote(order_id, safe='/:')}/{verb}"


class Window:
    """A store's levels as somebody in front of its admin sees them, kept up with little reading."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client
        self._next: int | None = None
        self._by_place: dict[tuple[str, str], int] = {}
        self.levels: dict[str, int] = {}
        self.moved_skus: set[str] = set()
        """SKUs that moved at the last look."""

    async def look(self) -> None:
        """Read what changed since the last look."""
        seen = await self._client.truth(self._next)
        self._next = int(seen["next_movement"])
        for level in seen["levels"]:
            self._by_place[level["sku"], level["location_id"]] = level["available"]
        self.moved_skus = {level["sku"] for level in seen["levels"]}
        sums: dict[str, int] = {}
        for (sku, _), available in self._by_place.items():
            sums[sku] = sums.get(sku, 0) + available
        self.levels = sums
