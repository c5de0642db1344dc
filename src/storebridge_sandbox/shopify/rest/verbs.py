"""Writes of the REST surface are the Admin API's mutations in older words, so both have the same rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from storebridge_sandbox.shopify.rest.pages import RestRefused

Payload = Mapping[str, Any]
Run = Callable[[str, dict[str, Any], str], dict[str, Any]]
"""Text, variables and the reference of the call; answers with ``data`` and, when something is wrong, ``errors``."""


class Verbs:
    """``carry_out`` plays one mutation and gives its payload; raises RestRefused where that has errors."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def carry_out(self, mutation: str, ref: str, /, *, shows: str = "", **given: tuple[str, Any]) -> Payload:
        """``given`` are the arguments with their types; ``shows`` what to select beside the errors.

        A mutation that must carry an idempotency key gets the call's reference for one.
        """
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in given.items())
        passed = ", ".join(f"{name}: ${name}" for name in given)
        key = f'@idempotent(key: "{ref}")' if mutation in NEEDS_KEY else ""
        text = (
            f"mutation Rest({declared}) {{ {mutation}({passed}) {key} {{ {shows} userErrors {{ field message }} }} }}"
        )
        answer = self._run(text, {name: value for name, (_, value) in given.items()}, ref)
        if answer.get("errors"):
            raise RestRefused(400, {"base": [answer["errors"][0]["message"]]})
        payload: Payload = answer["data"][mutation]
        if payload["userErrors"]:
            raise RestRefused(422, told(payload["userErrors"]))
        return payload


NEEDS_KEY = frozenset(("refundCreate",))
OF_THE_PATH = frozenset(("id", "orderid", "customerid", "productid"))
"""What is wrong with these is wrong with the thing as a whole."""


def told(errors: list[dict[str, Any]]) -> dict[str, list[str]]:
    """``{"title": ["can't be blank"]}``: the field's name in snake case, and the message without it."""
    found: dict[str, list[str]] = {}
    for error in errors:
        parts = [part for part in error["field"] or [] if not part.isdigit() and part not in ("input", "order")]
        name = snake(parts[-1]) if parts and parts[-1].lower() not in OF_THE_PATH else "base"
        said = error["message"].removeprefix(f"{name.replace('_', ' ').capitalize()} ")
        found.setdefault(name, []).append(said)
    return found


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
