"""What the answers of a recording say about each entity, in the order in which they say it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from recordings import Exchange, Recording

GID = re.compile(r"gid://shopify/(\w+)/[\w-]+(?:\?[\w=&%-]+)?")


def kind_of(global_id: str) -> str:
    found = GID.match(global_id)
    return found[1] if found else ""


class Facts:
    """Per global id: the first value that was shown of each field, and by which step."""

    def __init__(self, recording: Recording) -> None:
        self._shown: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        self._holders: dict[str, list[str]] = {}
        for number, step in enumerate(recording.steps):
            self._walk(step.body.get("data"), number, ())
        self._set_up = recording.set_up
        self.made_by: dict[str, int] = dict(_made(recording))
        self._asked = [step.variables for step in recording.steps if isinstance(step, Exchange)]

    def _walk(self, value: Any, number: int, holders: tuple[str, ...]) -> None:
        if isinstance(value, list):
            for one in value:
                self._walk(one, number, holders)
        if not isinstance(value, dict):
            return
        own = value.get("id")
        if isinstance(own, str) and own.startswith("gid://"):
            self._shown.setdefault(own, []).append((number, value))
            self._holders.setdefault(own, []).extend(holders)
            above = value.get("order")
            if isinstance(above, dict) and isinstance(above.get("id"), str) and kind_of(own) == "FulfillmentOrder":
                self._holders[own].append(above["id"])
                holders = (*holders, above["id"])
            holders = (*holders, own)
        for child in value.values():
            self._walk(child, number, holders)

    def knows(self, global_id: str) -> bool:
        return global_id in self._shown or global_id in self._set_up

    def about(self, global_id: str) -> dict[str, Any]:
        """Everything said about an entity; what was said first counts."""
        merged: dict[str, Any] = {}
        for _number, shown in self._shown.get(global_id, ()):
            for key, value in shown.items():
                if merged.get(key) in (None, [], {}):
                    merged[key] = value
        return merged

    def holder(self, global_id: str, kind: str) -> str | None:
        """The entity of a kind that an entity was shown inside of."""
        return next((one for one in self._holders.get(global_id, ()) if kind_of(one) == kind), None)

    def inside(self, global_id: str, kind: str) -> list[str]:
        """The entities of a kind that were shown inside of an entity, in order."""
        return [one for one, holders in self._holders.items() if kind_of(one) == kind and global_id in holders]

    def older_orders(self, global_id: str) -> list[str]:
        """The orders that were there before this one and that no step makes, oldest first."""
        found = [one for one in self.of_kind("Order") if one not in self.made_by and _age(one) < _age(global_id)]
        return sorted(found, key=_age)

    def oldest_location(self) -> str | None:
        """The shop's first location: the one with the smallest number that no step makes."""
        found = [one for one in self.of_kind("Location") if one not in self.made_by]
        return min(found, key=_age, default=None)

    def sent_long_ago(self) -> list[str]:
        """Closed fulfilment orders that lists show and nothing else speaks of, oldest first."""
        found = [one for one in self.of_kind("FulfillmentOrder") if one not in self.made_by]
        alone = [one for one in found if self.holder(one, "Order") is None]
        return sorted((one for one in alone if self.about(one).get("status") == "CLOSED"), key=_age)

    def parent_named_with(self, order_id: str) -> str | None:
        """The payment that a request names as the parent of a refund of an order."""
        found = (one.get("parentId") for one in _dicts_in(self._asked) if one.get("orderId") == order_id)
        return next((one for one in found if isinstance(one, str)), None)

    def metafields_of(self, global_id: str) -> list[dict[str, Any]]:
        """What an owner had before the recording began; a metafield belongs to the innermost that shows it."""
        owned = [one for one in self.inside(global_id, "Metafield") if self._holders[one][-1] == global_id]
        shown = [self.about(one) for one in owned if one not in self.made_by]
        return [one for one in shown if {"namespace", "key", "type", "value"} <= one.keys()]

    def of_kind(self, kind: str) -> list[str]:
        return [one for one in self._shown if kind_of(one) == kind]


def _age(global_id: str) -> int:
    return int(global_id.rpartition("/")[2])


def _dicts_in(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    for child in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _dicts_in(child)


def _made(recording: Recording) -> Iterator[tuple[str, int]]:
    """The ids that a replayed mutation makes, with its place: they must not be seeded before it."""
    seen: set[str] = set()
    for number, step in enumerate(recording.steps):
        known_before = set(seen)
        asked = GID.finditer(str(step.variables) + step.query) if isinstance(step, Exchange) else iter(())
        seen.update(found[0] for found in asked)
        shown = {found[0] for found in GID.finditer(str(step.body.get("data")))} - _held_before(step.body)
        if isinstance(step, Exchange) and "mutation" in (step.query or "mutation")[:400]:
            for one in shown - known_before - seen:
                yield one, number
        seen |= {found[0] for found in GID.finditer(str(step.body.get("data")))}


def _held_before(body: Mapping[str, Any]) -> set[str]:
    """A bulk creation shows its product with all variants, and apart from it those that it made."""
    held: set[str] = set()
    for payload in (body.get("data") or {}).values():
        made = payload.get("productVariants") if isinstance(payload, dict) else None
        if made and isinstance(payload.get("product"), dict):
            rows = (payload["product"].get("variants") or {}).get("nodes") or ()
            fresh = {one.get("id") for one in made}
            held |= {found[0] for one in rows if one.get("id") not in fresh for found in GID.finditer(str(one))}
    return held
