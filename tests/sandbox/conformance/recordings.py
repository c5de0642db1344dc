"""Recorded Shopify exchanges, read into steps in the order in which they happened.

A recording has no single layout (see ../shared/data/shopify/recorded/README.md), so exchanges are found at any
depth: a text next to its answer, a text in a ``request``, or a text that stands above many answers. An answer
whose request was not kept becomes a request made up from its variables and its shape, or, without variables,
an observation of what the store held.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, parse

FOLDER = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "shopify"
EARLY = ("precondition", "setup", "seed", "warmup", "pre")
LATE = ("cleanup",)
ANSWERS = ("response", "result", "payload", "body")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with the answer that Shopify gave; ``compared`` is false for made-up request texts."""

    place: str
    query: str
    variables: Mapping[str, Any]
    status: int
    body: Mapping[str, Any]
    compared: bool = True
    own_text: bool = True


@dataclass(frozen=True, slots=True)
class Observation:
    """An answer without request: what the store held at that moment."""

    place: str
    body: Mapping[str, Any]


@dataclass
class Recording:
    """One file."""

    name: str
    version: str
    area: str
    steps: Sequence[Exchange | Observation] = field(default_factory=tuple)
    upload: str = "{}"
    """What was uploaded for a bulk mutation, where the recorder kept it."""
    set_up: frozenset[str] = frozenset()
    """Ids of what the recorder says that it had made beforehand."""

    @cached_property
    def exchanges(self) -> list[Exchange]:
        return [one for one in self.steps if isinstance(one, Exchange) and one.compared]


def recorded_folder() -> Path | None:
    """The recordings, None where ``shared`` is not beside the repository."""
    folder = FOLDER / "recorded"
    return folder if folder.is_dir() else None


def read_recordings(folder: Path) -> list[Recording]:
    return [read_recording(path) for path in sorted(folder.glob("*.json"))]


def read_recording(path: Path) -> Recording:
    version, area, name = path.stem.split("_", 2)
    content = json.loads(path.read_text(encoding="utf-8"))
    steps = _as_it_happened(path.stem, list(_once_each(_Reader().steps(content, (), ()))))
    uploads = list(_texts_named("uploadcontent", content))
    upload = uploads[0] if uploads else "{}"
    return Recording(
        name, str(content.get("apiVersion", version)), area, steps, upload, frozenset(_ids_of_setup(content))
    )


def _as_it_happened(name: str, steps: list[Exchange | Observation]) -> list[Exchange | Observation]:
    """Exchanges that a file lists apart from their time, back in their place: order.toml says why."""
    held = tomllib.loads((Path(__file__).parent / "order.toml").read_text(encoding="utf-8"))
    for moved in held["moved"]:
        if moved["recording"] == name:
            one = next(step for step in steps if step.place == moved["exchange"])
            steps.remove(one)
            steps.insert(1 + next(n for n, step in enumerate(steps) if step.place == moved["after"]), one)
    return steps


def _ids_of_setup(content: Mapping[str, Any]) -> Iterator[str]:
    """Ids that stand under a word of preparation by themselves, not in a request or an answer."""
    for key, held in content.items():
        if key.lower().startswith(EARLY):
            for one in held.values() if isinstance(held, dict) else [held]:
                if isinstance(one, str) and one.startswith("gid://"):
                    yield one


def _texts_named(word: str, node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _texts_named(word, one)
    if isinstance(node, dict):
        for key, held in node.items():
            if word in key.lower() and isinstance(held, str):
                yield held
            else:
                yield from _texts_named(word, held)


def _once_each(steps: Iterator[Exchange | Observation]) -> Iterator[Exchange | Observation]:
    """Some recordings hold the same call, down to what was left in its bucket, in two places."""
    seen: set[str] = set()
    for step in steps:
        if isinstance(step, Exchange) and step.compared and "extensions" in step.body:
            mark = json.dumps([step.query, dict(step.variables), step.body], sort_keys=True)
            if mark in seen and "throttleStatus" in mark and "mutation" in step.query:
                continue
            seen.add(mark)
        yield step


class _Reader:
    """Walks one file."""

    def steps(
        self, node: Any, place: tuple[str, ...], above: tuple[tuple[str, Mapping[str, Any]], ...]
    ) -> Iterator[Exchange | Observation]:
        if isinstance(node, list):
            for number, one in enumerate(node):
                yield from self.steps(one, (*place, str(number)), above)
        if not isinstance(node, dict):
            return
        if is_body(node):
            yield Observation(".".join(place), node)
            return
        told = _told_entity(node, place)
        if told is not None:
            yield Observation(".".join(place), {"data": {"told": told}})
        answer = _answer_of(node)
        texts = above if _text_of(node) is None else (*above, (str(_text_of(node)), _variables_of(node)))
        children = _in_order(node, answer)
        for key, child in children:
            if _stage(key) == 0:
                yield from self.steps(child, (*place, key), texts)
        if answer is not None:
            yield from self._exchange(node, answer, place, above)
        for key, child in children:
            if _stage(key) != 0:
                yield from self.steps(child, (*place, key), texts)

    def _exchange(
        self,
        node: dict[str, Any],
        answer: tuple[int, Mapping[str, Any], str],
        place: tuple[str, ...],
        above: tuple[tuple[str, Mapping[str, Any]], ...],
    ) -> Iterator[Exchange | Observation]:
        status, body, _key = answer
        shown = ".".join(place)
        own = _text_of(node)
        variables = _variables_of(node)
        if own is not None:
            yield Exchange(shown, own, variables, status, body, own_text=node.get("querySource") != "matched")
            return
        for text, inherited in reversed(above):
            if _fits(text, body):
                yield Exchange(shown, text, variables or inherited, status, body)
                return
        if variables:
            yield Exchange(shown, "", variables, status, body, compared=False)
        else:
            yield Observation(shown, body)


def _told_entity(node: Mapping[str, Any], place: tuple[str, ...]) -> dict[str, Any] | None:
    """What the recorder noted of an entity that it made beforehand: all of it, or its id with those of its parts."""
    product, variant, item = (node.get(name) for name in ("productId", "variantId", "inventoryItemId"))
    if product and variant and item and "response" not in node:
        return {"id": product, "variants": {"nodes": [{"id": variant, "inventoryItem": {"id": item}}]}}
    beforehand = any(part.lower().startswith((*EARLY, "created")) for part in place)
    return dict(node) if beforehand and str(node.get("id", "")).startswith("gid://") and len(node) > 1 else None


def is_body(node: Mapping[str, Any]) -> bool:
    """Whether this is a GraphQL answer."""
    if isinstance(node.get("data"), dict) and ("extensions" in node or len(node) == 1 or "errors" in node):
        return True
    errors = node.get("errors")
    return isinstance(errors, list) and bool(errors) and "message" in (errors[0] or {}) and "query" not in node


def _answer_of(node: dict[str, Any]) -> tuple[int, Mapping[str, Any], str] | None:
    for key in ANSWERS:
        held, status = node.get(key), node.get("status", 200)
        for _ in range(3):
            if not isinstance(held, dict):
                break
            if is_body(held):
                return int(status) if isinstance(status, int) else 200, held, key
            status = held.get("status", status)
            held = next((held[one] for one in ANSWERS if isinstance(held.get(one), dict)), None)
    return None


def _text_of(node: Mapping[str, Any]) -> str | None:
    for holder in (node, node.get("request")):
        if isinstance(holder, dict):
            for key in ("query", "document"):
                if isinstance(holder.get(key), str) and "{" in holder[key]:
                    return str(holder[key])
    return None


def _variables_of(node: Mapping[str, Any]) -> Mapping[str, Any]:
    for holder in (node.get("request"), node):  # what was sent, before what the recorder made it from
        if isinstance(holder, dict):
            for key in ("variables", "requestVariables"):
                if isinstance(holder.get(key), dict):
                    held: Mapping[str, Any] = holder[key]
                    return held
    return {}


def _in_order(node: dict[str, Any], answer: tuple[int, Mapping[str, Any], str] | None) -> list[tuple[str, Any]]:
    skipped = {"request", "variables", "extensions"} | ({answer[2]} if answer else set())
    children = [(key, child) for key, child in node.items() if key not in skipped]
    return sorted(children, key=lambda pair: _stage(pair[0]))


def _stage(key: str) -> int:
    lower = key.lower()
    if lower.startswith(EARLY):
        return 0
    return 2 if lower.startswith(LATE) else 1


def _fits(text: str, body: Mapping[str, Any]) -> bool:
    """Whether a text has the root fields that an answer shows."""
    keys = root_keys(text)
    if keys is None:
        return False
    data = body.get("data")
    if isinstance(data, dict) and data:
        return set(data) == set(keys)
    paths = [error.get("path") or [] for error in body.get("errors") or []]
    named = {str(part) for path in paths for part in path}
    return not named or bool(named & set(keys)) or not any(paths)


def root_keys(text: str) -> list[str] | None:
    """The keys that an answer to this text has at its root; None for no single operation."""
    try:
        document = parse(text)
    except GraphQLError:
        return None
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1:
        return None
    fields = [one for one in operations[0].selection_set.selections if one.kind == "field"]
    return [one.alias.value if one.alias else one.name.value for one in fields]  # type: ignore[attr-defined]


def types_named(text: str) -> set[str]:
    """The types that fragments are asked on."""
    return set(re.findall(r"(?:\.\.\.|fragment\s+\w+)\s*on\s+(\w+)", text))


def root_fields(text: str) -> list[str]:
    """The names of the root fields, without aliases; empty for a text that is no GraphQL."""
    try:
        document = parse(text)
    except GraphQLError:
        return []
    return [
        one.name.value  # type: ignore[attr-defined]
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        for one in operation.selection_set.selections
        if one.kind == "field"
    ]
