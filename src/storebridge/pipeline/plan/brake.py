"""The blast radius: so many units and SKUs are written in an hour, and not more.

Whatever is wrong (a file that emptied a store, a count typed for a thousand SKUs, a bug of ours), it stops here and a
person looks at it. Held is everything of the workspace, lowers too: a zero written by mistake is a lower.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import LaneKey
from storebridge.model.settings import WorkspaceTerms
from storebridge.pipeline.plan.lane import LanePlan
from storebridge.store.brakes import Amount, Brake, hold_writes, load_brake, planned_since, save_measure
from storebridge.store.database import Tx

HOUR = timedelta(hours=1)


def held_lanes(tx: Tx, terms: WorkspaceTerms, plans: Mapping[LaneKey, LanePlan]) -> set[LaneKey]:
    """Lanes whose new writes must not go out now; empty when there is room for all of them."""
    wanting = {key for key, plan in plans.items() if plan.new}
    if not wanting or not is_capped(terms):
        return set()
    brake = load_brake(tx, terms.workspace)
    if brake is not None and brake.held_at is not None:
        return wanting
    own = _amount_of(plans)
    so_far = written_lately(tx, terms, brake)
    if not is_over(terms, so_far.plus(own)) or (brake is not None and tx.now < brake.counted_from):
        return set()
    _hold(tx, terms, so_far, own)
    return wanting


def is_capped(terms: WorkspaceTerms) -> bool:
    """Whether there is a limit at all."""
    return bool(terms.most_units_per_hour or terms.most_skus_per_hour)


def is_over(terms: WorkspaceTerms, amount: Amount) -> bool:
    """Whether an amount is more than an hour may see; 0 means no limit."""
    too_many_units = 0 < terms.most_units_per_hour < amount.units
    return too_many_units or 0 < terms.most_skus_per_hour < amount.skus


def written_lately(tx: Tx, terms: WorkspaceTerms, brake: Brake | None) -> Amount:
    """What was planned in the last hour: as last measured, and what came since."""
    if brake is None:
        return planned_since(tx, terms.workspace, tx.now - HOUR)
    since = max(brake.measured_at, brake.counted_from)
    return Amount(brake.units, brake.skus).plus(planned_since(tx, terms.workspace, since))


def _amount_of(plans: Mapping[LaneKey, LanePlan]) -> Amount:
    units = sum(abs(intent["to_level"] - intent["from_level"]) for plan in plans.values() for intent in plan.new)
    return Amount(units, sum(bool(plan.new) for plan in plans.values()))


def _hold(tx: Tx, terms: WorkspaceTerms, so_far: Amount, own: Amount) -> None:
    if load_brake(tx, terms.workspace) is None:
        save_measure(tx, terms.workspace, so_far)
    hold_writes(tx, terms.workspace)
    opening = CaseOpening(
        workspace=terms.workspace,
        reason=Reason.WRITES_HELD,
        subject=terms.workspace,
        field="available",
        details={
            "units written in the last hour": so_far.units,
            "SKUs": so_far.skus,
            "units that wanted to be written now": own.units,
            "of SKUs": own.skus,
        },
    )
    raise_cases(tx, [opening])
