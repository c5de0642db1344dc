"""The things of a store in the order of one of their values, kept sorted while things come, change and go.

A page of a list of 100,000 then costs what the page costs. Nothing is sorted before somebody asks for that order. Only
the values are kept here; the things themselves are fetched for the rows that somebody looks at.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import Any, Protocol, overload

Row = tuple[Any, Any, Any]
"""(value, number, thing); the number tells things of one value apart, so that no two things are ever compared."""
Columns = tuple[list[Any], "array[int]", "array[int]"]
Key = tuple[Any, int]
"""(value, number)"""
FEW = 1000
"""So many changes are taken in one by one; after more of them everything is sorted anew."""
NOT_THERE: Any = object()
"""The value of what has no row."""


class Things(Protocol):
    """Names of things in the order in which they came."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[str]: ...

    def __reversed__(self) -> Iterator[str]: ...

    def __contains__(self, name: object, /) -> bool: ...


class Slots:
    """A number for each name, for all orders of the same things: a number is smaller than a name."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._of: dict[str, int] | None = None

    @property
    def of(self) -> dict[str, int]:
        if self._of is None:
            self._of = dict(zip(self.names, range(len(self.names)), strict=True))
        return self._of

    def find(self, name: str) -> int | None:
        """The name's number, None for one that has none. The last of all is known without looking anything up: every
        list asks for it, and an index of 100,000 names takes 8 MB."""
        if self._of is None and self.names and self.names[-1] == name:
            return len(self.names) - 1
        return self.of.get(name)

    def begin(self, names: Iterable[str]) -> None:
        """These and no others, numbered as they come. Numbers are looked up when somebody asks for one."""
        self.names, self._of = list(names), None

    def take(self, name: str) -> int:
        """The name's number, a new one when it has none."""
        slot = self.of.setdefault(name, len(self.names))
        if slot == len(self.names):
            self.names.append(name)
        return slot


class Texts:
    """A list of texts that lie in one piece: as objects they take three times the room. Few of them ever change."""

    def __init__(self, texts: list[str]) -> None:
        encoded = [text.encode() for text in texts]
        self._whole = b"".join(encoded)
        self._ends = array("Q", accumulate(map(len, encoded), initial=0))
        self._others: dict[int, Any] = {}
        self._length = len(texts)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: int) -> Any:
        if place in self._others:
            return self._others[place]
        return self._whole[self._ends[place] : self._ends[place + 1]].decode()

    def __setitem__(self, place: int, value: Any) -> None:
        self._others[place] = value

    def append(self, value: Any) -> None:
        self._others[self._length] = value
        self._length += 1


class RowsInOrder:
    """Rows of the things of a dict; ``key_of(name)`` tells the value and number of one of them, ``thing_of`` the thing.

    New things and things that are gone are noticed; that a thing changed must be told. ``made`` counts the rows that
    were ever made. Orders of the same things may share their ``slots``.
    """

    def __init__(
        self,
        things: Things,
        key_of: Callable[[str], Key],
        thing_of: Callable[[str], Any],
        slots: Slots | None = None,
    ) -> None:
        self._things = things
        self._key_of = key_of
        self._thing_of = thing_of
        self._slots = slots or Slots()
        self._values: list[Any] | Texts = []
        self._numbers = array("q")
        self._order = array("I")
        self._read: Callable[[], Columns] | None = None
        self._sorted = False
        self._changed: dict[str, None] = {}
        self.made = 0

    # -- kept in a state file ------------------------------------------------------------------------------

    def told(self) -> Columns:
        """Values and numbers of all things as they stand in the dict, and their places in ascending order."""
        self.rows()
        slots = [self._slots.of[name] for name in self._things]
        places = {slot: place for place, slot in enumerate(slots)}
        return (
            [self._values[slot] for slot in slots],
            array("q", [self._numbers[slot] for slot in slots]),
            array("I", [places[slot] for slot in self._order]),
        )

    def restore(self, read: Callable[[], Columns]) -> None:
        """``read`` gives what was ``told`` of the very things that the dict holds now; it is asked when needed."""
        if len(self._slots.names) != len(self._things):
            self._slots.begin(self._things)
        self._read, self._sorted = read, True

    def _read_in(self) -> None:
        if self._read is not None:
            values, self._numbers, self._order = self._read()
            self._values = Texts(values) if set(map(type, values)) == {str} else values
            self._read = None

    # -- asked ---------------------------------------------------------------------------------------------

    def changed(self, name: str) -> None:
        """A thing has another value, or is another thing under the same name, or is gone."""
        if self._sorted:
            self._changed[name] = None

    def rows(self) -> Rows:
        """All rows in ascending order."""
        self._read_in()
        if len(self._changed) > FEW:
            self._build()
        for name in self._changed:
            self._take_out(name)
        changed, self._changed = self._changed, {}
        new = self._new_names(changed)
        if new is None:
            self._build()
        else:
            for name in new:
                self._put_in(name)
        return Rows(self, self._order)

    def having(self, value: Any) -> Rows:
        """The rows of this value."""
        return self.between((value,), (value, HIGHEST))

    def between(self, low: tuple[Any, ...] | None, high: tuple[Any, ...] | None) -> Rows:
        """The rows from the first that is not below ``low`` to the last that is below ``high``; None is no limit."""
        rows = self.rows()
        start = 0 if low is None else self._place(low)
        return rows[start:] if high is None else rows[start : max(start, self._place(high))]

    def key_at(self, slot: int) -> Key:
        return self._values[slot], self._numbers[slot]

    def row_at(self, slot: int) -> Row:
        return self._values[slot], self._numbers[slot], self._thing_of(self._slots.names[slot])

    # -- kept sorted ---------------------------------------------------------------------------------------

    def _new_names(self, changed: dict[str, None]) -> list[str] | None:
        """What has no row yet; None when the dict does not tell it by its end, or it is too much."""
        again = [name for name in changed if name in self._things]
        more = len(self._things) - len(self._order) - len(again)
        if not 0 <= more <= FEW:
            return None
        last = [name for name in islice(reversed(self._things), more + len(again) + 1) if name not in changed]
        new, known = last[:more], last[more : more + 1]
        if any(self._has(name) for name in new) or not all(self._has(name) for name in known):
            return None
        return again + new

    def _has(self, name: str) -> bool:
        slot = self._slots.find(name)
        return slot is not None and slot < len(self._values) and self._values[slot] is not NOT_THERE

    def _build(self) -> None:
        """Only what is new or changed is asked for its value; everything is sorted."""
        for name in [name for name in self._changed if name in self._slots.of]:
            self._set(self._slots.of[name], NOT_THERE, 0)
        self._changed = {}
        present = array("I", [self._slots.take(name) for name in self._things])
        gone = set(self._order).difference(present)
        for slot in gone:
            self._set(slot, NOT_THERE, 0)
        for slot in present:
            if slot >= len(self._values) or self._values[slot] is NOT_THERE:
                self._set(slot, *self._key_of(self._slots.names[slot]))
                self.made += 1
        self._order = array("I", sorted(present, key=self.key_at))
        self._sorted = True

    def _take_out(self, name: str) -> None:
        if self._has(name):
            slot = self._slots.of[name]
            del self._order[self._place(self.key_at(slot))]
            self._set(slot, NOT_THERE, 0)

    def _put_in(self, name: str) -> None:
        slot = self._slots.take(name)
        key = self._key_of(name)
        self._set(slot, *key)
        self._order.insert(self._place(key), slot)
        self._sorted = True
        self.made += 1

    def _set(self, slot: int, value: Any, number: int) -> None:
        while len(self._values) <= slot:
            self._values.append(NOT_THERE)
            self._numbers.append(0)
        self._values[slot], self._numbers[slot] = value, number

    def _place(self, key: tuple[Any, ...]) -> int:
        return bisect_left(self._order, key, key=self.key_at)


class Rows(Sequence[Row]):
    """Rows that are made when they are looked at; ``key`` tells the value and number of one without its thing."""

    def __init__(self, kept: RowsInOrder, slots: array[int]) -> None:
        self._kept = kept
        self._slots = slots

    def key(self, place: int) -> Key:
        return self._kept.key_at(self._slots[place])

    def __len__(self) -> int:
        return len(self._slots)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> Rows: ...

    def __getitem__(self, place: int | slice) -> Row | Rows:
        if isinstance(place, slice):
            return Rows(self._kept, self._slots[place])
        return self._kept.row_at(self._slots[place])

    def __iter__(self) -> Iterator[Row]:
        return map(self._kept.row_at, self._slots)


def key_at(rows: Sequence[Row], place: int) -> tuple[Any, Any]:
    """Value and number of a row; nothing is fetched for it."""
    if isinstance(rows, Rows):
        return rows.key(place)
    value, number, _ = rows[place]
    return value, number


class _Highest:
    """Above every number."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


HIGHEST: Any = _Highest()
