"""Explain: why a SKU shows this number. Pool, reserve, counters, unresolved writes, every movement with its cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from storebridge.errors import NotFoundError
from storebridge.exceptions_queue.sentences import plainly
from storebridge.mappings.bundles import in_words
from storebridge.model.checkouts import Reservation
from storebridge.model.ids import ConnectionName, PoolId
from storebridge.model.settings import LaneTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.model.words import in_units
from storebridge.observe.agreement import BundleShown, bundles_shown, decided_by, terms_of_pool
from storebridge.observe.decisions import SETTLED, Decision, decisions_of
from storebridge.observe.timeline import Timeline, as_bars, timeline_of
from storebridge.operations.book_goods import unknown_sku
from storebridge.operations.list_stock import StockLine, as_line
from storebridge.store.bundles import BundleCounter, bundle_counters
from storebridge.store.cases import StoredCase
from storebridge.store.catalogue import components_told, title_of
from storebridge.store.database import Store, Tx
from storebridge.store.policies import terms_shown
from storebridge.store.renames import pool_ids
from storebridge.store.reservations import held_for_sku
from storebridge.store.story import EXPLAINED_LATER, UNEXPLAINED
from storebridge.store.undo import units_voided
from storebridge.store.views_lists import list_audit, list_cases
from storebridge.store.views_stock import (
    Counter,
    MovementRow,
    OpenWriteRow,
    OrderLabel,
    Period,
    StoredPool,
    TurnRow,
    list_pools,
    moment_of_movement,
    movements_of_items,
    movements_of_pools,
    open_writes,
    orders_of_items,
    turns_of_lanes,
)

MOVEMENTS = 200
ORDERS = 100
CASES = 100
TURNS = 20


class PoolStory(msgspec.Struct, frozen=True):
    """One pool, and the sum that makes its number."""

    line: StockLine
    goods: int
    """Units that exist: baseline, plus what was received, counted and corrected."""
    counters: tuple[Counter, ...]
    sums: list[str]
    """The arithmetic, in sentences."""
    timeline: Timeline | None
    """What was left and shown after each of its newest movements; not on later pages."""


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
    """The latest results of the engine's stages, as kept."""
    holds: list[Reservation]
    """What checkouts hold of it, the oldest first."""
    decisions: list[Decision] = []
    """Of the time of ``movements``, newest first: what the engine and people decided, cases with their end."""
    bundle: list[BundleShown] = []
    """Where the SKU is a bundle: what it shows in each store, and what each component allows."""
    made_up_in: dict[str, str] = {}
    """Stores that make the bundle up themselves, and of what; they are never written."""
    part_of: dict[str, str] = {}
    """Bundles that draw on it, and what they are made of."""


async def explain_stock(store: Store, terms: WorkspaceTerms, sku: str, *, before: int | None = None) -> StockStory:
    """Why this number. Raises NotFoundError when the SKU is not kept in step."""
    return await store.read(_read, terms, sku, before)


def _read(tx: Tx, terms: WorkspaceTerms, sku: str, before: int | None) -> StockStory:
    pools = list_pools(tx, terms.workspace, sku=sku)
    cases = list_cases(tx, terms.workspace, sku=sku)
    counters = bundle_counters(tx, terms.workspace)
    made_up_in = components_told(tx, terms.workspace, sku)
    if made_up_in or any(one.sku == sku for one in counters):
        return _read_bundle(tx, terms, sku, before, [one for one in counters if one.sku == sku], made_up_in, cases)
    if not pools and not cases:
        raise NotFoundError(unknown_sku(terms, sku))
    lanes = sorted({pool.lane for pool in pools})
    items = sorted({(c.connection, c.item_id) for pool in pools for c in pool.counters})
    ids = [PoolId(pool.pool_id) for pool in pools]
    rows = movements_of_pools(tx, terms.workspace, ids, before=before, limit=MOVEMENTS + 1)
    places = {(c.connection, c.location_id): c.location for pool in pools for c in pool.counters}
    shown = rows[:MOVEMENTS]
    own = terms_shown(tx, terms, lanes)
    voided = units_voided(tx, terms.workspace, ids)
    newest = shown if before is None else None
    return StockStory(
        sku=sku,
        title=pools[0].title if pools else "",
        pools=[_story(pool, own, newest, voided.get(PoolId(pool.pool_id), 0)) for pool in pools],
        open_writes=open_writes(tx, terms.workspace, lanes),
        movements=[Movement(row, describe_movement(row, places)) for row in shown],
        earlier=shown[-1].seq if len(rows) > MOVEMENTS else None,
        orders=orders_of_items(tx, terms.workspace, items, limit=ORDERS),
        cases=cases,
        turns=turns_of_lanes(tx, terms.workspace, lanes, limit=TURNS),
        holds=held_for_sku(tx, terms.workspace, sku),
        decisions=_decisions(tx, terms, sku, lanes, places, rows, before),
        part_of=_bundles_on({pool.pool_id for pool in pools}, counters, _skus_of_pools(tx, terms)),
    )


def _decisions(
    tx: Tx,
    terms: WorkspaceTerms,
    sku: str,
    lanes: Sequence[str],
    places: Mapping[tuple[str, str], str],
    rows: Sequence[MovementRow],
    before: int | None,
) -> list[Decision]:
    """Those of the page that ``rows`` begin, one more than it shows where there are more."""
    within = Period(
        since=rows[MOVEMENTS - 1].at if len(rows) > MOVEMENTS else None,
        until=None if before is None else moment_of_movement(tx, terms.workspace, before),
    )
    cases = list_cases(tx, terms.workspace, sku=sku, state=None, limit=CASES)
    by_people = list_audit(tx, terms.workspace, subject=sku, kind=SETTLED, limit=CASES)
    turns = turns_of_lanes(tx, terms.workspace, lanes, limit=MOVEMENTS, within=within)
    return [one for one in decisions_of(turns, cases, by_people, places) if within.holds(one.at)]


def _skus_of_pools(tx: Tx, terms: WorkspaceTerms) -> dict[PoolId, str]:
    return {pool_id: sku for (sku, _), pool_id in pool_ids(tx, terms.workspace).items()}


def _bundles_on(own: set[str], counters: Sequence[BundleCounter], skus: Mapping[PoolId, str]) -> dict[str, str]:
    return {
        one.sku: in_words({skus[pool_id]: units for pool_id, units in one.weights.items()})
        for one in counters
        if not own.isdisjoint(one.weights)
    }


def _read_bundle(
    tx: Tx,
    terms: WorkspaceTerms,
    sku: str,
    before: int | None,
    counters: Sequence[BundleCounter],
    made_up_in: Mapping[ConnectionName, dict[str, int]],
    cases: list[StoredCase],
) -> StockStory:
    """A bundle has no pool: its story is its components', as far as its own counters moved them."""
    lanes = sorted({one.lane for one in counters})
    pools = [
        pool for part in sorted({p for one in counters for p in one.weights}) for pool in _pool_named(tx, terms, part)
    ]
    firsts = {min(one.weights): one.weights[min(one.weights)] for one in counters}
    keys = {(one.key.connection, one.key.item_id) for one in counters}
    rows = movements_of_items(tx, terms.workspace, firsts, sorted(keys), before=before, limit=MOVEMENTS + 1)
    places = {(c.connection, c.location_id): c.location for pool in pools for c in pool.counters}
    shown = rows[:MOVEMENTS]
    own = [one for one in bundles_shown(pools, terms_shown(tx, terms, lanes)) if one.sku == sku]
    return StockStory(
        sku=sku,
        title=title_of(tx, terms.workspace, sku),
        pools=[],
        open_writes=[w for w in open_writes(tx, terms.workspace, lanes) if w.item_id in {item for _, item in keys}],
        movements=[Movement(row, describe_movement(row, places)) for row in shown],
        earlier=shown[-1].seq if len(rows) > MOVEMENTS else None,
        orders=orders_of_items(tx, terms.workspace, sorted(keys), limit=ORDERS),
        cases=cases,
        turns=turns_of_lanes(tx, terms.workspace, lanes, limit=TURNS),
        holds=[],
        decisions=_decisions(tx, terms, sku, lanes, places, rows, before),
        bundle=own,
        made_up_in={store: in_words(recipe) for store, recipe in made_up_in.items()},
    )


def _pool_named(tx: Tx, terms: WorkspaceTerms, pool_id: PoolId) -> list[StoredPool]:
    found = list_pools(tx, terms.workspace, sku=_skus_of_pools(tx, terms)[pool_id])
    return [pool for pool in found if pool.pool_id == pool_id]


def bundle_lines(one: BundleShown) -> list[str]:
    """What a bundle shows in one store, what each component allows, and which one limits it."""
    lines = [f"{one.connection}, group {one.group}: shows {one.level}, {'in step' if one.in_step else 'NOT in step'}."]
    for sku, units in sorted(one.units.items()):
        limits = ", which limits it" if sku == one.scarcest else ""
        lines.append(f"  {units} × {sku}: {one.left[sku]} left allow {one.allowed[sku]}{limits}.")
    if one.is_capped:
        lines.append(f"  {_capped(one.connection, one.most or 0)}")
    if one.leaving:
        lines.append("  It is a bundle no more: it is set to zero and then left alone; until then it takes components.")
    elif one.shares:
        lines.append("  It has a share: these units are its own, and no store shows them as components.")
    if one.held:
        lines.append(f"  {one.held:+d} typed by staff wait for a decision.")
    return lines


def _story(pool: StoredPool, terms: LaneTerms, newest: Sequence[MovementRow] | None, voided: int) -> PoolStory:
    timeline = None if newest is None else timeline_of(pool, newest)
    line = as_line(pool, terms_of_pool(pool, terms), decided_by(pool, terms))
    sums = [*add_up(pool, voided), *(_capped(store, most) for store, most in line.capped.items())]
    return PoolStory(line, pool.goods, pool.counters, sums, timeline)


def _capped(store: str, most: int) -> str:
    return f"{store} is capped at {most:,}: its counters take no more units. The rest is sold as they are filled again."


def add_up(pool: StoredPool, voided: int = 0) -> list[str]:
    """The sum behind ``left``, line by line. ``voided``: units among the goods that never existed, were sold and called
    off."""
    exist = pool.goods - voided
    lines = [f"{in_units(exist)} {'exists' if exist == 1 else 'exist'}: taken in, received and counted."]
    terms = [str(exist)]
    if voided:
        lines.append(f"{in_units(voided)} never existed: sold, called off, and credited against what the stores sold.")
        terms.append(f"+ {voided}")
    for c in pool.counters:
        moved = c.level - c.held - c.granted
        what = "nothing sold" if moved == 0 else f"{-moved} sold, net" if moved < 0 else f"{moved} put back, net"
        held = f"; {c.held:+d} typed by staff wait for a decision" if c.held else ""
        packed = "" if c.bundle is None else f", as bundle {c.bundle} of {c.weight} each"
        lines.append(f"{c.connection}, {c.location}{packed}: was given {c.granted}, shows {c.level}: {what}{held}.")
        if moved:
            weight = "" if c.weight == 1 else f"{c.weight} × "
            terms.append(f"{'-' if moved < 0 else '+'} {weight}{abs(moved)}")
    if pool.on_hold:
        lines.append(
            f"{in_units(pool.on_hold)} of what is left {'is' if pool.on_hold == 1 else 'are'} held by checkouts."
        )
    if pool.reserve > 0:
        lines.append(f"{pool.reserve} of what is left are in reserve: no store shows them yet.")
    lines.append(f"Left to sell: {' '.join(terms)} = {pool.left}." if terms[1:] else f"Left to sell: {pool.left}.")
    return lines


def describe_movement(row: MovementRow, places: dict[tuple[str, str], str]) -> str:
    """A ledger row as a sentence."""
    units, count = abs(row.units), in_units(abs(row.units))
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
        "void": f"{count} that never existed {'were' if units != 1 else 'was'} called off, and credited.",
        "undo": f"{row.actor or 'Somebody'} took a movement back: {row.units:+d}.",
        "moved": f"{row.actor or 'Somebody'} moved {row.units:+d} between groups.",
        "held": f"{count} held for a checkout in {place}.",
        "freed": f"{count} given back by a checkout in {place}.",
        "bought": f"{count} bought by a checkout in {place}.",
        "joined": f"{place} sells it from now on.",
        "bundled": f"It is part of a bundle in {place}.",
        "unbundled": f"A bundle in {place} takes it no more; what is left stays.",
        "renamed": "Every store gave it a new SKU; what is left stays.",
        "remade": f"The product is another item in {place} now; what is left stays.",
        "copy": f"A copied order moved {place} by {row.units:+d}; what is left stays.",
        "manual": f"Edited by staff in {place}: {row.units:+d} that no order explains.",
    }
    if row.note == EXPLAINED_LATER:
        return f"An order explains {-row.units:+d} in {place} after all: it was no edit by staff."
    sentence = sentences.get(row.kind, f"{row.kind}: {row.units:+d} at {place}.")
    if row.note in ("", UNEXPLAINED):  # the sentence says it already
        return sentence
    return f"{sentence} {row.note[:1].upper()}{row.note[1:]}.".rstrip(". ") + "."


def _drawn(timeline: Timeline | None) -> list[str]:
    """The course of a pool as lines of bars, one bar for each movement."""
    if timeline is None or len(timeline.steps) < 2:
        return []
    steps = timeline.steps
    names = sorted({name for step in steps for name in step.shown})
    width = max(map(len, ("left", *names)))
    lines = [f"  Its last {len(steps)} movements, oldest first, {timeline.highest} at most"]
    lines.append(f"    {'left':<{width}}  {as_bars((step.left for step in steps), timeline.highest)}  {steps[-1].left}")
    for name in names:
        levels = [step.shown[name] for step in steps]
        lines.append(f"    {name:<{width}}  {as_bars(levels, timeline.highest)}  {levels[-1]}")
    return lines


class Happening(msgspec.Struct, frozen=True):
    """A movement or a decision, in its place in time."""

    at: datetime
    kind: str
    """A movement's kind, or ``decision``."""
    units: int | None
    """None: nothing moved."""
    sentence: str


def happenings(story: StockStory) -> list[Happening]:
    """Movements and decisions in one row, newest first; what moved stands below what was decided at the same moment."""
    moved = [Happening(one.row.at, one.row.kind, one.row.units, one.sentence) for one in story.movements]
    decided = [Happening(one.at, "decision", None, one.sentence) for one in story.decisions]
    return sorted([*decided, *moved], key=lambda one: one.at, reverse=True)


def describe_hold(one: Reservation) -> str:
    """What a checkout holds, as a sentence."""
    if one.order_id is not None:
        state = f"bought as order {one.order_id}, until its counter is read"
    elif one.covered < one.units:
        state = f"{one.covered} of them confirmed by the other stores"
    else:
        state = f"until {one.ends_at:%Y-%m-%d %H:%M:%S} UTC unless it asks again"
    return f"{one.connection}, purchase {one.flow}: {in_units(one.units)}, {state}."


def _state_of(line: StockLine) -> str:
    """As the console's list of stock calls it."""
    if line.frozen:
        return "stopped: one of the cases below says why"
    if line.held:
        return "held: one of the cases below waits for a decision"
    return "in step" if line.in_step else "NOT in step at this moment"


def story_lines(story: StockStory) -> Sequence[str]:
    """The whole story as plain text, for a terminal."""
    lines = [f"{story.sku}  {story.title}".rstrip()]
    if story.bundle or story.made_up_in:
        lines += ["", "A bundle: it has no goods of its own."]
        made_up = "  {} makes it up itself, of {}; it is never written there."
        lines += [made_up.format(store, recipe) for store, recipe in story.made_up_in.items()]
        lines += [f"  {line}" for one in story.bundle for line in bundle_lines(one)]
    lines += [f"Part of the bundle {sku} ({recipe})." for sku, recipe in story.part_of.items()]
    for pool in story.pools:
        lines += ["", f"Group {pool.line.group}: {pool.line.left} left to sell, {_state_of(pool.line)}."]
        lines += [f"  {sentence}" for sentence in pool.sums]
        lines += _drawn(pool.timeline)
        decides = f" ({pool.line.decided_by})" if pool.line.decided_by else ""
        lines.append(f"  Policy: {pool.line.policy}{decides}.")
        if pool.line.guaranteed:
            lines.append("  Guaranteed: no unit can be sold twice.")
        elif pool.line.policy in (Policy.ESCROW, Policy.GUARDED) and pool.line.not_guaranteed_because:
            lines.append(f"  Not guaranteed: {pool.line.not_guaranteed_because}.")
    if story.open_writes:
        lines += ["", "Writes that are not settled"]
        lines += [
            f"  {w.connection}: {w.from_level} to {w.to_level}, {w.state} ({w.reason})" for w in story.open_writes
        ]
    if story.holds:
        lines += ["", "Held by checkouts", *(f"  {describe_hold(one)}" for one in story.holds)]
    if story.cases:
        lines += [
            "",
            "Open cases",
            *(f"  {case.case_id}  {plainly(case.sentence, case.payload)}" for case in story.cases),
        ]
    lines += ["", "Movements and decisions, newest first"]
    lines += [f"  {one.at:%Y-%m-%d %H:%M:%S}  {one.sentence}" for one in happenings(story)]
    if story.orders:
        lines += ["", "Orders that moved it"]
        lines += [
            f"  {o.created_at:%Y-%m-%d %H:%M:%S}  {o.connection} {o.name}: {o.sold} sold, {o.restocked} put back"
            for o in story.orders
        ]
    return lines
