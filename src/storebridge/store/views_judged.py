"""Every pool of a workspace, as far as judging goes: the status, the overview and the metrics look at all of them.

No names, no titles, no times, and statements that are ready: a look at thousands of SKUs is taken again and again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from sqlalchemy import bindparam, func, select

from storebridge.model.ids import Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import draws, pools, positions
from storebridge.store.tables_checkouts import reservations


class JudgedCounter(msgspec.Struct, frozen=True, gc=False):
    """What one stock counter shows."""

    connection: str
    item_id: str
    granted: int
    level: int
    held: int
    weight: int
    bundle: str | None
    """The SKU of the bundle whose counter this is; the pool's own when None."""
    leaving: bool


class JudgedPool(msgspec.Struct, frozen=True):
    """What exists, and what the counters show that draw on it."""

    sku: str
    group: str
    goods: int
    frozen: bool
    guaranteed: bool
    counters: tuple[JudgedCounter, ...]
    on_hold: int = 0
    """Units that checkouts hold; what is left still has them."""
    together: tuple[str, ...] = ()
    """Every SKU that is planned in one lane with it, because a bundle draws on both."""

    @property
    def left(self) -> int:
        """P: what can still be sold."""
        return self.goods + sum([c.weight * (c.level - c.held - c.granted) for c in self.counters])


_POOLS = Prepared(
    select(
        pools.c.pool_id,
        pools.c.lane,
        pools.c.sku,
        pools.c.location_group,
        pools.c.goods,
        pools.c.frozen,
        pools.c.guaranteed_since.is_not(None),
    )
    .where(pools.c.workspace == bindparam("w"))
    .order_by(pools.c.sku, pools.c.location_group)
)
_DRAWN = (
    (positions.c.workspace == draws.c.workspace)
    & (positions.c.connection == draws.c.connection)
    & (positions.c.item_id == draws.c.item_id)
    & (positions.c.location_id == draws.c.location_id)
)
_COUNTERS = Prepared(
    select(
        draws.c.pool_id,
        positions.c.connection,
        positions.c.item_id,
        positions.c.granted,
        positions.c.level,
        positions.c.held,
        draws.c.weight,
        positions.c.bundle,
        positions.c.leaving,
    )
    .join(positions, _DRAWN)
    .where(draws.c.workspace == bindparam("w"))
    .order_by(draws.c.connection, draws.c.item_id, draws.c.location_id)
)
_ON_HOLD = Prepared(
    select(reservations.c.pool_id, func.sum(reservations.c.units))
    .where(reservations.c.workspace == bindparam("w"), reservations.c.over_at.is_(None))
    .group_by(reservations.c.pool_id)
)


def pools_to_judge(tx: HasConnection, workspace: Workspace) -> list[JudgedPool]:
    """All pools by SKU and group, their counters by store."""
    counters: defaultdict[str, list[JudgedCounter]] = defaultdict(list)
    bundled: set[str] = set()
    for row in _COUNTERS.all(tx, w=workspace):
        counters[row[0]].append(JudgedCounter(*row[1:]))
        if row[7] is not None:
            bundled.add(row[0])
    rows = _POOLS.all(tx, w=workspace)
    on_hold = {pool_id: int(units) for pool_id, units in _ON_HOLD.all(tx, w=workspace)}
    together = _together([(pool_id, lane, sku) for pool_id, lane, sku, *_ in rows], bundled) if bundled else {}
    return [
        JudgedPool(
            sku, group, goods, frozen, sure, tuple(counters[pool_id]), on_hold.get(pool_id, 0), together.get(lane, ())
        )
        for pool_id, lane, sku, group, goods, frozen, sure in rows
    ]


def _together(rows: Iterable[tuple[str, str, str]], bundled: set[str]) -> dict[str, tuple[str, ...]]:
    """By lane: the SKUs of lanes in which a bundle draws on some pool."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    lanes: set[str] = set()
    for pool_id, lane, sku in rows:
        members[lane].append(sku)
        if pool_id in bundled:
            lanes.add(lane)
    return {lane: tuple(members[lane]) for lane in lanes}
