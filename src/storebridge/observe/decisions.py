"""What was decided about a SKU, and by whom. Pure; beside the movements it makes the timeline of a number whole.

The planner's writes with their reasons, answers that settled nothing, cases with their end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from storebridge.exceptions_queue.cases import PROOF
from storebridge.exceptions_queue.sentences import plainly
from storebridge.inventory.reasons import EXPLANATION
from storebridge.store.cases import StoredCase
from storebridge.store.views_lists import AuditEntry
from storebridge.store.views_stock import TurnRow

BECAUSE = {
    "ReadCameBack": "after a reading",
    "CallWasAnswered": "after an answer",
    "CheckoutAsked": "for a checkout",
    "PersonChanged": "after a change by a person, the settings or the books",
}
SETTLED_NOTHING = {
    "stale": "was refused because the counter had moved; nothing was changed",
    "unclear": "has an unclear outcome; it is not sent again before that is known",
    "refused": "was refused by the store",
}
SETTLED = "case_settled"
"""The audit's word for a decision of a person, which may leave its case open."""
US = "storebridge"
Places = Mapping[tuple[str, str], str]


class Decision(msgspec.Struct, frozen=True):
    """One decision in the story of a SKU."""

    at: datetime
    kind: str
    """planned | unsettled | opened | settled (by a person) | proven"""
    who: str
    """A person, or ``storebridge``."""
    sentence: str


class _Settled(msgspec.Struct, frozen=True):
    """What the audit keeps of a person's decision."""

    case: str = ""
    choice: str = ""
    reason: str = ""
    note: str = ""


def decisions_of(
    turns: Iterable[TurnRow], cases: Iterable[StoredCase], by_people: Iterable[AuditEntry], places: Places
) -> list[Decision]:
    """Every decision that these turns, cases and rows of the audit (``SETTLED``) hold, newest first. ``places``: names
    of locations."""
    found = [decision for turn in turns for decision in _of_turn(turn, places)]
    found += [decision for case in cases for decision in _of_case(case)]
    found += [_of_person(entry) for entry in by_people]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _of_turn(turn: TurnRow, places: Places) -> list[Decision]:
    found = [
        Decision(turn.at, "unsettled", US, f"A write {SETTLED_NOTHING[state]}{f' ({code})' if code else ''}.")
        for _, state, code in _rows(turn.normalized, "answers")
        if state in SETTLED_NOTHING
    ]
    writes = [_as_words(write, places) for write in _rows(turn.planned, "writes")]
    replaced = len(_rows(turn.planned, "replaced"))
    because = BECAUSE.get(turn.trigger, "")
    if writes:
        instead = "" if not replaced else f" Instead of {replaced} not sent yet."
        sentence = f"Decided {because}: {'; '.join(writes)}.{instead}"
        found.append(Decision(turn.at, "planned", US, sentence))
    elif replaced:
        sentence = f"Decided {because}: {replaced} {'write' if replaced == 1 else 'writes'} not sent yet called off."
        found.append(Decision(turn.at, "planned", US, sentence))
    return found


def _rows(told: Any, name: str) -> Sequence[Any]:
    return told.get(name) or () if isinstance(told, dict) else ()


def _as_words(write: Sequence[Any], places: Places) -> str:
    connection, _, location, before, after, reason, *_ = write
    why = next((words for one, words in EXPLANATION.items() if one.value == reason), str(reason))
    return f"{connection}, {places.get((connection, location), location)}, from {before} to {after}, to {why}"


def _of_case(case: StoredCase) -> list[Decision]:
    name = case.reason.replace("_", " ")
    opened = f"Case {case.case_id} opened, {name}: {plainly(case.sentence, case.payload)}"
    found = [Decision(case.opened_at, "opened", US, opened)]
    if case.closed_at is not None and case.closed_by == PROOF:
        why = f": {case.resolution.rstrip('.')}" if case.resolution else ""
        found.append(Decision(case.closed_at, "proven", US, f"Case {case.case_id} ({name}) closed by proof{why}."))
    return found


def _of_person(entry: AuditEntry) -> Decision:
    told = msgspec.json.decode(entry.record, type=_Settled)
    note = f", noting: {told.note.rstrip('.')}" if told.note else ""
    choice, name = told.choice.replace("_", " "), told.reason.replace("_", " ")
    sentence = f"{entry.actor} decided {choice} in case {told.case} ({name}){note}."
    return Decision(entry.at, "settled", entry.actor, sentence)
