"""The lines of a statement's version, kept as what changed since the version before: a day that is settled fifty times
costs its lines once and its changes, and every version can still be shown as it was made."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import msgspec

from storebridge.model.settlement import Statement, StatementLine

WHOLE_EVERY = 20
"""Each so many versions one is kept whole, so that none is put together from more than these."""


class PackedLines(msgspec.Struct, frozen=True):
    """Lines in their order: new ones, and runs (first, how many) of the lines of version ``base``; 0: there is none."""

    base: int
    lines: tuple[tuple[int, int] | StatementLine, ...]


def pack(lines: Sequence[StatementLine], version: int, before: Sequence[StatementLine] | None) -> bytes:
    """What is stored of a version; ``before`` are the lines of the version before it, None: it is to stand alone."""
    if before is None:
        return _stored(PackedLines(0, tuple(lines)))
    spelt = msgspec.json.encode  # 10.0 and 10.00 are the same amount, and two spellings for the digest
    places = {spelt(line): place for place, line in enumerate(before)}
    found: list[tuple[int, int] | StatementLine] = []
    for line in lines:
        place, last = places.get(spelt(line)), found[-1] if found else None
        if place is None:
            found.append(line)
        elif isinstance(last, tuple) and sum(last) == place:
            found[-1] = (last[0], last[1] + 1)
        else:
            found.append((place, 1))
    return _stored(PackedLines(version - 1, tuple(found)))


def _stored(packed: PackedLines) -> bytes:
    return zlib.compress(msgspec.json.encode(packed))


def unpack(documents: Mapping[int, bytes], version: int) -> tuple[StatementLine, ...]:
    """The lines of a version. ``documents`` holds what is stored of it and of those before it, down to one that stands
    alone. Raises KeyError when one of them is missing."""
    text = zlib.decompress(documents[version])
    if not text.startswith(b'{"base":'):
        return msgspec.json.decode(text, type=Statement).lines  # of a version before lines were packed
    packed = msgspec.json.decode(text, type=PackedLines)
    before = unpack(documents, packed.base) if packed.base else ()
    found: list[StatementLine] = []
    for one in packed.lines:
        if isinstance(one, StatementLine):
            found.append(one)
        else:
            found += before[one[0] : one[0] + one[1]]
    return tuple(found)


def begins_anew(version: int) -> bool:
    """Whether a version is kept whole."""
    return version % WHOLE_EVERY == 1
