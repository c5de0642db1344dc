"""Orders and their copies from memory: a few orders are sold, copied and read in the pretend stores first, and all that
comes after them is answered here at no delay, in the shape of what they answered. Everything else is passed on to them.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from storebridge.connectors.http import Request, Response, Transport
from storebridge_proving.bench.canned_stores import COST, JSON

SEARCH, PAYMENTS, PARCELS = "/orders/search", "/payments/list-by-ids", "/fulfillments/list-by-ids"
SHOPIFY_READ, SHOPIFY_WRITE = "query salesById(", "mutation orderCreate("
LISTS = {SEARCH: "orders", PAYMENTS: "orderTransactions", PARCELS: "ordersWithFulfillments"}
FIRST_COPY = 8_000_000_000_000


class CannedOrders:
    """A transport. ``copied`` is told of every copy that is made; ``seconds`` is the processor time of the answers."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._rows: dict[str, dict[str, str]] = {path: {} for path in LISTS}
        self._nodes: dict[str, str] = {}
        self._made: dict[str, tuple[str, str]] = {}
        """By the id of the order that was copied: the copy's id, and the answer that told of it."""
        self._models: dict[str, str] = {}
        self.copies = 0
        """How many were made here."""
        self.copied: Callable[[str], object] = str
        self.calls = 0
        self.seconds = 0.0

    async def send(self, request: Request) -> Response:
        self.calls += 1
        began = time.perf_counter()
        answer = self._answer(request)
        if answer is not None:
            self.seconds += time.perf_counter() - began
            return Response(200, JSON, answer)
        response = await self._inner.send(request)
        if response.status == 200:
            self._learn(request, response)
        return response

    async def close(self) -> None:
        """The inner transport is closed by whoever opened it."""

    def learnt(self) -> list[str]:
        """Orders of which all is known, the copy included."""
        return [one for one, (copy_id, _) in self._made.items() if copy_id in self._nodes and one in self._rows[SEARCH]]

    def place(self, model: str, number: int) -> str:
        """One more order like that one; returns its id."""
        order_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{model}/{number}"))
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = msgspec.json.decode(self._rows[SEARCH][model].replace(model, order_id))
        told |= {"number": str(90_000 + number), "createdDate": now, "updatedDate": now, "purchasedDate": now}
        self._rows[SEARCH][order_id] = msgspec.json.encode(told).decode()
        for path in (PAYMENTS, PARCELS):
            self._rows[path][order_id] = self._rows[path][model].replace(model, order_id)
        self._models[order_id] = model
        return order_id

    def _answer(self, request: Request) -> bytes | None:
        for path, name in LISTS.items():
            if request.url.endswith(path):
                return self._listed(path, name, msgspec.json.decode(request.body))
        if request.url.endswith("/graphql.json"):
            asked = msgspec.json.decode(request.body)
            if asked["query"].startswith(SHOPIFY_READ):
                return self._read(asked["variables"]["ids"])
            if asked["query"].startswith(SHOPIFY_WRITE):
                return self._copy(request.body.decode())
        return None

    def _listed(self, path: str, name: str, asked: dict[str, Any]) -> bytes | None:
        wanted = _ids_of(asked)
        if not wanted or any(one not in self._models for one in wanted):
            return None
        return f'{{"{name}":[{",".join(self._rows[path][one] for one in wanted)}]}}'.encode()

    def _read(self, ids: list[str]) -> bytes | None:
        if any(one not in self._nodes for one in ids):
            return None
        cost = msgspec.json.encode(COST).decode()
        nodes = ",".join(self._nodes[one] for one in ids)
        return f'{{"data":{{"nodes":[{nodes}]}},"extensions":{{"cost":{cost}}}}}'.encode()

    def _copy(self, asked: str) -> bytes | None:
        """The copy of an order that stands here; the stamp in the call names it."""
        order_id = asked.split('"sourceIdentifier":"', 1)[1].split('"', 1)[0].rpartition(":")[2]
        model = self._models.get(order_id)
        if model is None:
            return None
        former, answer = self._made[model]
        self.copies += 1
        copy_id = f"gid://shopify/Order/{FIRST_COPY + self.copies}"
        self._nodes[copy_id] = self._nodes[former].replace(former, copy_id).replace(model, order_id)
        self.copied(copy_id)
        return answer.replace(former, copy_id).replace(model, order_id).encode()

    def _learn(self, request: Request, response: Response) -> None:
        for path, name in LISTS.items():
            if request.url.endswith(path):
                for row in msgspec.json.decode(response.body).get(name, ()):
                    self._rows[path][row.get("id") or row["orderId"]] = msgspec.json.encode(row).decode()
        if request.url.endswith("/graphql.json"):
            self._learn_copy(msgspec.json.decode(request.body), response.body)

    def _learn_copy(self, asked: dict[str, Any], told: bytes) -> None:
        data = msgspec.json.decode(told).get("data") or {}
        if asked["query"].startswith(SHOPIFY_READ):
            self._nodes |= {node["id"]: msgspec.json.encode(node).decode() for node in data.get("nodes", ()) if node}
        made = (data.get("order") or {}).get("order")
        if made and asked["query"].startswith(SHOPIFY_WRITE):
            stamp = asked["variables"]["order"]["sourceIdentifier"]
            self._made[stamp.rpartition(":")[2]] = (made["id"], told.decode())


def _ids_of(asked: dict[str, Any]) -> list[str]:
    if "orderIds" in asked:
        return list(asked["orderIds"])
    named = asked.get("search", {}).get("filter", {}).get("id", {})
    return list(named.get("$in", ())) if isinstance(named, dict) else []
