"""The sums of a statement: per store and currency, per kind of check, and what does not agree. Pure and exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from storebridge.model.ids import ConnectionName
from storebridge.model.money import Money, sum_of
from storebridge.model.settlement import (
    Agreement,
    Check,
    Difference,
    Figures,
    MoneyState,
    MoveKind,
    StatementLine,
    Why,
)

MOVES_NO_MONEY = frozenset({MoveKind.ORDER, MoveKind.PAYOUT})
CHARGED_BACK = frozenset({MoveKind.CHARGEBACK, MoveKind.CHARGEBACK_REVERSAL})
NOTES: Mapping[str, str] = {
    "total": "lines, shipping, taxes and fees against the total that the store tells",
    "paid": "the order's payments against what the store says came in",
    "refunded": "the order's refund transactions against what the store says went back",
    "booked": "the order's transaction against the books of the payment provider",
    "payout": "the entries of a payout against what the provider says it comes to",
    "paid_out": "a payout against what the bank took",
    "copied_total": "the original's total against its copy's",
    "copied_paid": "what was paid of the original against its copy",
    "copied_refunded": "what went back of the original against its copy",
}
"""What each kind of check compares: ours, theirs."""


def figures_of(lines: Iterable[StatementLine]) -> tuple[Figures, ...]:
    """One row per store and currency."""
    found: dict[tuple[ConnectionName, str], list[StatementLine]] = {}
    for line in lines:
        found.setdefault((line.connection, line.amount.currency), []).append(line)
    return tuple(_figures(*whose, found[whose]) for whose in sorted(found))


def _figures(connection: ConnectionName, currency: str, lines: Sequence[StatementLine]) -> Figures:
    def total(*kinds: MoveKind) -> Money:
        return sum_of((line.amount for line in lines if line.kind in kinds), currency)

    def in_state(state: MoneyState) -> Money:
        moved = (line for line in lines if line.kind not in MOVES_NO_MONEY)
        return sum_of((line.amount for line in moved if line.state is state), currency)

    return Figures(
        connection=connection,
        currency=currency,
        orders=sum(line.kind is MoveKind.ORDER for line in lines),
        ordered=total(MoveKind.ORDER),
        received=total(MoveKind.PAYMENT),
        refunded=total(MoveKind.REFUND),
        charged_back=total(*CHARGED_BACK),
        fees=total(MoveKind.FEE),
        adjusted=total(MoveKind.ADJUSTMENT),
        net=total(*(kind for kind in MoveKind if kind not in MOVES_NO_MONEY)),
        outside=in_state(MoneyState.OUTSIDE),
        before=in_state(MoneyState.BEFORE),
        awaited=in_state(MoneyState.AWAITED),
        booked=in_state(MoneyState.BOOKED),
        paid_out=in_state(MoneyState.PAID_OUT),
        payouts=total(MoveKind.PAYOUT),
    )


def agreements_of(checks: Iterable[Check]) -> tuple[Agreement, ...]:
    """Checks of one kind, store and currency, added up."""
    found: dict[tuple[str, ConnectionName, str], list[Check]] = {}
    for check in checks:
        found.setdefault((check.what, check.connection, check.ours.currency), []).append(check)
    return tuple(_agreement(*whose, found[whose]) for whose in sorted(found))


def _agreement(what: str, connection: ConnectionName, currency: str, checks: Sequence[Check]) -> Agreement:
    return Agreement(
        what=what,
        connection=connection,
        currency=currency,
        items=len(checks),
        ours=sum_of((check.ours for check in checks), currency),
        theirs=sum_of((check.theirs for check in checks), currency),
        awaited=sum_of((check.difference for check in checks if check.awaited), currency),
        difference=sum_of((check.difference for check in checks if not check.awaited), currency),
    )


def differences_of(checks: Iterable[Check]) -> tuple[Difference, ...]:
    """Every check that does not agree and is due; together they come to the differences of the sums."""
    return tuple(
        Difference(
            reason=_why(check),
            subject=f"{check.connection}:{check.what}:{check.subject}",
            what=check.what,
            connection=check.connection,
            order_key=check.order_key,
            order_name=check.order_name,
            ours=check.ours,
            theirs=check.theirs,
            difference=check.difference,
            note=NOTES[check.what],
        )
        for check in checks
        if not check.agrees and not check.awaited
    )


def _why(check: Check) -> Why:
    if check.what.startswith("copied_"):
        return Why.COPY_DIFFERS
    if check.what == "paid_out":
        return Why.PAYOUT_FAILED
    if check.what == "booked" and not check.theirs.amount:
        return Why.MONEY_NOT_BOOKED
    if check.what == "booked" and not check.ours.amount:
        return Why.MONEY_UNEXPLAINED
    return Why.SETTLEMENT_DIFFERS
