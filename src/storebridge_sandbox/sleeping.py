"""Things that lie in the state file until somebody needs them: a large store then starts at once and stays small.

A block of some hundred is read at a time. Whoever only looks (``only_looking``) gets things that are forgotten again
when others are looked at; whatever anybody else asks for may be changed, so it stays awake from then on. A thing is the
same object for all who have it, as long as nobody changes what they were only to look at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, ItemsView, Iterator, MutableMapping, Sequence, ValuesView
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import Generic, TypeVar, overload

T = TypeVar("T")
PER_BLOCK = 128
RECORDS_PER_BLOCK = 1024
AWAKE_BLOCKS = 10
"""So many blocks of one kind are remembered for those who only look."""
_looking: ContextVar[bool] = ContextVar("looking", default=False)


@contextmanager
def only_looking(yes: bool = True) -> Iterator[None]:
    """Inside, nothing that is asked for is changed. ``yes`` false takes it back for what is done inside of that."""
    before = _looking.set(yes)
    try:
        yield
    finally:
        _looking.reset(before)


@dataclass(slots=True)
class Block(Generic[T]):
    """Things that lie together in a file; ``raw`` gives their line as it stands there."""

    count: int
    read: Callable[[], list[T]]
    raw: Callable[[], bytes]


class Recent(Generic[T]):
    """What was read last, by number."""

    def __init__(self) -> None:
        self._held: OrderedDict[int, T] = OrderedDict()

    def get(self, number: int, read: Callable[[int], T]) -> T:
        found = self._held.get(number)
        if found is None:
            found = self._held[number] = read(number)
            if len(self._held) > AWAKE_BLOCKS:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(number)
        return found


class Sleepers(MutableMapping[str, T]):
    """Behaves as a dict of things by name. ``values()`` and ``items()`` only look: ask for what you change by name."""

    def __init__(self) -> None:
        self._things: dict[str, T | int] = {}
        self.lie_down([], [])

    # -- in the file ---------------------------------------------------------------------------------------

    def lie_down(self, names: list[str], blocks: list[Block[T]]) -> None:
        """These things and no others, asleep, in the order of their blocks. Raises ValueError when they do not fit."""
        ends = list(accumulate((block.count for block in blocks), initial=0))
        self._blocks = blocks
        self._names = [names[start:end] for start, end in pairwise(ends)]
        self._recent: Recent[dict[str, T]] = Recent()
        self._woken: dict[str, int] = {}
        self._spoilt: set[int] = set()
        self._things.clear()
        for number, mine in enumerate(self._names):
            self._things.update(dict.fromkeys(mine, number))
        if not len(self._things) == len(names) == ends[-1]:
            raise ValueError(f"{len(names)} names are told for {ends[-1]} things that are asleep")

    def parts(self) -> Iterator[tuple[list[str], Block[T] | list[T]]]:
        """Everything in order, with the names: blocks that nobody touched, and things."""
        for number, block in enumerate(self._blocks):
            names = self._names[number]
            if number in self._spoilt:
                names = [name for name in names if self._home(name) == number]
                yield names, [self.seen(name) for name in names]
            else:
                yield names, block
        new = [name for name in self._things if self._home(name) is None]
        for start in range(0, len(new), PER_BLOCK):
            names = new[start : start + PER_BLOCK]
            yield names, [self.seen(name) for name in names]

    def is_asleep(self, name: str) -> bool:
        return isinstance(self._things.get(name), int)

    def changed(self, name: str, thing: T) -> None:
        """The thing was changed: it stays awake, whoever it was that looked at it first."""
        held = self._things.get(name)
        if isinstance(held, int):
            self._wake(name, held, thing)

    def _home(self, name: str) -> int | None:
        """The block that a thing lies in or came from."""
        held = self._things.get(name)
        return held if isinstance(held, int) else self._woken.get(name)

    def _asleep(self, number: int) -> dict[str, T]:
        return self._recent.get(number, self._read)

    def _read(self, number: int) -> dict[str, T]:
        return dict(zip(self._names[number], self._blocks[number].read(), strict=True))

    def _wake(self, name: str, number: int, thing: T) -> None:
        self._things[name] = thing
        self._woken[name] = number
        self._spoilt.add(number)

    # -- as a dict -----------------------------------------------------------------------------------------

    def seen(self, name: str) -> T:
        """To be looked at and not changed; raises KeyError."""
        held = self._things[name]
        return self._asleep(held)[name] if isinstance(held, int) else held

    def __getitem__(self, name: str) -> T:
        held = self._things[name]
        if not isinstance(held, int):
            return held
        thing = self._asleep(held)[name]
        if not _looking.get():
            self._wake(name, held, thing)
        return thing

    def __setitem__(self, name: str, thing: T) -> None:
        held = self._things.get(name)
        if isinstance(held, int):
            self._wake(name, held, thing)
        self._things[name] = thing

    def __delitem__(self, name: str) -> None:
        held = self._things.pop(name)
        number = held if isinstance(held, int) else self._woken.pop(name, None)
        if number is not None:
            self._spoilt.add(number)

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def values(self) -> ValuesView[T]:
        return _Values(self)

    def items(self) -> ItemsView[str, T]:
        return _Items(self)

    def in_order(self) -> InOrder[T]:
        """The things as a sequence."""
        return InOrder(self)


class _Values(ValuesView[T]):
    def __init__(self, things: Sleepers[T]) -> None:
        super().__init__(things)
        self._things = things

    def __iter__(self) -> Iterator[T]:
        return map(self._things.seen, self._things)


class _Items(ItemsView[str, T]):
    def __init__(self, things: Sleepers[T]) -> None:
        super().__init__(things)
        self._things = things

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return ((name, self._things.seen(name)) for name in self._things)


class InOrder(Sequence[T]):
    """Things in the order in which they came; going through them only looks, one by its place is asked for by name."""

    def __init__(self, things: Sleepers[T]) -> None:
        self._things = things

    def __len__(self) -> int:
        return len(self._things)

    def __iter__(self) -> Iterator[T]:
        return iter(self._things.values())

    def __reversed__(self) -> Iterator[T]:
        return map(self._things.seen, reversed(self._things))

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> list[T]: ...

    def __getitem__(self, place: int | slice) -> T | list[T]:
        names = list(self._things)[place]
        return self._things[names] if isinstance(names, str) else [self._things[name] for name in names]


class Records(Sequence[T]):
    """A list that only grows, of things that never change: what came before lies in the file."""

    def __init__(self) -> None:
        self.lie_down([])

    def lie_down(self, blocks: list[Block[T]]) -> None:
        """These and no others."""
        self._blocks = blocks
        self._ends = list(accumulate(block.count for block in blocks))
        self._recent: Recent[list[T]] = Recent()
        self._new: list[T] = []

    def append(self, record: T) -> None:
        self._new.append(record)

    def parts(self) -> Iterator[Block[T] | list[T]]:
        """Everything in order: blocks, and what came since. A last block that is not full is written anew."""
        blocks, new = self._blocks, self._new
        if new and blocks and blocks[-1].count < RECORDS_PER_BLOCK:
            blocks, new = blocks[:-1], blocks[-1].read() + new
        yield from blocks
        for start in range(0, len(new), RECORDS_PER_BLOCK):
            yield new[start : start + RECORDS_PER_BLOCK]

    def __len__(self) -> int:
        return (self._ends[-1] if self._ends else 0) + len(self._new)

    def __iter__(self) -> Iterator[T]:
        for block in self._blocks:
            yield from block.read()
        yield from self._new

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> list[T]: ...

    def __getitem__(self, place: int | slice) -> T | list[T]:
        if not isinstance(place, slice):
            return self._at(range(len(self))[place])
        start, end, step = place.indices(len(self))
        if start >= len(self) - len(self._new) and step == 1:
            asleep = len(self) - len(self._new)
            return self._new[start - asleep : max(0, end - asleep)]
        if (start, step) == (0, 1):
            return list(islice(self, end))
        return [self._at(one) for one in range(start, end, step)]

    def _at(self, place: int) -> T:
        asleep = len(self) - len(self._new)
        if place >= asleep:
            return self._new[place - asleep]
        number = bisect_right(self._ends, place)
        records = self._recent.get(number, lambda number: self._blocks[number].read())
        return records[place - self._ends[number]]  # counted from the block's end
