"""Things into lines of JSON, column by column, and back.

Things name each other by kind and number, because a variant and its product, or an order line and its variant, must
stay the same thing after the way there and back. The values of one field of some thousand things stand together
under one form, so that reading is a few loops in C per field and not a decision per value: that is what lets a store
of 100,000 orders start in seconds.
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from types import MemberDescriptorType
from typing import Any

ROWS_PER_LINE = 4096
SAMPLE = 64
PLAIN = frozenset({bool, int, float, str})
TEXT = frozenset({str, type(None)})
SEVERAL: tuple[type, ...] = (list, tuple, deque, dict, Counter)
SEVERAL_BY_NAME: dict[str, Callable[[Any], Any]] = {kind.__name__: kind for kind in SEVERAL}
Column = list[Any]
"""A form and what it needs: ``["time", texts]``, ``["thing", kind, numbers]``, ``["many", "list", column, sizes]``."""
Kinds = Mapping[str, type]
Texts = dict[Any, Any]
"""Each text (and None) by itself."""
Elsewhere = Mapping[type, Callable[[Any], str | None]]
KEPT = "kept"
"""``field(..., metadata={KEPT: False})`` is not written and comes back as its default."""
SHARED = "shared"
"""Equal dicts of a ``field(..., metadata={SHARED: True})`` come back as one; nobody may change them in place."""


class ColumnWriter:
    """Turns values into columns; dataclasses are queued and become lines of their own.

    ``elsewhere`` tells, by class, the name of a thing that is kept in another place; None: it is not.
    """

    def __init__(self, kinds: Kinds, elsewhere: Elsewhere | None = None) -> None:
        self._elsewhere = elsewhere or {}
        self._names = {kind: name for name, kind in kinds.items()}
        self._numbers: dict[str, dict[int, int]] = {name: {} for name in kinds}
        self._queues: dict[str, deque[Any]] = {}
        self._whole: dict[type, Callable[[Any], dict[str, Any]]] = {
            dict: lambda value: {"dict": self._pairs(value)},
            Counter: lambda value: {"counter": self._pairs(value)},
            list: lambda value: {"list": self.column(value)},
            tuple: lambda value: {"tuple": self.column(list(value))},
            deque: lambda value: {"deque": self.column(list(value))},
            set: lambda value: {"set": self.column(sorted(value))},
            frozenset: lambda value: {"frozenset": self.column(sorted(value))},
            random.Random: lambda value: {"chance": self.write(value.getstate())},
            datetime: lambda value: {"time": value.isoformat()},
            Decimal: lambda value: {"decimal": str(value)},
        }

    def part(self, value: Any) -> Any:
        """What a part of a store holds. Of things that are kept under a field of theirs only the field is named: a text
        that stands in the file once is one text afterwards. Raises as ``write`` does."""
        name = self._key_field(value) if type(value) is dict else None
        return self.write(value) if name is None else {"keyed": [name, self.column(list(value.values()))]}

    def _key_field(self, value: dict[Any, Any]) -> str | None:
        kinds = set(map(type, value.values()))
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind not in self._names or kind in self._elsewhere:
            return None
        key, first = next(iter(value.items()))
        fields = (field.name for field in dataclasses.fields(first) if getattr(first, field.name) is not None)
        alike = (name for name in fields if type(key) is type(getattr(first, name)) and getattr(first, name) == key)
        return next((name for name in alike if all(getattr(one, name) == key for key, one in value.items())), None)

    def write(self, value: Any) -> Any:
        """One value by itself. Raises TypeError for what has no form: then a store keeps something new."""
        if value is None or type(value) in PLAIN:
            return value
        form = self._whole.get(type(value))
        if form is not None:
            return form(value)
        if type(value) in self._elsewhere and (name := self._elsewhere[type(value)](value)) is not None:
            return {"elsewhere": name}
        return {"thing": [self._name(type(value)), self._refer(value)]}

    def lines(self) -> Iterator[dict[str, Any]]:
        """The things named so far and all that they name, some thousand of one kind a line."""
        while self._queues:
            kind, queue = self._queues.popitem()
            while queue:
                things = [queue.popleft() for _ in range(min(ROWS_PER_LINE, len(queue)))]
                first = self._numbers[kind][id(things[0])]
                yield {"kind": kind, "first": first, "count": len(things), "columns": self._columns(things)}

    def column(self, values: list[Any]) -> Column:
        """Values that stand together, under the narrowest form that fits all of them; None fits every form."""
        kinds = set(map(type, values)) - {type(None)}
        if kinds <= PLAIN:
            return ["same", values[0], len(values)] if _are_the_same(values) else ["plain", values]
        if len(kinds) > 1:
            return ["each", [self.write(value) for value in values]]
        kind = kinds.pop()
        if kind is datetime:
            return ["time", [None if value is None else value.isoformat() for value in values]]
        if kind is Decimal:
            return ["decimal", [None if value is None else str(value) for value in values]]
        if kind in self._elsewhere:
            names = [None if value is None else self._elsewhere[kind](value) for value in values]
            if all(name is not None for name, value in zip(names, values, strict=True) if value is not None):
                return ["elsewhere", names]
            if any(name is not None for name in names):
                return ["each", [self.write(value) for value in values]]
        if kind in self._names:
            return ["thing", self._names[kind], [None if value is None else self._refer(value) for value in values]]
        if kind in (list, dict) and all(map(_is_json, values)):
            return ["plain", values]
        if kind in SEVERAL:
            return self._several(kind, values)
        return ["each", [self.write(value) for value in values]]

    def _columns(self, things: list[Any]) -> dict[str, Column]:
        names = [field.name for field in dataclasses.fields(things[0]) if field.metadata.get(KEPT, True)]
        return {name: self.column([getattr(thing, name) for thing in things]) for name in names}

    def _several(self, kind: type, values: list[Any]) -> Column:
        """Containers: how long each is, and what they hold as one column (tuples of one length: one per place)."""
        sizes = [None if value is None else len(value) for value in values]
        if kind in (dict, Counter):
            keys = self.column([key for value in values for key in value or ()])
            return ["pairs", kind.__name__, keys, self.column([v for d in values if d for v in d.values()]), sizes]
        if kind is tuple and len(set(sizes)) == 1 and sizes[0]:
            return ["places", *(self.column(list(place)) for place in zip(*values, strict=True))]
        return ["many", kind.__name__, self.column([one for value in values for one in value or ()]), sizes]

    def _pairs(self, value: Mapping[Any, Any]) -> list[Column]:
        return [self.column(list(value)), self.column(list(value.values()))]

    def _name(self, kind: type) -> str:
        name = self._names.get(kind)
        if name is None:
            raise TypeError(f"{kind.__module__}.{kind.__qualname__} has no form in a state file")
        return name

    def _refer(self, thing: Any) -> int:
        name = self._name(type(thing))
        numbers = self._numbers[name]
        number = numbers.get(id(thing))
        if number is None:
            number = numbers[id(thing)] = len(numbers)
            self._queues.setdefault(name, deque()).append(thing)
        return number


class ColumnReader:
    """The way back. A thing is there, empty, from the first time that it is named; its line fills it.

    ``find`` gives what is kept in another place; it raises KeyError for what is not there. With ``texts`` equal texts
    of all columns become one, and those that were met are put into it; without it only those of one column do.
    """

    def __init__(self, kinds: Kinds, find: Callable[[str], Any], texts: Texts | None = None) -> None:
        self._kinds = kinds
        self._texts = texts
        self._pools: dict[str, list[Any]] = {name: [] for name in kinds}
        self._filled: Counter[str] = Counter()
        self._decimals: dict[Any, Any] = {}
        self._shared: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._forms: dict[str, Callable[..., Any]] = {
            "plain": self._plain,
            "same": lambda value, count: [value] * count,
            "time": lambda texts: _made_once(datetime.fromisoformat, texts, {}),
            "decimal": lambda texts: _made_once(Decimal, texts, self._decimals),
            "each": lambda data: [self.read(one) for one in data],
            "thing": self._things,
            "elsewhere": lambda names: [None if name is None else find(name) for name in names],
            "many": self._many,
            "pairs": self._dicts,
            "places": lambda *places: list(zip(*map(self.column, places), strict=True)),
        }
        self._whole: dict[str, Callable[[Any], Any]] = {
            "dict": self._pairs,
            "counter": lambda held: Counter(self._pairs(held)),
            "list": self.column,
            "tuple": lambda held: tuple(self.column(held)),
            "deque": lambda held: deque(self.column(held)),
            "set": lambda held: set(self.column(held)),
            "frozenset": lambda held: frozenset(self.column(held)),
            "chance": self._chance,
            "time": datetime.fromisoformat,
            "decimal": Decimal,
            "thing": lambda held: self._pool(held[0], held[1])[held[1]],
            "elsewhere": find,
        }

    def part(self, held: Any) -> Callable[[], Any]:
        """What a part of a store holds, to be asked for once all things that it names have their fields."""
        if isinstance(held, dict) and "keyed" in held:
            name, column = held["keyed"]
            things = self.column(column)
            return lambda: {getattr(one, name): one for one in things}
        value = self.read(held)
        return lambda: value

    def read(self, held: Any) -> Any:
        """One value by itself."""
        if isinstance(held, dict):
            ((form, value),) = held.items()
            return self._whole[form](value)
        return held

    def column(self, held: Column) -> list[Any]:
        """A column's values."""
        values: list[Any] = self._forms[held[0]](*held[1:])
        return values

    def fill(self, line: Mapping[str, Any]) -> None:
        """Give the things of one line their fields. A field that the file does not know gets its default.

        Raises KeyError for a kind that is none of the store's, ValueError for fields or rows that do not fit.
        """
        kind, columns = self._kinds[line["kind"]], line["columns"]
        fields = {field.name: field for field in dataclasses.fields(kind)}
        if unknown := set(columns) - set(fields):
            raise ValueError(f"{line['kind']} has no field {min(unknown)}")
        first, count = line["first"], line["count"]
        things = self._pool(line["kind"], first + count - 1)[first : first + count]
        for name, field in fields.items():
            known = name in columns and field.metadata.get(KEPT, True)
            values = self.column(columns[name]) if known else _defaults(line["kind"], field, count)
            if field.metadata.get(SHARED):
                values = [self._shared.setdefault(tuple(value.items()), value) for value in values]
            if len(values) != count:
                raise ValueError(f"{line['kind']}.{name} has {len(values)} values for {count} things")
            deque(map(_setter(kind, name), things, values), maxlen=0)
        self._filled[line["kind"]] += count

    def check_whole(self) -> None:
        """Raises ValueError when something was named and never told."""
        for name, pool in self._pools.items():
            if len(pool) != self._filled[name]:
                raise ValueError(f"{name}: {len(pool)} are named and {self._filled[name]} are told")

    def _plain(self, values: list[Any]) -> list[Any]:
        return shared_texts(values, self._texts)

    def _pool(self, kind: str, highest: int) -> list[Any]:
        pool, made = self._pools[kind], self._kinds[kind]
        if highest >= len(pool):
            pool.extend([object.__new__(made) for _ in range(highest + 1 - len(pool))])
        return pool

    def _things(self, kind: str, numbers: list[int | None]) -> list[Any]:
        if None in numbers:
            pool = self._pool(kind, max((one for one in numbers if one is not None), default=-1))
            return [None if number is None else pool[number] for number in numbers]
        whole: list[Any] = numbers
        return list(map(self._pool(kind, max(whole, default=-1)).__getitem__, whole))

    def _many(self, kind: str, flat: Column, sizes: list[int | None]) -> list[Any]:
        values, make = iter(self.column(flat)), SEVERAL_BY_NAME[kind]
        return [None if size is None else make(islice(values, size)) for size in sizes]

    def _dicts(self, kind: str, keys: Column, held: Column, sizes: list[int | None]) -> list[Any]:
        pairs, make = zip(self.column(keys), self.column(held), strict=True), SEVERAL_BY_NAME[kind]
        made = (None if size is None else dict(islice(pairs, size)) for size in sizes)
        return list(made) if make is dict else [None if one is None else make(one) for one in made]

    def _pairs(self, held: list[Column]) -> dict[Any, Any]:
        return dict(zip(self.column(held[0]), self.column(held[1]), strict=True))

    def _chance(self, held: Any) -> random.Random:
        chance = random.Random()
        chance.setstate(self.read(held))
        return chance


def _made_once(make: Callable[[str], Any], texts: list[str | None], known: dict[Any, Any]) -> list[Any]:
    """Equal texts become one value: prices repeat, and so do the moments of what happened together."""
    for text in set(texts).difference(known):
        known[text] = None if text is None else make(text)
    return list(map(known.__getitem__, texts))


def shared_texts(values: list[Any], known: Texts | None) -> list[Any]:
    """The same values; a text that is ``known`` is that one, and the others are known from now on. With None only equal
    texts of the column become one.

    A look at the first ones tells whether a column repeats itself, as ids of places do by the thousand: to look each
    up among all texts of a store would take much longer. What is not all texts stays as it is: ``1`` and ``True``
    would become one, and lists cannot be looked up.
    """
    first = values[:SAMPLE]
    if not set(map(type, first)) <= TEXT or not set(map(type, values)) <= TEXT:
        return values
    if len(set(first)) * 2 <= len(first):
        own = (
            {text: text for text in set(values)} if known is None else {t: known.setdefault(t, t) for t in set(values)}
        )
        return list(map(own.__getitem__, values))
    return values if known is None else list(map(known.setdefault, values, values))


def _are_the_same(values: list[Any]) -> bool:
    """Many of one value; ``1`` and ``True`` are not one, and ``0.0`` and ``-0.0`` neither."""
    if len(values) < 2 or isinstance(values[0], float) or len(set(map(type, values))) > 1:
        return False
    return values.count(values[0]) == len(values)


def _is_json(value: Any) -> bool:
    """Whether JSON gives the value back as it is."""
    if value is None or type(value) in PLAIN:
        return True
    if type(value) is dict:
        return all(type(key) is str for key in value) and all(map(_is_json, value.values()))
    return type(value) is list and all(map(_is_json, value))


def _setter(kind: type, name: str) -> Callable[[Any, Any], None]:
    """The slot itself where there is one: it also sets what is frozen, and does so in C."""
    slot = getattr(kind, name, None)
    if isinstance(slot, MemberDescriptorType):
        return slot.__set__
    return partial(_set_plainly, name)


def _set_plainly(name: str, thing: Any, value: Any) -> None:
    object.__setattr__(thing, name, value)


def _defaults(kind: str, field: dataclasses.Field[Any], count: int) -> list[Any]:
    if field.default is not dataclasses.MISSING:
        return [field.default] * count
    if field.default_factory is not dataclasses.MISSING:
        return [field.default_factory() for _ in range(count)]
    raise ValueError(f"{kind}.{field.name} is missing")
