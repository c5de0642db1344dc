"""What a pool holds (design, section 3). Pure.

G     units that exist                    A[j]  rights granted to position j
L[j]  the level last read at j            F = G − Σ w·A   the reserve        P = F + Σ w·L   what is left
"""

from __future__ import annotations

from collections.abc import Iterator

from storebridge.model.stock import LaneState, Policy, Pool, Position


def positions_of(state: LaneState, pool: Pool) -> Iterator[tuple[Position, int]]:
    """Every position that draws on a pool, with its weight."""
    by_key = {position.key: position for position in state.positions}
    for draw in state.draws:
        if draw.pool_id == pool.pool_id:
            yield by_key[draw.position], draw.weight


def accepted_level(position: Position) -> int:
    """The level without what staff typed and nobody accepted yet."""
    return position.level - position.held


def reserve(state: LaneState, pool: Pool) -> int:
    """F: moved only by us."""
    return pool.goods - sum(weight * position.granted for position, weight in positions_of(state, pool))


def pessimistic_reserve(state: LaneState, pool: Pool) -> int:
    """F with every unanswered raise counted as applied and every unanswered lower as not applied (I4)."""
    return reserve(state, pool) - sum(weight * _doubtful(position) for position, weight in positions_of(state, pool))


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
    return reserve(state, pool) + sum(
        weight * accepted_level(position) for position, weight in positions_of(state, pool)
    )


def guarantee_holds(state: LaneState, pool: Pool) -> str | None:
    """Why zero oversell cannot be promised for a pool now; None when it can (I2 and its preconditions)."""
    if pool.policy is not Policy.ESCROW:
        return f"the policy is {pool.policy.value}"
    for position, _ in positions_of(state, pool):
        if not position.tracked:
            return f"{position.key.connection} does not count this item"
        if not position.denies_oversell:
            return f"{position.key.connection} goes on selling at zero"
    if pessimistic_reserve(state, pool) < 0:
        return "the stores may still show more than exists: waiting for levels to be lowered"
    return None
