"""Both stores in a file, so that a restart finds the goods, the orders and the subscriptions that were there.

Lines of JSON: a head; blocks of what sleeps (``sleeping.py``); the values that lists are sorted by; a list of where
those lie; then things and attributes in turn (``state_columns.py`` has their form); and an end, which says where that
list begins. So a start reads what lies behind the blocks, and the rest when somebody asks for it. The file must not be
written by anybody else meanwhile.
"""

from __future__ import annotations

import random
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from storebridge_sandbox.collecting import without_collecting
from storebridge_sandbox.sleeping import Block, Records, Sleepers, only_looking
from storebridge_sandbox.state_columns import ColumnReader, ColumnWriter, Texts, shared_texts
from storebridge_sandbox.state_parts import KINDS, Kept, kept_of_shopify, kept_of_wix
from storebridge_sandbox.wix.settings import WixOptions

if TYPE_CHECKING:
    from storebridge_sandbox.app import Stores

FORM = 7
"""Raised when a field means something else than before: a file of an earlier form is refused, not misread."""
LONGEST_END = 200
Place = tuple[int, int]
"""Where a line begins, and how long it is, in bytes."""


class StateUnreadable(ValueError):
    """The file holds no state of these stores; the message says why."""


def save_state(stores: Stores, path: Path, *, seed: int) -> None:
    """Write both stores; the file is whole or the old one stays. Raises OSError."""
    head = {
        "storebridge_sandbox_state": FORM,
        "seed": seed,
        "wix_catalog": stores.wix.options.catalog,
        "wix_currency": stores.wix.options.currency,
        "webhook_url": stores.wix.options.webhook_url,
    }
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file, only_looking():
        _Save(file).all(head, _kept(stores))
    unfinished.replace(path)


def load_state(stores: Stores, path: Path, *, seed: int) -> None:
    """Fill both empty stores. Raises OSError, and StateUnreadable for a file that is none or of other stores.

    The address of Wix's webhooks is what was typed into its dashboard, unless another one is given now.
    """
    options = stores.wix.options
    file = StateText(path)
    try:
        with without_collecting():
            head = _decoded(file.first())
            _check(head, seed, options)
            _Load(file, _kept(stores)).all()
        if head["webhook_url"] != options.webhook_url:
            stores.wix.notices.address = options.webhook_url
    except StateUnreadable:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        raise StateUnreadable(f"it holds no sandbox state ({type(error).__name__}: {error})") from error


def _kept(stores: Stores) -> dict[str, Kept]:
    return {"shopify": kept_of_shopify(stores.shopify), "wix": kept_of_wix(stores.wix)}


def _check(head: Any, seed: int, options: WixOptions) -> None:
    if not isinstance(head, dict) or head.get("storebridge_sandbox_state") != FORM:
        raise StateUnreadable("it holds no sandbox state of this version")
    if head["seed"] != seed:
        raise StateUnreadable(f"its stores were made with --seed {head['seed']}, which their credentials come from")
    if head["wix_catalog"] != options.catalog:
        raise StateUnreadable(f"its Wix site has --wix-catalog {head['wix_catalog']}")
    if head["wix_currency"] != options.currency:
        raise StateUnreadable(f"its Wix site has --wix-currency {head['wix_currency']}")


class StateText:
    """A state file that stays open for what sleeps in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")

    def __del__(self) -> None:
        self._file.close()

    def first(self) -> bytes:
        return self._file.readline()

    def line(self, place: Place) -> bytes:
        """One line. Raises ValueError where none stands."""
        self._file.seek(place[0])
        line = self._file.read(place[1])
        if len(line) != place[1] or not line.endswith(b"\n"):
            raise ValueError(f"no line of {place[1]} bytes begins at byte {place[0]}")
        return line

    def awake(self) -> Iterator[dict[str, Any]]:
        """The lines from the list of what sleeps to the end. Raises ValueError for a file that was cut off."""
        with self._path.open("rb") as file:  # of its own: what is told may wake something on the way
            file.seek(max(0, file.seek(0, 2) - LONGEST_END))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
            try:
                begins = msgspec.json.decode(last)["end"]
            except (msgspec.DecodeError, KeyError, TypeError):
                raise ValueError("it ends too early") from None
            file.seek(begins)
            for line in file:
                told = _decoded(line)
                if "end" not in told:
                    yield told


class _Save:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0

    def all(self, head: dict[str, Any], kept: Mapping[str, Kept]) -> None:
        self._write(head)
        asleep = {name: self._asleep(one) for name, one in kept.items()}
        begins = self._at
        self._write({"asleep": asleep})
        for name, one in kept.items():
            for line in self._awake(one):
                self._write({"store": name, **line})
        self._write({"end": begins})

    def _write(self, line: Any) -> Place:
        return self._write_raw(msgspec.json.encode(line) + b"\n")

    def _write_raw(self, line: bytes) -> Place:
        self._file.write(line)
        self._at += len(line)
        return self._at - len(line), len(line)

    def _asleep(self, kept: Kept) -> dict[str, Any]:
        told: dict[str, Any] = {"blocks": {}, "names": {}, "rows": {}, "owners": {}}
        for path in kept.asleep:
            told["blocks"][path], told["names"][path] = self._blocks(kept, kept.part(path))
        for name, rows in kept.all_rows().items():
            told["rows"][name] = self._write([_packed(column) for column in rows.told()])
        if kept.register is not None:
            told["owners"] = {
                kind: self._write([_packed(column) for column in owners])
                for kind, owners in kept.register.told().items()
            }
        return told

    def _blocks(self, kept: Kept, held: Sleepers[Any] | Records[Any]) -> tuple[list[tuple[int, ...]], list[str]]:
        """(begins, bytes, things) of each block, and the names of all things."""
        places: list[tuple[int, ...]] = []
        all_names: list[str] = []
        for names, part in held.parts() if isinstance(held, Sleepers) else (([], part) for part in held.parts()):
            all_names += names
            if isinstance(part, Block):
                places.append((*self._write_raw(part.raw()), part.count))
            elif part:
                writer = ColumnWriter(KINDS, kept.of_sleepers)
                block = {"things": writer.column(part), "lines": list(writer.lines())}
                places.append((*self._write(block), len(part)))
        return places, all_names

    def _awake(self, kept: Kept) -> Iterator[dict[str, Any]]:
        """The lines of one store: after each attribute the things that it named."""
        writer = ColumnWriter(KINDS, kept.of_parts)
        for part, names in kept.parts.items():
            for name in names:
                yield {"part": part, "name": name, "value": writer.part(getattr(kept.part(part), name))}
                yield from writer.lines()


class _Load:
    def __init__(self, file: StateText, kept: Mapping[str, Kept]) -> None:
        self._file = file
        self._kept = kept

    def all(self) -> None:
        lines = self._file.awake()
        asleep = next(lines)["asleep"]
        texts: Texts = {}  # ids stand in things, in what finds them, and among what sleeps
        for name, kept in self._kept.items():
            self._lie_down(kept, asleep[name], texts)
        self._take_out(lines, texts)
        texts.clear()  # readers hold it, and are held by their own methods: it would stay for good
        for name, kept in self._kept.items():
            for path, rows in kept.all_rows().items():
                rows.restore(partial(self._columns, asleep[name]["rows"][path]))
            for places in asleep[name]["blocks"].values():
                for begins, length, _ in places[:1]:  # a file of other classes is refused now, not at some request
                    _things(self._decoded((begins, length)), kept.find)

    def _decoded(self, place: Place) -> Any:
        return _decoded(self._file.line(place))

    def _columns(self, place: Place) -> Any:
        return tuple(map(_unpacked, self._decoded(place)))

    def _lie_down(self, kept: Kept, told: Mapping[str, Any], texts: Texts) -> None:
        all_names = {path: shared_texts(names, texts) for path, names in told["names"].items()}
        for path in kept.asleep:
            held, names = kept.part(path), all_names[path]
            blocks = [self._block(kept, (begins, length), count) for begins, length, count in told["blocks"][path]]
            if isinstance(held, Sleepers):
                held.lie_down(names, blocks)
            else:
                held.lie_down(blocks)
        if kept.register is not None:
            owners = {kind: partial(self._columns, place) for kind, place in told["owners"].items()}
            kept.register.restore(all_names["orders.orders"], owners)

    def _block(self, kept: Kept, place: Place, count: int) -> Block[Any]:
        return Block(count, lambda: _things(self._decoded(place), kept.find), lambda: self._file.line(place))

    def _take_out(self, lines: Iterator[dict[str, Any]], texts: Texts) -> None:
        readers = {name: ColumnReader(KINDS, kept.find, texts) for name, kept in self._kept.items()}
        missing = {
            (name, part, one) for name, kept in self._kept.items() for part in kept.parts for one in kept.parts[part]
        }
        put: Callable[[], None] = _nothing
        for line in lines:
            kept, reader = self._kept[line["store"]], readers[line["store"]]
            if "kind" in line:
                reader.fill(line)
                continue
            put()  # all that it names has come
            missing.discard((line["store"], line["part"], line["name"]))
            if line["name"] not in kept.parts[line["part"]]:
                raise ValueError(f"another version wrote it: {line['part']} has no {line['name']} any more")
            put = partial(_put, kept.part(line["part"]), line["name"], reader.part(line["value"]))
        put()
        if missing:
            store, part, name = min(missing)
            raise ValueError(f"another version wrote it: it knows no {name} of {store}'s {part}")
        for reader in readers.values():
            reader.check_whole()


def _things(block: Mapping[str, Any], find: Callable[[str], Any]) -> list[Any]:
    """What sleeps in a block. Raises as a reader of columns does."""
    reader = ColumnReader(KINDS, find)
    things = reader.column(block["things"])
    for line in block["lines"]:
        reader.fill(line)
    reader.check_whole()
    return things


def _packed(column: list[Any] | array[int]) -> Any:
    """Numbers as their bytes, lowest first, in base64: to read 100,000 from text takes longer than a page may."""
    if isinstance(column, list):
        return column
    numbers = array(column.typecode, column)
    if sys.byteorder == "big":
        numbers.byteswap()
    return {numbers.typecode: b64encode(numbers.tobytes()).decode()}


def _unpacked(told: Any) -> list[Any] | array[int]:
    if isinstance(told, list):
        return told
    ((typecode, text),) = told.items()
    numbers = array(typecode, b64decode(text))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _decoded(line: bytes) -> Any:
    return msgspec.json.decode(line)


def _nothing() -> None:
    """Before the first attribute."""


def _put(owner: object, name: str, made: Callable[[], Any]) -> None:
    """Containers are filled in place: other parts of the store hold the same ones."""
    value = made()
    if isinstance(getattr(type(owner), name, None), property):
        setattr(owner, name, value)
        return
    old = getattr(owner, name)
    if isinstance(old, dict | set):
        old.clear()
        old.update(value)
    elif isinstance(old, list):
        old[:] = value
    elif isinstance(old, random.Random):
        old.setstate(value.getstate())
    else:
        setattr(owner, name, value)
