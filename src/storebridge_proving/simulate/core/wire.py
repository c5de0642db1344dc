"""What goes over the wire of the pure play: readings as the product takes them, and writes as each store takes them."""

from __future__ import annotations

import msgspec

from storebridge.connectors.port import RowOutcome, WriteStyle
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, LocationId, PoolId, Workspace
from storebridge.model.stock import Draw, LevelReading, Pool, Position, PositionKey
from storebridge.store.lanes import OpenIntent, StoredLane, StoredPosition
from storebridge_proving.simulate.core.guard_desk import moment
from storebridge_proving.simulate.core.stores import Kind, Result, State, Store

WORKSPACE, LANE, POOL, PLACE = Workspace("main"), LaneKey("lane"), PoolId("pool"), LocationId("place")
STYLES = {
    Kind.KEYED: WriteStyle.KEYED,
    Kind.STAMPED: WriteStyle.REVISION,
    Kind.REVISION: WriteStyle.REVISION,
    Kind.BLIND: WriteStyle.BLIND,
}
OUTCOMES = {Result.APPLIED: RowOutcome.APPLIED, Result.STALE: RowOutcome.STALE, Result.REFUSED: RowOutcome.STALE}


class Numbers:
    """Names of intents, counted."""

    def __init__(self) -> None:
        self._count = 0

    def new(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}-{self._count}"


def opened(pools: tuple[Pool, ...], stores: dict[str, Store]) -> StoredLane:
    """The books at a baseline: every counter has the rights that it shows, whatever was written there before. A listing
    with a recipe of several units is a bundle."""
    positions, draws = {}, list[Draw]()
    for name, store in stores.items():
        for listing, states in store.states.items():
            key = PositionKey(ConnectionName(name), ItemId(listing), PLACE)
            recipe = store.recipes[listing]
            bundle = listing if len(recipe) > 1 or recipe[0][1] > 1 else None
            position = Position(key, granted=states[-1].level, level=states[-1].level, bundle=bundle)
            written = sum(store.written[listing].values())
            positions[key] = StoredPosition(position, states[-1].level - written, 0, None)
            draws += [Draw(key, PoolId(goods.pool), units) for goods, units in recipe]
    by_id = {pool.pool_id: pool for pool in pools}
    return StoredLane(LANE, by_id, dict.fromkeys(by_id, False), positions, tuple(draws), {})


def copied(lane: StoredLane) -> StoredLane:
    """The same books, which change apart from these."""
    return msgspec.structs.replace(
        lane,
        pools=dict(lane.pools),
        positions=dict(lane.positions),
        intents=dict(lane.intents),
        reservations=dict(lane.reservations),
    )


def reading_of(kind: Kind, listing: str, state: State) -> LevelReading:
    """A keyed store tells times to the second, a blind one to the millisecond, the others count revisions."""
    if kind in (Kind.STAMPED, Kind.REVISION):
        version = str(state.revision)
    else:
        at = moment(max(0.0, state.changed_at))
        version = at.isoformat(timespec="seconds" if kind is Kind.KEYED else "milliseconds")
    stamp = (state.stamp or "") if kind is Kind.STAMPED else None
    row = None if kind is Kind.KEYED else f"row-{listing}"
    return LevelReading(ItemId(listing), PLACE, state.level, version, row, stamp=stamp)


def carry_out(store: Store, intent: OpenIntent, key: str) -> tuple[Result, State]:
    """What the store does with the bytes of a call, and what its answer shows."""
    listing = str(intent.position.item_id)
    if store.kind is Kind.KEYED:
        compare = None if intent.kind == "adjust" else intent.from_level
        result = store.compare_and_set(intent.intent_id, key, listing, compare, intent.delta)
    elif store.kind is Kind.BLIND:
        result = store.adjust(intent.intent_id, listing, intent.delta)
    else:
        result = store.update(intent.intent_id, listing, int(intent.version or 0), intent.to_level)
    return result, store.states[listing][-1]
