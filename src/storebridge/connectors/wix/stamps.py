"""The stamp on an inventory item: which of our writes was the last one through the API (W34).

Wix gives an app a namespace of its own among an item's ``extendedFields`` once a person has added the extension to the
app. A guarded update sets quantity and stamp together, so after a lost answer the item itself tells whether the write
landed. A site that refuses the field, or does not keep it, is noticed by the first answer and written without stamps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from storebridge.clock import Clock
from storebridge.connectors.port import Finding, Precondition
from storebridge.connectors.wix.errors import says
from storebridge.connectors.wix.translate import ExtendedFields

FIELD = "lastWrite"
"""The one field of our extension: a text."""
TRY_AGAIN = timedelta(hours=1)
"""A person may have mended the extension; one refused call an hour finds that out."""


def stamped(namespace: str, intent_id: str) -> dict[str, Any]:
    """``extendedFields`` of a row that carries the write's own id."""
    return {"namespaces": {namespace: {FIELD: intent_id}}}


def stamp_in(fields: ExtendedFields | None, namespace: str | None) -> str | None:
    """The stamp that an item shows; None when it has none, or none that we wrote."""
    if fields is None or namespace is None:
        return None
    ours = (fields.namespaces or {}).get(namespace)
    stamp = ours.get(FIELD) if isinstance(ours, dict) else None
    return stamp if isinstance(stamp, str) and stamp else None


def blames_stamp(code: str, message: str) -> bool:
    """Whether a refusal is about the extended field and about nothing else."""
    return says(("EXTENDEDFIELDS", "EXTENDED_FIELD"), code, message)


class Stamps:
    """Whether this site takes stamps, learned from its answers; nothing is remembered beyond the process."""

    def __init__(self, namespace: str | None, clock: Clock) -> None:
        self._namespace = namespace
        self._clock = clock
        self._kept: bool | None = None
        self._told = ""
        self._failed_at: datetime | None = None

    def to_write(self) -> str | None:
        """The namespace that the next write is stamped in; None: it goes out without a stamp."""
        failed = self._failed_at
        if failed is not None and self._clock.now() - failed < TRY_AGAIN:
            return None
        return self._namespace

    def to_read(self) -> str | None:
        """The namespace whose stamps are evidence; None after a write that left none, until one did again.

        An older stamp would else look like a write that never landed.
        """
        return None if self._kept is False else self._namespace

    def answered(self, wanted: str, seen: ExtendedFields | None) -> None:
        """An applied row came back as it now is."""
        if stamp_in(seen, self._namespace) == wanted:
            self._kept, self._failed_at = True, None
        else:
            self._stop("a write was taken and its stamp was not kept")

    def refused(self, message: str) -> None:
        """A write was refused because of its stamp."""
        self._stop(f"a write was refused because of its stamp ({message[:120]})")

    def _stop(self, told: str) -> None:
        self._kept, self._told, self._failed_at = False, told, self._clock.now()

    @property
    def configured(self) -> bool:
        return self._namespace is not None

    @property
    def needs_a_look(self) -> bool:
        """Whether only the items themselves can tell, as in a process that has not written yet."""
        return self.configured and self._kept is None

    def finding(self, seen: Sequence[ExtendedFields | None] = ()) -> Finding:
        """What is known; ``seen`` are items read just now, where ``needs_a_look``."""
        if self._kept is False:
            return Finding(Precondition.STAMPS_KEPT, False, f"{self._told}; {ADVICE}")
        if self._kept or any(self._shown(seen)):
            return Finding(Precondition.STAMPS_KEPT, True, f"items keep our stamp in {self._namespace}")
        told = f"none of {len(seen)} items read carries a stamp yet; the first stock write shows whether they are kept"
        return Finding(Precondition.STAMPS_KEPT, True, told, known=False)

    def _shown(self, seen: Iterable[ExtendedFields | None]) -> list[str]:
        return [stamp for fields in seen if (stamp := stamp_in(fields, self._namespace))]


ADVICE = (
    "stock is written without stamps, so a write whose answer is lost is more often a person's question. Add the "
    f"schema plugin extension for inventory items with a text field {FIELD!r} to the app, and compare its namespace "
    "with stamp_namespace; it is tried again within an hour"
)
