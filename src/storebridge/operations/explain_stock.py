"""Explain: why a SKU shows this number. Pool, reserve, counters, unresolved writes, every movement with its cause."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from storebridge.errors import NotFoundError
from storebridge.model.settings import PoolTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.operations.list_stock import StockLine, as_line
from storebridge.store.cases import StoredCase
from storebridge.store.database import Store, Tx
from storebridge.store.policies import lane_terms
from storebridge.store.views_lists import list_cases
from storebridge.store.views_stock import (
    Counter,
    MovementRow,
    OpenWriteRow,
    OrderLabel,
    StoredPool,
    TurnRow,
    list_pools,
    movements_of_pools,
    open_writes,
    orders_of_items,
    turns_of_lanes,
)

MOVEMENTS = 200
ORDERS = 100
TURNS = 20


class PoolStory(msgspec.Struct, frozen=True):
    """One pool, and the sum that makes its number."""

    line: StockLine
    goods: int
    """Units that exist: baseline, plus what was received, counted and corrected."""
    counters: tuple[Counter, ...]
    sums: list[str]
    """The arithmetic, in sentences."""


class Movement(msgspec.Struct, frozen=True):
    """A line of the ledger, with its sentence."""

    row: MovementRow
    sentence: str


class StockStory(msgspec.Struct, frozen=True):
    """The story of a number."""

    sku: str
    title: str
    pools: list[PoolStory]
    open_writes: list[OpenWriteRow]
    movements: list[Movement]
    """Newest first."""
    earlier: int | None
    """Movements before this one are on the next page."""
    orders: list[OrderLabel]
    cases: list[StoredCase]
    turns: list[TurnRow]


async def explain_stock(store: Store, terms: WorkspaceTerms, sku: str, *, before: int | None = None) -> StockStory:
    """Why this number. Raises NotFoundError when the SKU is not kept in step."""
    return await store.read(_read, terms, sku, before)


def _read(tx: Tx, terms: WorkspaceTerms, sku: str, before: int | None) -> StockStory:
    pools = list_pools(tx, terms.workspace, sku=sku)
    cases = list_cases(tx, terms.workspace, sku=sku)
    if not pools and not cases:
        raise NotFoundError(f"No SKU {sku!r} is kept in step in workspace {terms.workspace!r}.")
    lanes = sorted({pool.lane for pool in pools})
    items = sorted({(c.connection, c.item_id) for pool in pools for c in pool.counters})
    ids = [pool.pool_id for pool in pools]
    rows = movements_of_pools(tx, terms.workspace, ids, before=before, limit=MOVEMENTS + 1)
    places = {(c.connection, c.location_id): c.location for pool in pools for c in pool.counters}
    shown = rows[:MOVEMENTS]
    own = lane_terms(tx, terms)
    return StockStory(
        sku=sku,
        title=pools[0].title if pools else "",
        pools=[_story(pool, own.of(pool.sku)) for pool in pools],
        open_writes=open_writes(tx, terms.workspace, lanes),
        movements=[Movement(row, describe_movement(row, places)) for row in shown],
        earlier=shown[-1].seq if len(rows) > MOVEMENTS else None,
        orders=orders_of_items(tx, terms.workspace, items, limit=ORDERS),
        cases=cases,
        turns=turns_of_lanes(tx, terms.workspace, lanes, limit=TURNS),
    )


def _story(pool: StoredPool, terms: PoolTerms) -> PoolStory:
    return PoolStory(as_line(pool, terms), pool.goods, pool.counters, add_up(pool))


def add_up(pool: StoredPool) -> list[str]:
    """The sum behind ``left``, line by line."""
    lines = [f"{_units(pool.goods)} {'exists' if pool.goods == 1 else 'exist'}: taken in, received and counted."]
    terms = [str(pool.goods)]
    for c in pool.counters:
        moved = c.level - c.held - c.granted
        what = "nothing sold" if moved == 0 else f"{-moved} sold, net" if moved < 0 else f"{moved} put back, net"
        held = f"; {c.held:+d} typed by staff wait for a decision" if c.held else ""
        lines.append(f"{c.connection}, {c.location}: was given {c.granted}, shows {c.level}: {what}{held}.")
        if moved:
            weight = "" if c.weight == 1 else f"{c.weight} × "
            terms.append(f"{'-' if moved < 0 else '+'} {weight}{abs(moved)}")
    if pool.reserve > 0:
        lines.append(f"{pool.reserve} of what is left are in reserve: no store shows them yet.")
    lines.append(f"Left to sell: {' '.join(terms)} = {pool.left}." if terms[1:] else f"Left to sell: {pool.left}.")
    return lines


def describe_movement(row: MovementRow, places: dict[tuple[str, str], str]) -> str:
    """A ledger row as a sentence."""
    units, count = abs(row.units), _units(abs(row.units))
    if row.connection is None or row.location_id is None:
        place = row.connection or "the pool"
    else:
        place = f"{row.connection}, {places.get((row.connection, row.location_id), row.location_id)}"
    after = "" if row.level_after is None else f", to {row.level_after}"
    sentences = {
        "baseline": f"Baseline: {count} of goods taken in ({place}).",
        "level": f"{place} {'fell' if row.units < 0 else 'rose'} by {units}{after}.",
        "write": f"storebridge {'lowered' if row.units < 0 else 'raised'} {place} by {units}{after}.",
        "receive": f"{row.actor or 'Somebody'} received {count}.",
        "count": f"{row.actor or 'Somebody'} counted the shelf: {row.units:+d}.",
        "correction": f"{row.actor or 'Somebody'} corrected the goods by {row.units:+d}.",
        "remade": f"The product is another item in {place} now; what is left stays.",
        "manual": f"Edited by staff in {place}: {row.units:+d} that no order explains.",
    }
    sentence = sentences.get(row.kind, f"{row.kind}: {row.units:+d} at {place}.")
    return f"{sentence} {row.note[:1].upper()}{row.note[1:]}.".rstrip(". ") + "." if row.note else sentence


def _units(count: int) -> str:
    return f"{count} unit" if count == 1 else f"{count} units"


def story_lines(story: StockStory) -> Sequence[str]:
    """The whole story as plain text, for a terminal."""
    lines = [f"{story.sku}  {story.title}".rstrip()]
    for pool in story.pools:
        state = "in step" if pool.line.in_step else "NOT in step at this moment"
        lines += ["", f"Group {pool.line.group}: {pool.line.left} left to sell, {state}."]
        lines += [f"  {sentence}" for sentence in pool.sums]
        lines.append(f"  Policy: {pool.line.policy}.")
        if pool.line.guaranteed:
            lines.append("  Guaranteed: no unit can be sold twice.")
        elif pool.line.policy == Policy.ESCROW and pool.line.not_guaranteed_because:
            lines.append(f"  Not guaranteed: {pool.line.not_guaranteed_because}.")
    if story.open_writes:
        lines += ["", "Writes that are not settled"]
        lines += [
            f"  {w.connection}: {w.from_level} to {w.to_level}, {w.state} ({w.reason})" for w in story.open_writes
        ]
    if story.cases:
        lines += ["", "Open cases", *(f"  {case.case_id}  {case.sentence}" for case in story.cases)]
    lines += ["", "Movements, newest first"]
    lines += [f"  {m.row.at:%Y-%m-%d %H:%M:%S}  {m.sentence}" for m in story.movements]
    if story.orders:
        lines += ["", "Orders that moved it"]
        lines += [
            f"  {o.created_at:%Y-%m-%d %H:%M:%S}  {o.connection} {o.name}: {o.sold} sold, {o.restocked} put back"
            for o in story.orders
        ]
    return lines
