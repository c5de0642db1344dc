"""Audit records in a few words: a person reads the gist first and opens the record where that is not enough."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

LONGEST_GIST = 160


def gist(record: str, kind: str) -> str:
    """What a record says, in one line; the record itself stands beside it, so nothing is lost by leaving out."""
    content = _read(record)
    if not isinstance(content, Mapping):
        return _cut(record)
    told = GISTS.get(kind, _tell_facts)(content)
    return _cut(told)


def pretty(record: str) -> str:
    """A record over several lines; as it is where it is no JSON."""
    content = _read(record)
    return record if content is None else json.dumps(content, indent=2, ensure_ascii=False)


FACTS = {
    "of": "Sold in",
    "id": "Its id there",
    "copy": "Its copy",
    "copied_to": "Copied to",
    "copy_id": "The copy’s id",
    "why": "Why",
}
"""What facts are called on the page of a case, where their own name says too little."""


def about(case: Any) -> str:
    """The goods or the order that a case is about, in one word; empty where it is about a store as a whole."""
    return str(case.sku or (case.payload or {}).get("order") or "")


def order_of(case: Any) -> str:
    """The key of the order that a case is about, for a link to its page; empty where none is known here."""
    return str((case.payload or {}).get("order_key") or "")


def fact_name(name: str) -> str:
    """A fact of a case as a label."""
    told = FACTS.get(name, name.replace("_", " "))
    return told[:1].upper() + told[1:]


def _read(record: str) -> Any:
    try:
        return json.loads(record)
    except ValueError:
        return None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_GIST else text[: LONGEST_GIST - 1] + "…"


def _tell_signal(content: Mapping[str, Any]) -> str:
    """What the store announced, and what was wrong with it."""
    return ": ".join(part for part in (str(content.get("topic", "")), str(content.get("problem", ""))) if part)


def _tell_decision(content: Mapping[str, Any]) -> str:
    """What set it off, and what followed."""
    stages = [content.get(stage) or {} for stage in ("normalized", "planned", "validated")]
    counted = [
        (len(stages[0].get("movements", ())), "movement"),
        (len(stages[1].get("writes", ())), "write"),
    ]
    parts = [f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counted if number]
    parts += [f"opened {str(reason).replace('_', ' ')}" for reason in stages[2].get("opened", ())]
    trigger = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(content.get("trigger", ""))).lower()
    return f"{trigger}: {', '.join(parts) or 'nothing to do'}"


def _tell_answer(content: Mapping[str, Any]) -> str:
    """Which call, and what became of each of its rows."""
    outcomes = Counter(str(row[1]) for row in content.get("rows", ()))
    told = ", ".join(f"{number} {outcome.replace('_', ' ')}" for outcome, number in outcomes.items())
    return f"{content.get('operation', '')}: {told}"


def _tell_facts(content: Mapping[str, Any]) -> str:
    """Whatever is simple enough for a line."""
    simple = {name: value for name, value in content.items() if isinstance(value, str | int | float) and value != ""}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in simple.items())


GISTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "signal": _tell_signal,
    "decision": _tell_decision,
    "write_answered": _tell_answer,
}
