"""A secret as it travels through the connectors: no repr, log line or traceback shows it."""

from __future__ import annotations


class Secret:
    """A value that is only revealed to the request that needs it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"
