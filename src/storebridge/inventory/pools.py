"""What a pool holds (design, section 3). Pure.

G     units that exist                    A[j]  rights granted to position j
L[j]  the level last read at j            F = G − Σ w·A   the reserve        P = F + Σ w·L   what is left
"""

from __future__ import annotations

from storebridge.model.stock import LaneState, Policy, Pool, Position


def accepted_level(position: Position) -> int:
    """The level without what staff typed and nobody accepted yet."""
    return position.level - position.held


def reserve(state: LaneState, pool: Pool) -> int:
    """F: moved only by us."""
    return pool.goods - sum(weight * position.granted for position, weight in state.drawing[pool.pool_id])


def pessimistic_reserve(state: LaneState, pool: Pool) -> int:
    """F with every unanswered raise counted as applied and every unanswered lower as not applied (I4)."""
    return reserve(state, pool) - sum(weight * _doubtful(position) for position, weight in state.drawing[pool.pool_id])


def _doubtful(position: Position) -> int:
    """Units at a counter that may be shown without being granted: a raise on the wire, what a blind lower took
    below zero, or what the counter is below zero by. The last were sold already, so they are no reserve: a catalogue
    that opened at -3 in both stores made three units of nothing. A raise that lifts such a counter uses the same
    units, so the largest of the three counts."""
    write = position.open_write
    raised = max(0, write.delta) if write is not None and write.sent else 0
    return max(raised, position.uncredited, -position.level)


def goods_left(state: LaneState, pool: Pool) -> int:
    """P: what is left to sell, below zero when more was sold than exists (I1)."""
    left = pool.goods
    for position, weight in state.drawing[pool.pool_id]:
        left += weight * (accepted_level(position) - position.granted)
    return left


def guarded_reserve(state: LaneState, pool: Pool) -> int:
    """What neither an open store can sell nor a checkout holds, taken pessimistically. A store that asks before it
    sells has no rights but its reservations, so what it shows counts as not handed out."""
    free = reserve(state, pool) - state.reserved.get(pool.pool_id, 0)
    for position, weight in state.drawing[pool.pool_id]:
        guarded = position.key.connection in state.guards
        free += weight * accepted_level(position) if guarded else -weight * _doubtful(position)
    return free


def guarantee_holds(state: LaneState, pool: Pool) -> str | None:
    """Why zero oversell cannot be promised for a pool now; None when it can (I2 and its preconditions)."""
    if pool.policy not in (Policy.ESCROW, Policy.GUARDED):
        return f"the policy is {pool.policy.value}"
    for position, _ in state.drawing[pool.pool_id]:
        if not position.tracked:
            return f"{position.key.connection} does not count this item"
        if not position.denies_oversell:
            return f"{position.key.connection} goes on selling at zero"
    if pool.policy is Policy.GUARDED:
        free = guarded_reserve(state, pool) + state.expected.get(pool.pool_id, 0)
    else:
        free = pessimistic_reserve(state, pool)
    if free < 0:
        return "the stores may still show more than exists: waiting for levels to be lowered"
    return None
