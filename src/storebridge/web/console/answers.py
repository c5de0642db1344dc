"""The answers that a case takes, in the order in which a person weighs them, and what each of them does."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from storebridge.errors import RefusedError
from storebridge.operations.settle_case import ABOUT_LOSERS, EVERYBODY, About, Choice

TICKED = "order:"
"""Begins the name of an order's box; its key follows."""


class CaseAnswer(msgspec.Struct, frozen=True):
    """A button under a case."""

    choice: str
    words: str
    does: str


ANSWERS = (
    CaseAnswer(
        "accept", "Accept the change", "The goods are really there (or gone): they are booked, and the stores follow."
    ),
    CaseAnswer("reject", "Take it back", "It was a slip: the counter is set back, and no goods are booked."),
    CaseAnswer("applied", "It was applied", "The store’s admin shows our write: nothing is written again."),
    CaseAnswer(
        "not_applied",
        "It was not applied",
        "The store’s admin does not show our write: what is needed is planned anew.",
    ),
    CaseAnswer(
        "release", "Let it go on", "What was stopped is real: writing goes on, after every counter was read anew."
    ),
    CaseAnswer(
        "wait", "Wait for goods", "The losing orders keep their place until goods are booked; the case stays open."
    ),
    CaseAnswer(
        "substitute",
        "Exchange the goods",
        "You change the losing orders in the store’s admin; the case stays open until nothing is missing.",
    ),
    CaseAnswer(
        "split",
        "Take them from another group",
        "Goods of another group of locations are moved here in the ledger, and the orders are sent from there.",
    ),
    CaseAnswer(
        "cancel",
        "Call off and pay back",
        "The missing units are taken off the orders and paid back, without restock; an order that keeps nothing else "
        "is cancelled. This cannot be undone.",
    ),
    CaseAnswer("retry", "Look again", "Everything is read again now; the case closes by itself once it is mended."),
    CaseAnswer("done", "Dealt with", "It is settled outside, or may stay as it is: the case is closed."),
)


def answers_to(choices: Collection[str]) -> list[CaseAnswer]:
    """Those that fit a case, the likelier first."""
    return [answer for answer in ANSWERS if answer.choice in choices]


def about_of(form: Mapping[str, str], choice: Choice) -> About:
    """Of the losing orders that the page named, those that were ticked. Raises RefusedError where none was."""
    if choice not in ABOUT_LOSERS or "losers" not in form:
        return EVERYBODY
    orders = tuple(name.removeprefix(TICKED) for name in form if name.startswith(TICKED))
    if not orders:
        raise RefusedError("Tick at least one order; nothing was changed.")
    return About(orders, whole=choice is Choice.CANCEL and "whole" in form)
