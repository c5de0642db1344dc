"""tagsAdd and tagsRemove, on whatever has tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, refused
from storebridge_sandbox.shopify.ids import kind_of


class TagWrites:
    """``find`` finds a thing by its global id; ``tagged`` tells what to do after its tags changed."""

    def __init__(self, find: Callable[[str], Any], tagged: Callable[[Any], None]) -> None:
        self._find = find
        self._tagged = tagged

    def resolvers(self) -> Resolvers:
        return {
            ("Mutation", "tagsAdd"): lambda _s, args, call: self._change(args, call, self._added),
            ("Mutation", "tagsRemove"): lambda _s, args, call: self._change(args, call, self._removed),
        }

    def _change(
        self, args: dict[str, Any], _call: Call, change: Callable[[list[str], list[str]], list[str]]
    ) -> dict[str, Any]:
        node = self._find(args["id"])
        if node is None or not hasattr(node, "tags"):
            return refused(["id"], f"{kind_of(args['id']) or 'Resource'} does not exist")
        held = list(node.tags)
        wanted = change(held, tags_of(args["tags"]))
        if wanted != held:
            node.tags = tuple(wanted) if isinstance(node.tags, tuple) else wanted
            self._tagged(node)
        return {"node": node, "userErrors": []}

    def _added(self, held: list[str], given: list[str]) -> list[str]:
        return tags_of([*held, *given])

    def _removed(self, held: list[str], given: list[str]) -> list[str]:
        gone = {tag.lower() for tag in given}
        return [tag for tag in held if tag.lower() not in gone]


def tags_of(given: list[str] | str) -> list[str]:
    """Tags apart at commas, trimmed, each once whatever its case, in alphabetical order."""
    words = [word.strip() for one in ([given] if isinstance(given, str) else given) for word in one.split(",")]
    kept: dict[str, str] = {}
    for word in words:
        if word:
            kept.setdefault(word.lower(), word)
    return [kept[key] for key in sorted(kept)]
