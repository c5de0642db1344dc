"""Wix's query language: filters, sorts, cursors and offsets over rows of any resource.

A resource declares its fields; what it does not declare is refused as the vendor refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from storebridge_sandbox.wix.wire import (
    WixRefusal,
    application_error,
    decode_token,
    encode_token,
    read_date,
    validation_error,
)

Kind = Literal["text", "moment", "number", "flag", "list"]
Condition = Callable[[Any], bool]

EQUALITY = frozenset({"$eq", "$ne", "$in", "$nin", "$exists"})
ORDERING = EQUALITY | {"$lt", "$lte", "$gt", "$gte"}
TEXT = ORDERING | {"$startsWith", "$endsWith", "$contains", "$isEmpty"}
LISTS = frozenset({"$hasSome", "$hasAll", "$isEmpty", "$exists"})
OPERATORS = TEXT | LISTS
SEVERAL = frozenset({"$in", "$nin", "$hasSome", "$hasAll"})
DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Field:
    """A filterable field; ``read`` takes a row, moments are milliseconds since 1970."""

    read: Callable[[Any], Any]
    kind: Kind = "text"
    operators: frozenset[str] = EQUALITY
    sortable: bool = False


@dataclass(slots=True)
class Question:
    """A query that was understood. ``wanted`` are the values that a top-level ``$eq`` or ``$in`` asks for, ``bounds``
    the moments between which a top-level ``$gt``, ``$gte``, ``$lt`` and ``$lte`` leave a field (None: no bound)."""

    filter: dict[str, Any]
    sort: list[tuple[str, bool]]
    limit: int
    offset: int = 0
    after: list[Any] | None = None
    backwards: bool = False
    search: dict[str, Any] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)
    wanted: dict[str, list[Any]] = field(default_factory=dict)
    bounds: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)

    def matches(self, row: Any) -> bool:
        return all(condition(row) for condition in self.conditions)


@dataclass(slots=True)
class Page:
    """Some rows, the cursors to their neighbours, and everything that matched."""

    rows: list[Any]
    next: str | None
    total: int
    prev: str | None = None
    found: list[Any] = field(default_factory=list)

    def metadata(self, *, has_next: bool = True) -> dict[str, Any]:
        """``{"count", "cursors", "hasNext"}``; some resources declare no ``hasNext``."""
        cursors = {name: cursor for name, cursor in (("next", self.next), ("prev", self.prev)) if cursor}
        told: dict[str, Any] = {"count": len(self.rows), "cursors": cursors}
        if has_next:
            told["hasNext"] = self.next is not None
        return told


class Language:
    """The query language of one resource.

    ``tie`` orders rows that the sort leaves equal, and is the default order; it must be unique per row.
    """

    def __init__(
        self,
        fields: Mapping[str, Field],
        *,
        tie: Callable[[Any], Any],
        default_limit: int,
        most: int,
        default_sort: Sequence[tuple[str, bool]] = (),
        name: str = "query",
        searchable: Sequence[str] = (),
    ) -> None:
        self._fields = fields
        self._tie = tie
        self._default_limit = default_limit
        self._most = most
        self._default_sort = list(default_sort)
        self._name = name
        self._searchable = tuple(searchable)

    def read(self, query: Mapping[str, Any]) -> Question:
        """Understand a query object; raises WixRefusal."""
        paging = _object(query.get("cursorPaging"), f"{self._name}.cursorPaging")
        offset_paging = _object(query.get("paging"), f"{self._name}.paging")
        cursor = paging.get("cursor")
        if cursor:
            return self._continued(query, str(cursor), paging)
        limit = self._limit(paging.get("limit", offset_paging.get("limit")))
        raw_filter = _object(query.get("filter"), f"{self._name}.filter")
        question = Question(raw_filter, self._sort(query.get("sort")), limit)
        question.search = _object(query.get("search"), f"{self._name}.search")
        question.offset = _whole(offset_paging.get("offset") or 0, f"{self._name}.paging.offset")
        self._compile(question)
        return question

    def reader(self, name: str) -> Callable[[Any], Any]:
        """Reads a declared field off a row; raises WixRefusal."""
        declared = self._fields.get(name)
        if declared is None:
            raise application_error(400, "UNSUPPORTED_FILTER_FIELD_UNKNOWN", f"Field '{name}' is not declared")
        return declared.read

    def page(self, question: Question, rows: Iterable[Any]) -> Page:
        """The rows that match, in order, one page of them."""
        found = [row for row in rows if question.matches(row)]
        found.sort(key=self._tie, reverse=bool(question.sort and question.sort[-1][1]))
        for name, descending in reversed(question.sort):
            read = self._fields[name].read
            found.sort(key=lambda row, read=read: _rank(read(row)), reverse=descending)  # type: ignore[misc]
        start, end = self._span(question, found)
        rows_of_page = found[start:end]
        following = self.cursor(question, rows_of_page[-1]) if rows_of_page and end < len(found) else None
        before = self.cursor(question, rows_of_page[0], backwards=True) if rows_of_page and start else None
        return Page(rows_of_page, following, len(found), before, found)

    def count(self, question: Question, rows: Iterable[Any]) -> int:
        """How many rows match."""
        return sum(1 for row in rows if question.matches(row))

    def field_of(self, path: str) -> Field:
        """What aggregations read; raises WixRefusal for a field that nobody declares."""
        declared = self._fields.get(path)
        if declared is None:
            raise application_error(400, "UNSUPPORTED_FILTER_FIELD_UNKNOWN", f"Field '{path}' cannot be aggregated")
        return declared

    def _span(self, question: Question, found: list[Any]) -> tuple[int, int]:
        if question.after is None:
            return question.offset, min(question.offset + question.limit, len(found))
        if question.backwards:
            end = self._first_after(question, found, inclusive=True)
            return max(0, end - question.limit), end
        start = self._first_after(question, found)
        return start, min(start + question.limit, len(found))

    def _continued(self, query: Mapping[str, Any], cursor: str, paging: Mapping[str, Any]) -> Question:
        if query.get("filter") or query.get("sort") or query.get("search"):
            raise validation_error(f"{self._name}.cursorPaging", "filter and sort come with the cursor", "OTHER")
        try:
            held = msgspec.json.decode(decode_token(cursor), type=_Cursor)
            if any(name not in self._fields for name, _ in held.s):
                raise ValueError("a cursor of another resource")
        except (ValueError, msgspec.MsgspecError) as error:
            raise validation_error(f"{self._name}.cursorPaging.cursor", "is not a valid cursor", "OTHER") from error
        question = Question(held.f, held.s, self._limit(paging.get("limit") or held.n), after=held.k)
        question.backwards, question.search = held.b, held.t
        self._compile(question)
        return question

    def cursor(self, question: Question, edge: Any, *, backwards: bool = False) -> str:
        """Leads on after a row, or back before it."""
        keys = [self._fields[name].read(edge) for name, _ in question.sort]
        held = _Cursor(
            question.filter, question.sort, question.limit, [*keys, self._tie(edge)], backwards, question.search
        )
        return encode_token(msgspec.json.encode(held))

    def _first_after(self, question: Question, found: list[Any], *, inclusive: bool = False) -> int:
        """The first row after the one that the cursor remembers, which may be gone; or that one itself."""
        after = question.after or []
        descending = [down for _, down in question.sort]
        descending.append(descending[-1] if descending else False)
        for number, row in enumerate(found):
            keys = [*(self._fields[name].read(row) for name, _ in question.sort), self._tie(row)]
            if comes_after(keys, after, descending) or (inclusive and keys == after):
                return number
        return len(found)

    def _limit(self, limit: Any) -> int:
        if limit is None:
            return self._default_limit
        number = _whole(limit, f"{self._name}.cursorPaging.limit")
        if number > self._most:
            raise validation_error(
                f"{self._name}.cursorPaging.limit",
                f"must be less than or equal to {self._most}",
                "MAX",
                {"threshold": self._most},
            )
        return number or self._default_limit

    def _sort(self, sort: Any) -> list[tuple[str, bool]]:
        if not sort:
            return list(self._default_sort)
        if not isinstance(sort, list):
            raise validation_error(f"{self._name}.sort", "must be a list", "FORMAT")
        return [self._sorting(_object(entry, f"{self._name}.sort")) for entry in sort]

    def _sorting(self, entry: Mapping[str, Any]) -> tuple[str, bool]:
        name, order = str(entry.get("fieldName", "")), entry.get("order") or "ASC"
        declared = self._fields.get(name)
        if declared is None or not declared.sortable:
            raise application_error(400, "UNSUPPORTED_SORT_FIELD", f"Field '{name}' is not declared as sortable")
        if order not in ("ASC", "DESC"):
            raise validation_error(f"{self._name}.sort.order", "must be ASC or DESC", "INVALID_ENUM_VALUE")
        return name, order == "DESC"

    # -- filters -------------------------------------------------------------------------------------------

    def _compile(self, question: Question) -> None:
        for name, asked in question.filter.items():
            question.conditions.append(self._condition(name, asked, 0))
            values = _wanted(asked)
            if values is not None and name in self._fields and self._fields[name].kind != "moment":
                question.wanted[name] = values
            if name in self._fields and self._fields[name].kind == "moment" and isinstance(asked, dict):
                question.bounds[name] = _bounds(asked)
        if question.search.get("expression"):
            question.conditions.append(self._words(question.search))

    def _words(self, search: Mapping[str, Any]) -> Condition:
        """Free text: words anywhere in the searchable fields, any of them or (mode AND) all."""
        expression, mode = search["expression"], search.get("mode") or "OR"
        names = search.get("fields") or self._searchable
        if not isinstance(expression, str) or mode not in ("OR", "AND") or not isinstance(names, list | tuple):
            raise validation_error(f"{self._name}.search", "is not a search", "FORMAT")
        unknown = [name for name in names if name not in self._searchable]
        if unknown:
            raise application_error(400, "UNSUPPORTED_SEARCH_FIELD", f"Field '{unknown[0]}' cannot be searched")
        words = expression.lower().split()
        together = all if mode == "AND" else any

        def matches(row: Any) -> bool:
            texts = [str(self._fields[name].read(row) or "").lower() for name in names]
            return together(any(word in text for text in texts) for word in words)

        return matches

    def _condition(self, name: str, asked: Any, depth: int) -> Condition:
        if depth > DEEPEST:
            raise application_error(400, "MALFORMED_FILTER", "The filter is nested too deeply")
        if name in ("$and", "$or"):
            parts = [self._all_of(part, depth + 1) for part in _list(asked, name)]
            together = all if name == "$and" else any
            return lambda row: together(part(row) for part in parts)
        if name == "$not":
            inner = [self._all_of(part, depth + 1) for part in (asked if isinstance(asked, list) else [asked])]
            return lambda row: not any(part(row) for part in inner)
        declared = self._fields.get(name)
        if declared is None:
            raise application_error(
                400, "UNSUPPORTED_FILTER_FIELD_UNKNOWN", f"Field '{name}' is not declared as filterable"
            )
        tests = [self._test(name, declared, operator, value) for operator, value in _operations(asked).items()]
        return lambda row: all(test(declared.read(row)) for test in tests)

    def _all_of(self, part: Any, depth: int) -> Condition:
        conditions = [self._condition(name, asked, depth) for name, asked in _object(part, "filter").items()]
        return lambda row: all(condition(row) for condition in conditions)

    def _test(self, name: str, declared: Field, operator: str, value: Any) -> Callable[[Any], bool]:
        if operator not in OPERATORS:
            raise application_error(400, "MALFORMED_FILTER", f"Unknown operator '{operator}'")
        if operator not in declared.operators:
            raise application_error(
                400, "UNSUPPORTED_FILTER_OPERATOR", f"Field '{name}' does not support operator '{operator}'"
            )
        if operator in ("$exists", "$isEmpty"):
            if not isinstance(value, bool):
                raise _wrong_value(name, operator)
            return TESTS[operator](value)
        if operator in SEVERAL:
            values = [_value(name, declared, operator, one) for one in _list(value, operator)]
            return TESTS[operator](values)
        return TESTS[operator](_value(name, declared, operator, value))


class _Cursor(msgspec.Struct):
    f: dict[str, Any]
    s: list[tuple[str, bool]]
    n: int
    k: list[Any]
    b: bool = False
    t: dict[str, Any] = {}


TESTS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "$eq": lambda value: lambda held: held == value,
    "$ne": lambda value: lambda held: held != value,
    "$lt": lambda value: lambda held: held is not None and held < value,
    "$lte": lambda value: lambda held: held is not None and held <= value,
    "$gt": lambda value: lambda held: held is not None and held > value,
    "$gte": lambda value: lambda held: held is not None and held >= value,
    "$in": lambda values: frozenset(values).__contains__,
    "$nin": lambda values: lambda held: held not in values,
    "$exists": lambda value: lambda held: (held is not None) == value,
    "$isEmpty": lambda value: lambda held: (not held) == value,
    "$startsWith": lambda value: lambda held: held is not None and held.startswith(value),
    "$endsWith": lambda value: lambda held: held is not None and held.endswith(value),
    "$contains": lambda value: lambda held: held is not None and value in held,
    "$hasSome": lambda values: lambda held: any(value in (held or ()) for value in values),
    "$hasAll": lambda values: lambda held: all(value in (held or ()) for value in values),
}


def _operations(asked: Any) -> dict[str, Any]:
    if isinstance(asked, dict) and asked:
        return asked
    if isinstance(asked, (dict, list)):
        raise application_error(400, "MALFORMED_FILTER", "A field is compared with an object or a list")
    return {"$eq": asked}


def _wanted(asked: Any) -> list[Any] | None:
    if not isinstance(asked, dict):
        return [asked]
    if "$eq" in asked:
        return [asked["$eq"]]
    return list(asked["$in"]) if "$in" in asked else None


def _bounds(asked: dict[str, Any]) -> tuple[int | None, int | None]:
    """The moments were read before: they are good."""
    low = [read_date(asked[operator]) for operator in ("$gt", "$gte") if operator in asked]
    high = [read_date(asked[operator]) for operator in ("$lt", "$lte") if operator in asked]
    return max(low, default=None), min(high, default=None)


def _value(name: str, declared: Field, operator: str, value: Any) -> Any:
    """The value as rows hold it; raises WixRefusal for one of another type."""
    if value is None and operator in ("$eq", "$ne"):
        return None
    if declared.kind == "moment":
        if not isinstance(value, str):
            raise _wrong_value(name, operator)
        try:
            return read_date(value)
        except ValueError as error:
            raise _wrong_value(name, operator) from error
    fits = {
        "text": isinstance(value, str),
        "list": isinstance(value, str),
        "flag": isinstance(value, bool),
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
    }
    if not fits[declared.kind]:
        raise _wrong_value(name, operator)
    return value


def _wrong_value(name: str, operator: str) -> WixRefusal:
    return application_error(
        400, "UNSUPPORTED_FILTER_VALUE_TYPE", f"Field '{name}' with '{operator}' got a value of a wrong type"
    )


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise validation_error(name, "must be an object", "FORMAT")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise application_error(400, "MALFORMED_FILTER", f"'{name}' needs a list")
    return value


def _whole(value: Any, name: str) -> int:
    """A whole number, as JSON number or digits (GET queries flatten everything to text)."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise validation_error(name, "must be a whole number", "FORMAT")
    if value < 0:
        raise validation_error(name, "must be greater than or equal to 0", "MIN", {"threshold": 0})
    return value


def _rank(value: Any) -> tuple[int, Any]:
    return (0, 0) if value is None else (1, value)


def comes_after(keys: list[Any], after: list[Any], descending: list[bool]) -> bool:
    """Whether a row of these sort keys stands after one of those."""
    for key, held, down in zip(keys, after, descending, strict=False):
        if _rank(key) != _rank(held):
            return (_rank(key) < _rank(held)) is down
    return False
