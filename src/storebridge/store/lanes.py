"""Lanes as stored: pools, positions, draws and the writes that are not settled.

A lane turn locks its pools first, always in the order of their ids, so that two turns never wait for each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Boolean, Connection, bindparam, delete, insert, literal_column, select, tuple_, update

from storebridge.model.checkouts import Reservation
from storebridge.model.ids import ConnectionName, IntentId, ItemId, LaneKey, LocationId, PoolId, Workspace
from storebridge.model.settings import LaneTerms
from storebridge.model.stock import (
    ONE_POOL_ONLY,
    Draw,
    LaneState,
    Measured,
    OpenWrite,
    Policy,
    Pool,
    Position,
    PositionKey,
    strictest,
)
from storebridge.store.columns import fixed
from storebridge.store.memberships import with_members
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import draws, intents, pools, positions
from storebridge.store.tables_checkouts import reservations

K = TypeVar("K", bound=Hashable)
OPEN_STATES = ("planned", "sent", "unclear")


class HasConnection(Protocol):
    """A transaction, as far as this file needs it."""

    @property
    def conn(self) -> Connection: ...

    @property
    def driver(self) -> Any: ...

    @property
    def now(self) -> datetime: ...

    @property
    def dialect(self) -> str: ...


class OpenIntent(msgspec.Struct, frozen=True):
    """A stock write that is not settled."""

    intent_id: IntentId
    position: PositionKey
    kind: str
    from_level: int
    to_level: int
    state: str
    version: str | None
    evidence: dict[str, Any] | None

    @property
    def delta(self) -> int:
        return self.to_level - self.from_level


class StoredPosition(msgspec.Struct, frozen=True):
    """A position, and what only the engine around the planner needs of it."""

    position: Position
    opening: int
    misses: int
    written_at: datetime | None
    refusals: int = 0
    """Writes that the store refused in a row."""
    write_after: datetime | None = None
    """A refused counter is not written before this."""

    @property
    def confirmed(self) -> bool:
        """Whether a read was sent after our last answered write."""
        written, read = self.written_at, self.position.read_at
        return written is None or (read is not None and read >= written)


def replace_position(
    stored: StoredPosition, position: Position, *, written_at: datetime | None = None
) -> StoredPosition:
    """The same row with another position; ``written_at`` when one of our writes is now known to have applied."""
    return msgspec.structs.replace(stored, position=position, written_at=written_at or stored.written_at)


class StoredLane(msgspec.Struct):
    """One lane, loaded and locked for one turn."""

    lane: LaneKey
    pools: dict[PoolId, Pool]
    guaranteed: dict[PoolId, bool]
    positions: dict[PositionKey, StoredPosition]
    draws: tuple[Draw, ...]
    intents: dict[IntentId, OpenIntent]
    most_per_counter: dict[ConnectionName, int] = {}
    guards: frozenset[ConnectionName] = frozenset()
    reservations: dict[tuple[str, PoolId], Reservation] = {}
    """What checkouts hold, by purchase flow and pool; those that are over are not there."""
    guarded_since: datetime | None = None

    @property
    def on_the_wire(self) -> set[PositionKey]:
        """Counters whose write is sent or in doubt."""
        return {intent.position for intent in self.intents.values() if intent.state != "planned"}

    @property
    def policy(self) -> Policy:
        """The strictest of its pools: they are planned together."""
        return strictest(pool.policy for pool in self.pools.values())

    def share_until_read(self) -> None:
        """What a guarded store sold by its share shows only in a reading; until then shares hold."""
        since = self.guarded_since
        read_at = [stored.position.read_at for key, stored in self.positions.items() if key.connection in self.guards]
        if since is not None and any(at is None or at < since for at in read_at):
            self.pools = {
                key: msgspec.structs.replace(pool, policy=Policy.ESCROW) if pool.policy is Policy.GUARDED else pool
                for key, pool in self.pools.items()
            }

    def share_with_bundles(self) -> None:
        """Hybrid and guarded are derived for channels of one pool: where a bundle draws on several, shares hold."""
        if any(stored.position.bundle is not None for stored in self.positions.values()):
            self.pools = {
                key: msgspec.structs.replace(pool, policy=Policy.ESCROW) if pool.policy in ONE_POOL_ONLY else pool
                for key, pool in self.pools.items()
            }

    def sku_of(self, key: PositionKey) -> str | None:
        """What a counter sells: a bundle, or the SKU of its pool."""
        stored = self.positions.get(key)
        if stored is not None and stored.position.bundle is not None:
            return stored.position.bundle
        return next((self.pools[draw.pool_id].sku for draw in self.draws if draw.position == key), None)

    def freeze(self) -> None:
        """Plan nothing for this lane until a person releases it."""
        self.pools = {key: msgspec.structs.replace(pool, frozen=True) for key, pool in self.pools.items()}

    def state(
        self, velocity: Mapping[ConnectionName, float], measured: Mapping[ConnectionName, Measured] | None = None
    ) -> LaneState:
        """What the pure planner may look at."""
        open_by_position = {
            intent.position: OpenWrite(intent.intent_id, intent.delta, intent.state != "planned")
            for intent in self.intents.values()
        }
        return LaneState(
            pools=tuple(self.pools.values()),
            positions=tuple(
                msgspec.structs.replace(stored.position, open_write=open_by_position[key])
                if key in open_by_position
                else stored.position
                for key, stored in self.positions.items()
            ),
            draws=self.draws,
            velocity=dict(velocity),
            measured=dict(measured or {}),
            most_per_counter=self.most_per_counter,
            guards=self.guards,
            reserved=self._sums(lambda one: one.pool_id, lambda one: one.units),
            held_by=self._sums(lambda one: (one.connection, one.pool_id), lambda one: one.units),
            expected=self._sums(lambda one: one.pool_id, lambda one: min(one.units, one.seen)),
        )

    def _sums(self, of: Callable[[Reservation], K], units: Callable[[Reservation], int]) -> dict[K, int]:
        sums: dict[K, int] = {}
        for one in self.reservations.values():
            sums[of(one)] = sums.get(of(one), 0) + units(one)
        return sums


_LANES_OF_ITEMS = Prepared(
    select(positions.c.item_id, positions.c.lane).where(
        positions.c.workspace == bindparam("w"),
        positions.c.connection == bindparam("c"),
        one_of(positions.c.item_id, "items"),
    )
)


def lanes_of_items(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Sequence[ItemId]
) -> dict[ItemId, LaneKey]:
    """A lane of each item that the bridge keeps in step, the same each time; others are absent. An item that is counted
    in several groups has more: ``all_lanes_of_items``."""
    if not items:
        return {}
    found = _LANES_OF_ITEMS.all(tx, w=workspace, c=connection, items=items)
    return {ItemId(item): LaneKey(lane) for item, lane in sorted(found, reverse=True)}


def all_lanes_of_items(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Sequence[ItemId]
) -> set[LaneKey]:
    """Every lane that one of the items is counted in: one at locations of several groups has a lane in each."""
    if not items:
        return set()
    return {LaneKey(lane) for _, lane in _LANES_OF_ITEMS.all(tx, w=workspace, c=connection, items=items)}


def load_lanes(
    tx: HasConnection, workspace: Workspace, lanes: Iterable[LaneKey], terms: LaneTerms
) -> dict[LaneKey, StoredLane]:
    """Lock and load lanes; the pools' rows are the locks."""
    keys = sorted(set(lanes))
    if not keys:
        return {}
    most = terms.usual.most_per_counter
    loaded = {key: StoredLane(key, {}, {}, {}, (), {}, most) for key in keys}
    _load_pools(tx, workspace, keys, with_members(tx, workspace, terms, keys), loaded)
    lane_of_position = _load_positions(tx, workspace, keys, loaded)
    _load_draws(tx, workspace, loaded, lane_of_position)
    for lane in loaded.values():
        lane.share_with_bundles()
    _load_intents(tx, workspace, keys, loaded)
    if terms.guards:
        _load_reservations(tx, workspace, terms, loaded)
    return loaded


_POOLS_OF_LANES = select(
    pools.c.lane,
    pools.c.pool_id,
    pools.c.sku,
    pools.c.goods,
    pools.c.frozen,
    pools.c.guaranteed_since,
).where(pools.c.workspace == bindparam("w"), one_of(pools.c.lane, "lanes"))
_LOAD_POOLS = Prepared(_POOLS_OF_LANES, postgresql=_POOLS_OF_LANES.order_by(pools.c.pool_id).with_for_update())
"""SQLite would walk every pool of the workspace in the order asked for, so rows are sorted afterwards; PostgreSQL takes
the locks in that order, so that no two turns wait for each other."""
_POSITION_COLUMNS = tuple(name for name in Position.__struct_fields__ if name in positions.c)
_WIDTH = len(_POSITION_COLUMNS)
assert Position.__struct_fields__[1 : 1 + _WIDTH] == _POSITION_COLUMNS, "a row is a position's fields, in their order"
_by_rank = itemgetter(1, 4 + _POSITION_COLUMNS.index("rank"), 2, 3)
"""Connection, rank, item, location: the order in which a store's counters are written."""
_STORED_COLUMNS = tuple(name for name in StoredPosition.__struct_fields__ if name in positions.c)
_LOAD_POSITIONS = Prepared(
    select(
        positions.c.lane,
        positions.c.connection,
        positions.c.item_id,
        positions.c.location_id,
        *(positions.c[name] for name in (*_POSITION_COLUMNS, *_STORED_COLUMNS)),
    ).where(positions.c.workspace == bindparam("w"), one_of(positions.c.lane, "lanes"))
)
_LOAD_DRAWS = Prepared(
    select(draws.c.connection, draws.c.item_id, draws.c.location_id, draws.c.pool_id, draws.c.weight).where(
        draws.c.workspace == bindparam("w"), one_of(draws.c.pool_id, "pools")
    )
)
_OPEN_INTENTS = (
    select(
        intents.c.lane,
        intents.c.intent_id,
        intents.c.connection,
        intents.c.item_id,
        intents.c.location_id,
        intents.c.kind,
        intents.c.from_level,
        intents.c.to_level,
        intents.c.state,
        intents.c.version,
        intents.c.evidence,
    )
    .where(intents.c.workspace == bindparam("w"), one_of(intents.c.lane, "lanes"), one_of(intents.c.state, "states"))
    .order_by(intents.c.intent_id)
)
_LOAD_INTENTS = Prepared(_OPEN_INTENTS, postgresql=_OPEN_INTENTS.with_for_update())
"""Locked, so that no courier sends one while a turn plans as if it only waited: a demo on PostgreSQL once granted two
units more than there were."""


def _load_pools(
    tx: HasConnection,
    workspace: Workspace,
    keys: Sequence[LaneKey],
    terms: LaneTerms,
    loaded: dict[LaneKey, StoredLane],
) -> None:
    found = sorted(_LOAD_POOLS.all(tx, w=workspace, lanes=keys), key=itemgetter(1))
    for lane, pool_id, sku, goods, frozen, guaranteed_since in found:
        stored, own = loaded[lane], terms.of(sku)
        stored.pools[pool_id] = Pool(
            pool_id=pool_id,
            sku=sku,
            goods=goods,
            policy=own.policy,
            safety_stock=own.safety_stock,
            risk=own.risk,
            allocation=own.allocation,
            keep_together=own.keep_together,
            frozen=frozen,
        )
        stored.guaranteed[pool_id] = guaranteed_since is not None


def _load_positions(
    tx: HasConnection, workspace: Workspace, keys: Sequence[LaneKey], loaded: dict[LaneKey, StoredLane]
) -> dict[PositionKey, LaneKey]:
    lane_of_position: dict[PositionKey, LaneKey] = {}
    found = _LOAD_POSITIONS.all(tx, w=workspace, lanes=keys)
    for lane, connection, item, location, *columns in sorted(found, key=_by_rank):
        key = PositionKey(connection, item, location)
        lane_of_position[key] = lane
        position = Position(key, *columns[:_WIDTH])  # in the order of its fields: by name cost twice as much
        loaded[lane].positions[key] = StoredPosition(position, *columns[_WIDTH:])
    return lane_of_position


def _load_draws(
    tx: HasConnection,
    workspace: Workspace,
    loaded: dict[LaneKey, StoredLane],
    lane_of_position: Mapping[PositionKey, LaneKey],
) -> None:
    pool_ids = [pool_id for stored in loaded.values() for pool_id in stored.pools]
    by_lane: defaultdict[LaneKey, list[Draw]] = defaultdict(list)
    for connection, item, location, pool_id, weight in _LOAD_DRAWS.all(tx, w=workspace, pools=pool_ids):
        key = PositionKey(connection, item, location)
        lane = lane_of_position.get(key)
        if lane is not None:
            by_lane[lane].append(Draw(key, pool_id, weight))
    for lane, found in by_lane.items():
        loaded[lane].draws = tuple(sorted(found, key=lambda draw: (draw.position, draw.pool_id)))


def _load_intents(
    tx: HasConnection, workspace: Workspace, keys: Sequence[LaneKey], loaded: dict[LaneKey, StoredLane]
) -> None:
    found = _LOAD_INTENTS.all(tx, w=workspace, lanes=keys, states=OPEN_STATES)
    for lane, intent_id, connection, item, location, *rest in found:
        loaded[lane].intents[intent_id] = OpenIntent(intent_id, PositionKey(connection, item, location), *rest)


_COUNTING = (
    select(*(reservations.c[name] for name in Reservation.__struct_fields__))
    .where(
        reservations.c.workspace == bindparam("w"),
        one_of(reservations.c.pool_id, "pools"),
        reservations.c.over_at.is_(None),
    )
    .order_by(reservations.c.flow, reservations.c.pool_id)
)
_LOAD_RESERVATIONS = Prepared(_COUNTING, postgresql=_COUNTING.with_for_update())


def _load_reservations(
    tx: HasConnection, workspace: Workspace, terms: LaneTerms, loaded: Mapping[LaneKey, StoredLane]
) -> None:
    lane_of = {pool_id: lane for lane in loaded.values() for pool_id in lane.pools}
    for lane in loaded.values():
        lane.guards = frozenset(terms.guards)
        lane.guarded_since = terms.guarded_since
    for row in _LOAD_RESERVATIONS.all(tx, w=workspace, pools=list(lane_of)):
        one = Reservation(*row)
        lane_of[one.pool_id].reservations[one.flow, one.pool_id] = one


_SAVE_POSITION = Prepared(
    update(positions)
    .where(
        positions.c.workspace == bindparam("w"),
        positions.c.connection == bindparam("c"),
        positions.c.item_id == bindparam("i"),
        positions.c.location_id == bindparam("l"),
    )
    .values(
        granted=bindparam("granted_"),
        level=bindparam("level_"),
        held=bindparam("held_"),
        uncredited=bindparam("uncredited_"),
        tracked=bindparam("tracked_"),
        denies_oversell=bindparam("denies_"),
        writable=bindparam("writable_"),
        version=bindparam("version_"),
        native_id=bindparam("native_"),
        read_at=bindparam("read_at_"),
        written_at=bindparam("written_at_"),
        misses=bindparam("misses_"),
        gone=bindparam("gone_"),
        refusals=bindparam("refusals_"),
        write_after=bindparam("write_after_"),
    )
)


def save_positions(tx: HasConnection, workspace: Workspace, changed: Iterable[StoredPosition]) -> None:
    """Write back positions that a turn changed; the lane must be loaded in this transaction."""
    rows = [
        {
            "w": workspace,
            "c": stored.position.key.connection,
            "i": stored.position.key.item_id,
            "l": stored.position.key.location_id,
            "granted_": stored.position.granted,
            "level_": stored.position.level,
            "held_": stored.position.held,
            "uncredited_": stored.position.uncredited,
            "tracked_": stored.position.tracked,
            "denies_": stored.position.denies_oversell,
            "writable_": stored.position.writable,
            "version_": stored.position.version,
            "native_": stored.position.native_id,
            "read_at_": stored.position.read_at,
            "written_at_": stored.written_at,
            "misses_": stored.misses,
            "gone_": stored.position.gone,
            "refusals_": stored.refusals,
            "write_after_": stored.write_after,
        }
        for stored in changed
    ]
    _SAVE_POSITION.run_many(tx, rows)


def add_goods(tx: HasConnection, workspace: Workspace, pool_id: PoolId, units: int) -> None:
    """Goods come or go by a person's word; one atomic statement, never read and write back."""
    tx.conn.execute(
        update(pools)
        .where(pools.c.workspace == workspace, pools.c.pool_id == pool_id)
        .values(goods=pools.c.goods + units)
    )


def freeze_lanes(tx: HasConnection, workspace: Workspace, lanes: Sequence[LaneKey], frozen: bool) -> None:
    """Stop or resume planning for lanes, until a person decides."""
    tx.conn.execute(update(pools).where(pools.c.workspace == workspace, pools.c.lane.in_(lanes)).values(frozen=frozen))


def mark_guarantee(
    tx: HasConnection, workspace: Workspace, held: Sequence[PoolId], broken: Mapping[PoolId, str]
) -> None:
    """Note since when the zero-oversell guarantee holds for pools, or why it does not."""
    if held:
        tx.conn.execute(
            update(pools)
            .where(pools.c.workspace == workspace, pools.c.pool_id.in_(held), pools.c.guaranteed_since.is_(None))
            .values(guaranteed_since=tx.now, not_guaranteed_because=None)
        )
    if broken:
        tx.conn.execute(
            update(pools)
            .where(pools.c.workspace == bindparam("w"), pools.c.pool_id == bindparam("p"))
            .values(guaranteed_since=None, not_guaranteed_because=bindparam("why")),
            [{"w": workspace, "p": pool_id, "why": why} for pool_id, why in broken.items()],
        )


def break_guarantee(tx: HasConnection, workspace: Workspace, why: str) -> None:
    """No pool of the workspace is guaranteed from now on; the next reads mark those for which it holds again."""
    tx.conn.execute(
        update(pools)
        .where(pools.c.workspace == workspace, pools.c.guaranteed_since.is_not(None))
        .values(guaranteed_since=None, not_guaranteed_because=why)
    )


def set_writable(tx: HasConnection, workspace: Workspace, connection: ConnectionName, writable: bool) -> int:
    """Mark every counter of a connection (not) writable; returns how many changed."""
    return _SET_WRITABLE.run(tx, w=workspace, c=connection, yes=writable)


_SET_WRITABLE = Prepared(
    update(positions)
    .where(
        positions.c.workspace == bindparam("w"),
        positions.c.connection == bindparam("c"),
        positions.c.writable != bindparam("yes", type_=Boolean),
    )
    .values(writable=bindparam("yes", type_=Boolean))
)


def forgive_refusals(tx: HasConnection, workspace: Workspace, lane: LaneKey, connection: ConnectionName) -> None:
    """A person says that the cause is mended: counters of a store may be written again at once."""
    mine = (positions.c.workspace == workspace) & (positions.c.lane == lane) & (positions.c.connection == connection)
    tx.conn.execute(update(positions).where(mine).values(refusals=0, write_after=None))
    waiting = (intents.c.workspace == workspace) & (intents.c.lane == lane) & (intents.c.connection == connection)
    tx.conn.execute(update(intents).where(waiting, intents.c.state == fixed("planned")).values(due_at=tx.now))


def insert_pools(tx: HasConnection, rows: Sequence[Mapping[str, object]]) -> None:
    """New pools at a baseline; column names of the table."""
    if rows:
        tx.conn.execute(insert(pools), list(rows))


def insert_positions(tx: HasConnection, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        tx.conn.execute(insert(positions), list(rows))


def insert_draws(tx: HasConnection, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        tx.conn.execute(insert(draws), list(rows))


def remove_positions(tx: HasConnection, workspace: Workspace, keys: Iterable[PositionKey]) -> None:
    """Take counters that are no more out of their lanes; the ledger keeps their history."""
    named = [(key.connection, key.item_id, key.location_id) for key in keys]
    for table in (draws, positions):
        mine = tuple_(table.c.connection, table.c.item_id, table.c.location_id).in_(named)
        tx.conn.execute(delete(table).where(table.c.workspace == workspace, mine))


def skus_with_gone_items(tx: HasConnection, workspace: Workspace) -> set[str]:
    """SKUs that are kept in step and that a store does not have any more."""
    drawn = (draws.c.workspace == pools.c.workspace) & (draws.c.pool_id == pools.c.pool_id)
    gone = tuple_(draws.c.connection, draws.c.item_id, draws.c.location_id).in_(
        select(positions.c.connection, positions.c.item_id, positions.c.location_id).where(
            positions.c.workspace == workspace, positions.c.gone, positions.c.bundle.is_(None)
        )
    )
    query = select(pools.c.sku).join(draws, drawn).where(pools.c.workspace == workspace, gone)
    found = tx.conn.execute(query.distinct())
    return {sku for (sku,) in found}


def linked_items(tx: HasConnection, workspace: Workspace) -> set[tuple[ConnectionName, ItemId]]:
    """Every item that already belongs to a pool."""
    found = tx.conn.execute(
        select(positions.c.connection, positions.c.item_id).where(positions.c.workspace == workspace)
    )
    return {(ConnectionName(connection), ItemId(item)) for connection, item in found}


def pool_of_sku(
    tx: HasConnection, workspace: Workspace, sku: str, group: str | None = None
) -> list[tuple[PoolId, LaneKey, str]]:
    """Pools of a SKU: (pool, lane, location group)."""
    query = select(pools.c.pool_id, pools.c.lane, pools.c.location_group).where(
        pools.c.workspace == workspace, pools.c.sku == sku
    )
    if group is not None:
        query = query.where(pools.c.location_group == group)
    return [(PoolId(p), LaneKey(lane), g) for p, lane, g in tx.conn.execute(query.order_by(pools.c.pool_id))]


def lanes_of_connection(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> list[LaneKey]:
    found = tx.conn.execute(
        select(positions.c.lane)
        .where(positions.c.workspace == workspace, positions.c.connection == connection)
        .distinct()
        .order_by(positions.c.lane)
    )
    return [LaneKey(lane) for (lane,) in found]


def held_positions(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> list[PositionKey]:
    """Counters of a store with units that a person has not accepted yet."""
    found = _HELD_POSITIONS.all(tx, w=workspace, c=connection)
    return [PositionKey(connection, ItemId(item), LocationId(location)) for item, location in sorted(found)]


_HELD_POSITIONS = Prepared(
    select(positions.c.item_id, positions.c.location_id).where(
        positions.c.workspace == bindparam("w"),
        positions.c.connection == bindparam("c"),
        positions.c.held != literal_column("0"),
    )
)


def lanes_of_positions(
    tx: HasConnection, workspace: Workspace, keys: Sequence[PositionKey]
) -> dict[PositionKey, LaneKey]:
    found = tx.conn.execute(
        select(positions.c.connection, positions.c.item_id, positions.c.location_id, positions.c.lane).where(
            positions.c.workspace == workspace,
            tuple_(positions.c.connection, positions.c.item_id, positions.c.location_id).in_(
                [(key.connection, key.item_id, key.location_id) for key in keys]
            ),
        )
    )
    return {PositionKey(c, i, LocationId(loc)): LaneKey(lane) for c, i, loc, lane in found}


def forget_lane(tx: HasConnection, workspace: Workspace, lane: LaneKey) -> None:
    """Take a lane out of the bridge (its SKU is no longer on both sides); its history stays in the ledger."""
    gone = select(pools.c.pool_id).where(pools.c.workspace == workspace, pools.c.lane == lane)
    tx.conn.execute(delete(draws).where(draws.c.workspace == workspace, draws.c.pool_id.in_(gone)))
    tx.conn.execute(delete(positions).where(positions.c.workspace == workspace, positions.c.lane == lane))
    tx.conn.execute(delete(pools).where(pools.c.workspace == workspace, pools.c.lane == lane))
