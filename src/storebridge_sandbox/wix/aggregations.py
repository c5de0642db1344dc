"""Facets of a search: how many rows hold each value, lie in each range or interval; least, most, distinct."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from storebridge_sandbox.wix.query import Field, Language
from storebridge_sandbox.wix.wire import EPOCH, validation_error, wix_date

Rows = list[Any]
Asked = dict[str, Any]

DEFAULT_VALUES = 10
MOST_VALUES = 250
MOST_RESULTS = 200


def aggregate(language: Language, asked: list[Asked], rows: Rows) -> dict[str, Any]:
    """The AggregationData message for the rows that a search found; raises WixRefusal."""
    return {"results": [_result(language, one, rows) for one in asked]}


def _result(language: Language, asked: Asked, rows: Rows) -> dict[str, Any]:
    kind = asked.get("type") or "VALUE"
    told = {"name": asked.get("name") or "", "type": kind, "fieldPath": asked.get("fieldPath", "")}
    if kind == "NESTED":
        steps = (asked.get("nested") or {}).get("nestedAggregations") or []
        if not steps:
            raise validation_error("search.aggregations.nested", "must not be empty", "REQUIRED_FIELD")
        return {**told, "nested": {"results": [{"results": row} for row in _nested(language, steps, rows)]}}
    declared = language.field_of(told["fieldPath"])
    if kind == "SCALAR":
        scalar = (asked.get("scalar") or {}).get("type") or "COUNT_DISTINCT"
        return {**told, "scalar": {"type": scalar, "value": _scalar(scalar, declared, rows)}}
    name = {"VALUE": "values", "RANGE": "ranges", "DATE_HISTOGRAM": "dateHistogram"}[kind]
    results = [{**bucket, "count": len(held)} for bucket, held in _buckets(kind, asked, declared, rows)]
    return {**told, name: {"results": results}}


def _nested(language: Language, steps: list[Asked], rows: Rows) -> list[dict[str, Any]]:
    """One flat entry per path through the buckets of each step."""
    first, *rest = steps
    name, kind = first.get("name") or "", first.get("type") or "VALUE"
    declared = language.field_of(first.get("fieldPath", ""))
    if kind == "SCALAR":
        value = _scalar((first.get("scalar") or {}).get("type") or "COUNT_DISTINCT", declared, rows)
        return [{name: {"scalar": {"value": value}}}]
    word = {"VALUE": "value", "RANGE": "range", "DATE_HISTOGRAM": "dateHistogram"}[kind]
    told: list[dict[str, Any]] = []
    for bucket, held in _buckets(kind, first, declared, rows):
        own = {name: {word: {**bucket, "count": len(held)}}}
        told.extend({**own, **inner} for inner in (_nested(language, rest, held) if rest else [{}]))
    return told[:MOST_RESULTS]


def _buckets(kind: str, asked: Asked, declared: Field, rows: Rows) -> list[tuple[dict[str, Any], Rows]]:
    makers: dict[str, Callable[[Asked, Field, Rows], list[tuple[dict[str, Any], Rows]]]] = {
        "VALUE": _values,
        "RANGE": _ranges,
        "DATE_HISTOGRAM": _histogram,
    }
    return makers[kind](asked, declared, rows)


def _values(asked: Asked, declared: Field, rows: Rows) -> list[tuple[dict[str, Any], Rows]]:
    settings = asked.get("value") or {}
    missing = (settings.get("includeOptions") or {}).get("addToBucket") or "N/A"
    groups: dict[str, Rows] = {}
    for row in rows:
        held = declared.read(row)
        if held is None and settings.get("missingValues") != "INCLUDE":
            continue
        for one in held if isinstance(held, tuple | set | frozenset | list) else (held,):
            groups.setdefault(missing if one is None else _text(declared, one), []).append(row)
    by_value = settings.get("sortType") == "VALUE"
    ordered = sorted(groups.items())
    if by_value:
        ordered.sort(key=lambda pair: pair[0], reverse=settings.get("sortDirection") == "DESC")
    else:
        ordered.sort(key=lambda pair: len(pair[1]), reverse=settings.get("sortDirection") != "ASC")
    limit = _limit(settings.get("limit"))
    return [({"value": value}, held) for value, held in ordered[:limit]]


def _limit(limit: Any) -> int:
    if limit is None:
        return DEFAULT_VALUES
    if not isinstance(limit, int) or not 1 <= limit <= MOST_VALUES:
        raise validation_error("search.aggregations.value.limit", f"must be 1 to {MOST_VALUES}", "MAX")
    return limit


def _ranges(asked: Asked, declared: Field, rows: Rows) -> list[tuple[dict[str, Any], Rows]]:
    """Each row goes into the first bucket that it fits."""
    buckets = [
        {name: bound[name] for name in ("from", "to") if bound.get(name) is not None}
        for bound in (asked.get("range") or {}).get("buckets") or []
    ]
    held: list[Rows] = [[] for _ in buckets]
    for row in rows:
        value = declared.read(row)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for place, bucket in enumerate(buckets):
            if bucket.get("from", value) <= value and ("to" not in bucket or value < bucket["to"]):
                held[place].append(row)
                break
    return list(zip(buckets, held, strict=True))


def _histogram(asked: Asked, declared: Field, rows: Rows) -> list[tuple[dict[str, Any], Rows]]:
    interval = (asked.get("dateHistogram") or {}).get("interval") or "DAY"
    if declared.kind != "moment":
        raise validation_error("search.aggregations.fieldPath", "is not a date", "OTHER")
    groups: dict[datetime, Rows] = {}
    for row in rows:
        held = declared.read(row)
        if held is not None:
            groups.setdefault(_start_of(EPOCH + timedelta(milliseconds=held), interval), []).append(row)
    return [({"value": wix_date(start)}, held) for start, held in sorted(groups.items())[:MOST_RESULTS]]


def _start_of(moment: datetime, interval: str) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {
        "YEAR": day.replace(month=1, day=1),
        "MONTH": day.replace(day=1),
        "WEEK": day - timedelta(days=day.weekday()),
        "DAY": day,
        "HOUR": moment.replace(minute=0, second=0, microsecond=0),
        "MINUTE": moment.replace(second=0, microsecond=0),
        "SECOND": moment.replace(microsecond=0),
    }
    return starts[interval]


def _scalar(kind: str, declared: Field, rows: Rows) -> int | float:
    held = [value for row in rows if (value := declared.read(row)) is not None]
    if kind == "COUNT_DISTINCT":
        return len({str(value) for value in held})
    numbers = [value for value in held if isinstance(value, int | float) and not isinstance(value, bool)]
    if kind in ("SUM", "AVG"):
        total = sum(numbers)
        return total / len(numbers) if kind == "AVG" and numbers else total
    if not numbers:
        return 0
    return min(numbers) if kind == "MIN" else max(numbers)


def _text(declared: Field, value: Any) -> str:
    if declared.kind == "flag":
        return "true" if value else "false"
    if declared.kind == "moment":
        return wix_date(EPOCH + timedelta(milliseconds=value))
    return str(value)[:100]
