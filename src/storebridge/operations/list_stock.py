"""Stock: every SKU with what is left and what each store shows."""

from __future__ import annotations

import msgspec

from storebridge.model.settings import PoolTerms, WorkspaceTerms
from storebridge.observe.agreement import decided_by, judge_pool, terms_of_pool
from storebridge.operations.outcomes import not_a_place
from storebridge.store.bundles import bundle_counters
from storebridge.store.database import Store, Tx
from storebridge.store.policies import terms_shown
from storebridge.store.views_stock import StoredPool, list_pools


class StockLine(msgspec.Struct, frozen=True):
    """One SKU of one location group."""

    sku: str
    group: str
    title: str
    policy: str
    """What holds for this SKU now."""
    left: int
    """What can still be sold."""
    reserve: int
    """Of these, units that no store may sell."""
    shown: dict[str, int]
    """By its own counters; what bundles show of it is in ``in_bundles``."""
    wanted: dict[str, int] | None
    """What each store should show; null where only the sum is prescribed."""
    in_step: bool
    held: bool
    frozen: bool
    guaranteed: bool
    not_guaranteed_because: str | None
    in_bundles: int = 0
    """Units that stores show as parts of bundles."""
    decided_by: str = ""
    """The campaign, override or bundle that its policy and limits come from; empty where all is as in the workspace."""
    capped: dict[str, int] = {}
    """Stores whose counters take no more, and the most that they take; the rest waits in the books until it is sold."""


class StockPage(msgspec.Struct, frozen=True):
    """Some of the SKUs, by name."""

    items: list[StockLine]
    after: str | None
    """Where the next page begins; null on the last one."""
    bundles: tuple[str, ...] = ()
    """SKUs that are made of others and match; they have no goods of their own. On the first page."""


async def list_stock(
    store: Store, terms: WorkspaceTerms, *, search: str = "", after: str | None = None, limit: int = 100
) -> StockPage:
    """One page of SKUs; ``search`` looks in SKU and title."""
    return await store.read(_read, terms, search, after, limit)


def _read(tx: Tx, terms: WorkspaceTerms, search: str, after: str | None, limit: int) -> StockPage:
    begin = _split(after) if after else None
    found = list_pools(tx, terms.workspace, after=begin, search=search, limit=limit + 1)
    page = found[:limit]
    more = f"{page[-1].group}/{page[-1].sku}" if len(found) > limit else None
    own = terms_shown(tx, terms, [pool.lane for pool in page])
    lines = [as_line(pool, terms_of_pool(pool, own), decided_by(pool, own)) for pool in page]
    return StockPage(lines, more, () if after else _bundles(tx, terms, search))


def _bundles(tx: Tx, terms: WorkspaceTerms, search: str) -> tuple[str, ...]:
    names = {counter.sku for counter in bundle_counters(tx, terms.workspace)}
    return tuple(sorted(name for name in names if search.casefold() in name.casefold()))


def _split(after: str) -> tuple[str, str]:
    """``group/sku`` back into (sku, group); a SKU may hold slashes, a group may not. Raises OutOfRangeError."""
    group, slash, sku = after.partition("/")
    if not slash:
        raise not_a_place(after)
    return sku, group


def as_line(pool: StoredPool, terms: PoolTerms, decides: str) -> StockLine:
    """A pool as a person reads it; ``decides``: what its terms come from."""
    agreement = judge_pool(pool, terms)
    return StockLine(
        sku=pool.sku,
        group=pool.group,
        title=pool.title,
        policy=terms.policy.value,
        left=agreement.left,
        reserve=pool.reserve,
        shown=agreement.shown,
        wanted=agreement.wanted,
        in_step=agreement.in_step,
        held=any(counter.held for counter in pool.counters),
        frozen=pool.frozen,
        guaranteed=pool.guaranteed_since is not None,
        not_guaranteed_because=pool.not_guaranteed_because,
        decided_by=decides,
        capped=agreement.capped,
        in_bundles=sum(c.weight * c.level for c in pool.counters if c.bundle is not None),
    )
