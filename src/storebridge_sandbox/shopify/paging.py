"""Cursor pages and the small search language of ``query:`` arguments."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from storebridge_sandbox.rows_in_order import key_at
from storebridge_sandbox.shopify.engine import Resolver
from storebridge_sandbox.shopify.errors import Refusal

LARGEST_PAGE = 250
TAKE_BULK = "To query larger amounts of data with fewer limits, bulk operations should be used instead."
Row = tuple[str, int, Any]
"""(sort value, number, node)"""
Test = Callable[[Any], bool]
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(slots=True)
class Page:
    """One page of a connection; ``places`` are the (sort value, number) of its nodes."""

    nodes: list[Any]
    places: list[tuple[str, int]]
    has_next: bool
    has_previous: bool

    @property
    def cursors(self) -> list[str]:
        """Made when asked for: most pages inside other pages are never paged on."""
        return [cursor_of(number, value) for value, number in self.places]

    def cursor_at(self, index: int) -> str | None:
        """The cursor of the first (0) or last (-1) node; None on an empty page."""
        if not self.places:
            return None
        value, number = self.places[index]
        return cursor_of(number, value)


@dataclass(frozen=True, slots=True)
class Edge:
    """A node of a page with its cursor."""

    node: Any
    cursor: str


def cursor_of(last_id: int, last_value: str) -> str:
    """The vendor's own form: base64 of ``{"last_id":..,"last_value":..}``."""
    text = json.dumps({"last_id": last_id, "last_value": last_value}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def read_cursor(cursor: str) -> tuple[str, int]:
    """The (value, id) that a page goes on after."""
    try:
        read = json.loads(base64.b64decode(cursor, validate=True))
        return str(read["last_value"]), int(read["last_id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise Refusal(f"Invalid cursor for current pagination sort: {cursor}.", "BAD_REQUEST") from None


_everything = False


@contextmanager
def unbounded() -> Iterator[None]:
    """Inside, a connection without ``first`` or ``last`` gives all of its nodes, as bulk operations have them."""
    global _everything
    _everything = True
    try:
        yield
    finally:
        _everything = False


def page_of(rows: Sequence[Row], args: dict[str, Any], test: Test | None = None) -> Page:
    """Cut a page out of (sort value, number, node) rows, which are in ascending order.

    ``first``/``after``, ``last``/``before`` and ``reverse`` as Shopify has them. With a ``test``, only rows whose node
    passes count, and no more of them are looked at than the page needs.
    """
    first, last = args.get("first"), args.get("last")
    if first is None and last is None:
        if _everything:
            rows = [row for row in rows if test is None or test(row[2])]
            return Page([node for *_, node in rows], [(value, number) for value, number, _ in rows], False, False)
        raise Refusal("you must provide one of first or last", "BAD_REQUEST")
    _check_window(args, first, last)
    if args.get("reverse"):
        rows = rows[::-1]
    start, end = _bounds(rows, args)
    if test is None:
        if first is not None:
            end = min(end, start + first)
        else:
            start = max(start, end - (last or 0))
        return _page(list(rows[start:end]), has_next=end < len(rows), has_previous=start > 0)
    if first is not None:
        chosen = _passing(rows, range(start, end), test, first + 1)
        more = len(chosen) > first or _any_passes(rows, range(end, len(rows)), test)
        return _page(chosen[:first], has_next=more, has_previous=_any_passes(rows, range(start - 1, -1, -1), test))
    size = last or 0
    chosen = _passing(rows, range(end - 1, start - 1, -1), test, size + 1)
    more = len(chosen) > size or _any_passes(rows, range(start - 1, -1, -1), test)
    return _page(chosen[:size][::-1], has_next=_any_passes(rows, range(end, len(rows)), test), has_previous=more)


def _check_window(args: dict[str, Any], first: int | None, last: int | None) -> None:
    """Refuse sizes and combinations that Shopify does not page by."""
    if first is not None and last is not None:
        raise Refusal("providing both first and last is not supported", "BAD_REQUEST")
    if first is not None and args.get("before"):
        raise Refusal("using first with before is not supported", "BAD_REQUEST")
    if last is not None and args.get("after"):
        raise Refusal("using last with after is not supported", "BAD_REQUEST")
    for name, size in (("first", first), ("last", last)):
        if size is not None and size > LARGEST_PAGE:
            raise Refusal(f"{name} cannot exceed {LARGEST_PAGE}. {TAKE_BULK}", "BAD_REQUEST")
        if size is not None and size < 0:
            raise Refusal(f"{name} cannot be negative", "BAD_REQUEST")


def _page(chosen: Sequence[Row], *, has_next: bool, has_previous: bool) -> Page:
    return Page(
        nodes=[node for _, _, node in chosen],
        places=[(value, number) for value, number, _ in chosen],
        has_next=has_next,
        has_previous=has_previous,
    )


def _passing(rows: Sequence[Row], places: range, test: Test, most: int) -> list[Row]:
    """The first so many rows that pass, in the order of ``places``."""
    looked_at = (rows[place] for place in places)
    return list(islice((row for row in looked_at if test(row[2])), most))


def _any_passes(rows: Sequence[Row], places: range, test: Test) -> bool:
    return any(test(rows[place][2]) for place in places)


def _bounds(rows: Sequence[Row], args: dict[str, Any]) -> tuple[int, int]:
    start, end = 0, len(rows)
    backwards = bool(args.get("reverse"))
    if args.get("after"):
        mark = read_cursor(args["after"])
        start = _first_that(rows, lambda key: key < mark if backwards else key > mark)
    if args.get("before"):
        mark = read_cursor(args["before"])
        end = _first_that(rows, lambda key: key <= mark if backwards else key >= mark)
    return start, max(start, end)


def _first_that(rows: Sequence[Row], test: Callable[[tuple[str, int]], bool]) -> int:
    """Where the rows begin that pass; all after one that passes pass, too, for the rows are in order."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if test(key_at(rows, middle)):
            high = middle
        else:
            low = middle + 1
    return low


def _edges(page: Page, _args: dict[str, Any], _call: Any) -> list[Edge]:
    return [Edge(node, cursor) for node, cursor in zip(page.nodes, page.cursors, strict=True)]


RESOLVERS: dict[tuple[str, str], Resolver] = {
    ("Connection", "nodes"): lambda page, _args, _call: page.nodes,
    ("Connection", "edges"): _edges,
    ("Connection", "pageInfo"): lambda page, _args, _call: page,
    ("Edge", "node"): lambda edge, _args, _call: edge.node,
    ("Edge", "cursor"): lambda edge, _args, _call: edge.cursor,
    ("PageInfo", "hasNextPage"): lambda page, _args, _call: page.has_next,
    ("PageInfo", "hasPreviousPage"): lambda page, _args, _call: page.has_previous,
    ("PageInfo", "startCursor"): lambda page, _args, _call: page.cursor_at(0),
    ("PageInfo", "endCursor"): lambda page, _args, _call: page.cursor_at(-1),
    ("Count", "count"): lambda count, _args, _call: count["count"] if isinstance(count, dict) else count,
    ("Count", "precision"): lambda count, _args, _call: count["precision"] if isinstance(count, dict) else "EXACT",
}


# -- search ------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<or>OR\b)|(?P<and>AND\b)|(?P<not>NOT\b)|
    (?P<minus>-)?(?P<field>[\w.]+):(?P<op>>=|<=|>|<)?(?P<value>"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[^\s()]+)|
    (?P<word>"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[^\s()]+))""",
    re.VERBOSE,
)

Values = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Term:
    """``field:value`` or a comparison, with the value as it was written."""

    field: str
    op: str | None
    value: str

    @property
    def equals(self) -> bool:
        """Whether only this very value will do."""
        return self.op is None and not self.value.endswith("*")


@dataclass(frozen=True, slots=True)
class Search:
    """A compiled ``query:``; unknown fields match everything and are named in ``ignored``.

    ``terms`` must all hold; there may be more to the test. An index that knows a term's field finds the candidates.
    """

    test: Test
    ignored: tuple[tuple[str, str], ...]
    terms: tuple[Term, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self.test is _everything_passes


def _everything_passes(_node: Any) -> bool:
    return True


def compile_search(
    text: str | None, fields: dict[str, Values], default: Values | None = None, *, call: Any = None
) -> Search:
    """``field:value``, comparisons, quotes, ``-`` and ``NOT``, ``AND`` (also unwritten), ``OR`` and parentheses.

    With a ``call``, its answer carries a warning for each unknown field, in ``extensions.search``.
    """
    if not text or not text.strip():
        return Search(_everything_passes, ())
    reader = _SearchReader(text, fields, default)
    test = reader.any_of()
    search = Search(test, tuple(reader.ignored), () if reader.either else tuple(reader.terms))
    if call is not None and reader.ignored:
        call.ignored(call.root, text, search)
    return search


class _SearchReader:
    def __init__(self, text: str, fields: dict[str, Values], default: Values | None) -> None:
        self._tokens = [found for found in TOKEN.finditer(text) if found[0].strip()]
        self._at = 0
        self._fields = fields
        self._default = default
        self._depth = 0
        self.ignored: list[tuple[str, str]] = []
        self.terms: list[Term] = []
        self.either = False

    def any_of(self) -> Test:
        tests = [self._all_of()]
        while self._take("or"):
            self.either = self.either or self._depth == 0
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda node: any(test(node) for test in tests)

    def _all_of(self) -> Test:
        tests: list[Test] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token["or"] or token["close"]:
                break
            self._at += 1
            if token["not"]:
                self._depth += 1
                negated = self._next()
                self._depth -= 1
                tests.append(_not(negated))
            elif token["open"]:
                tests.append(self._group())
            elif not token["and"]:
                tests.append(self._term(token))
        return lambda node: all(test(node) for test in tests)

    def _next(self) -> Test:
        """The term or group that a NOT stands before; at the end of the text, nothing."""
        if self._at >= len(self._tokens):
            return lambda _node: False
        token = self._tokens[self._at]
        self._at += 1
        return self._group() if token["open"] else self._term(token)

    def _group(self) -> Test:
        self._depth += 1
        test = self.any_of()
        self._depth -= 1
        self._take("close")
        return test

    def _take(self, kind: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][kind]:
            self._at += 1
            return True
        return False

    def _term(self, token: re.Match[str]) -> Test:
        if not token["field"]:
            word = _bare(token["word"] or "").lower().rstrip("*")
            default = self._default
            if default is None:
                return lambda _node: True
            return lambda node: word in str(default(node)).lower()
        values = self._fields.get(token["field"])
        if values is None:
            if all(name != token["field"] for name, _ in self.ignored):
                self.ignored.append((token["field"], _bare(token["value"])))
            return lambda _node: True
        test = _comparison(token["op"], _bare(token["value"]))
        negative = bool(token["minus"])
        if not negative and self._depth == 0:
            self.terms.append(Term(token["field"], token["op"], _bare(token["value"])))
        return lambda node: test(values(node)) is not negative


def _not(test: Test) -> Test:
    return lambda node: not test(node)


def _bare(text: str) -> str:
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _comparison(op: str | None, wanted: str) -> Callable[[Any], bool]:
    if op is None and wanted == "*":
        return lambda value: value not in (None, "", [], ())
    if op is None:
        return lambda value: _equal(value, wanted)
    compare: dict[str, Callable[[Any, Any], bool]] = {
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
    }

    def test(value: Any) -> bool:
        if isinstance(value, list | tuple):
            return any(test(one) for one in value)
        return value is not None and compare[op](*_alike(value, wanted))

    return test


def _equal(value: Any, wanted: str) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_equal(one, wanted) for one in value)
    if value is None:
        return False
    if isinstance(value, (int, datetime, Decimal)):
        mine, other = _alike(value, wanted)
        return bool(mine == other)
    if wanted.endswith("*"):
        return str(value).lower().startswith(wanted[:-1].lower())
    return str(value).lower() == wanted.lower()


def _alike(value: Any, wanted: str) -> tuple[Any, Any]:
    try:
        if isinstance(value, datetime):
            moment = datetime.fromisoformat(wanted)
            return value, moment if moment.tzinfo else moment.replace(tzinfo=value.tzinfo)
        if isinstance(value, int):
            return value, int(wanted.rpartition("/")[2])
        if isinstance(value, Decimal) or (NUMBER.fullmatch(str(value)) and NUMBER.fullmatch(wanted)):
            return Decimal(str(value)), Decimal(wanted)
    except (ValueError, InvalidOperation):
        raise Refusal(f"Invalid search value: {wanted}", "BAD_REQUEST") from None
    return str(value), wanted
