"""What a resolver knows of the API call that it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storebridge_sandbox.shopify.paging import Search

Resolver = Callable[[Any, dict[str, Any], Any], Any]
Resolvers = dict[tuple[str, str], Resolver]


@dataclass(slots=True)
class Call:
    """``keys`` are the idempotency keys by root field; ``read_moment`` is set when a lagging replica answers."""

    now: datetime
    ref: str
    read_moment: datetime | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    input_locations: list[dict[str, int]] = field(default_factory=list)
    search: list[dict[str, Any]] = field(default_factory=list)
    """What ``extensions.search`` says of searches that were only half understood."""
    version: str = "2026-10"
    origin: str = "http://localhost"
    """Scheme and host that the client called."""
    app: Any = None
    root: str = ""
    """The first root field that is asked for."""
    declared: Sequence[Any] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)

    def ignored(self, root: str, text: str | None, search: Search) -> None:
        """Search fields that the vendor does not know match everything, and it says so (recorded)."""
        if search.ignored:
            self.search.append(
                {
                    "path": [root],
                    "query": text,
                    "parsed": [{"field": name, "match_all": value} for name, value in search.ignored][-1],
                    "warnings": [
                        {"field": name, "message": "Invalid search field for this query.", "code": "invalid_field"}
                        for name, _ in search.ignored
                    ],
                }
            )


def _of_error(name: str) -> Resolver:
    def resolve(error: Any, _args: dict[str, Any], _call: Any) -> Any:
        return error.get(name) if isinstance(error, dict) else getattr(error, name, None)

    return resolve


USER_ERRORS: Resolvers = {
    (family, name): _of_error(name)
    for family in ("UserError", "UserErrors")
    for name in ("field", "message", "code", "elementIndex")
}
"""The fields of every type whose name ends so."""


def refused(path: list[str] | None, message: str, code: str | None = None) -> dict[str, Any]:
    """A payload with nothing in it but one userError."""
    return {"userErrors": [{"field": path, "message": message, "code": code}]}


def shows(name: str) -> Resolver:
    """A field that stands in the state under another name, or the same."""
    return lambda source, _args, _call: getattr(source, name)


def shows_time(name: str) -> Resolver:
    """A moment in Shopify's form, or null."""

    def resolve(source: Any, _args: dict[str, Any], _call: Any) -> str | None:
        moment = getattr(source, name)
        return None if moment is None else iso(moment)

    return resolve


def iso(moment: datetime) -> str:
    """``2026-11-24T02:16:19Z``: Shopify's times are whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
