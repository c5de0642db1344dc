"""Which policy and limits hold for each pool now: what is configured, and the campaigns that run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, insert, select, update

from storebridge.model.checkouts import TAKES_HOLD, GuardMode
from storebridge.model.ids import ConnectionName, ItemId, Workspace
from storebridge.model.settings import COLLECTION, LaneTerms, WorkspaceTerms, matches
from storebridge.model.stock import Policy
from storebridge.store.guards import StoredGuard, guards_of
from storebridge.store.lanes import HasConnection
from storebridge.store.memberships import members_of, with_members
from storebridge.store.prepared import Prepared
from storebridge.store.tables import campaigns, pools, positions


class Campaign(msgspec.Struct, frozen=True):
    """A period in which some SKUs are under escrow."""

    number: int
    pattern: str
    started_at: datetime
    started_by: str
    ends_at: datetime


_OPEN = Prepared(
    select(*(campaigns.c[name] for name in Campaign.__struct_fields__))
    .where(campaigns.c.workspace == bindparam("w"), campaigns.c.ended_at.is_(None))
    .order_by(campaigns.c.number)
)


def open_campaigns(tx: HasConnection, workspace: Workspace) -> list[Campaign]:
    """Campaigns that were not ended, oldest first; those whose time is over, too."""
    return [Campaign(*row) for row in _OPEN.all(tx, w=workspace)]


def running_campaigns(tx: HasConnection, workspace: Workspace) -> list[Campaign]:
    """Campaigns that hold at this moment."""
    return [campaign for campaign in open_campaigns(tx, workspace) if campaign.ends_at > tx.now]


def lane_terms(tx: HasConnection, terms: WorkspaceTerms) -> LaneTerms:
    """What holds for each pool of a workspace at this moment."""
    running = tuple(campaign.pattern for campaign in running_campaigns(tx, terms.workspace))
    found = terms.for_pools()
    if found.guards:
        guards = [guard for guard in guards_of(tx, terms.workspace) if guard.connection in found.guards]
        since = max((guard.since + TAKES_HOLD for guard in guards), default=None)
        found = msgspec.structs.replace(found, guarded_as=_guarded_as(terms, guards), guarded_since=since)
    return msgspec.structs.replace(found, campaigns=running)


def terms_shown(tx: HasConnection, terms: WorkspaceTerms, lanes: Sequence[str] | None = None) -> LaneTerms:
    """The same for who only looks: it also knows the collections of these lanes' SKUs, or of all."""
    return with_members(tx, terms.workspace, lane_terms(tx, terms), lanes)


MEANS = {
    GuardMode.GUARDED: Policy.GUARDED,
    GuardMode.BOUNDED: Policy.HYBRID,
    GuardMode.SHARES: Policy.ESCROW,
}
"""What ``guarded`` means while a guard is so."""


def _guarded_as(terms: WorkspaceTerms, guards: Sequence[StoredGuard]) -> Policy:
    """The strictest of the guards: one that is not proven leaves shares."""
    modes = {guard.connection: GuardMode(guard.mode) for guard in guards}
    means = {MEANS[modes.get(name, GuardMode.SHARES)] for name in terms.guarded_stores}
    return next(policy for policy in (Policy.ESCROW, Policy.HYBRID, Policy.GUARDED) if policy in means)


def guarded_skus(tx: HasConnection, terms: WorkspaceTerms) -> list[str]:
    """SKUs that are kept in step and that the configuration guards, whatever that means now; not those that are planned
    together with a bundle, which are divided."""
    of_bundle = select(positions.c.lane).where(
        positions.c.workspace == terms.workspace, positions.c.bundle.is_not(None)
    )
    found = tx.conn.execute(
        select(pools.c.sku).where(pools.c.workspace == terms.workspace, pools.c.lane.not_in(of_bundle)).distinct()
    )
    configured = with_members(tx, terms.workspace, terms.for_pools())
    return sorted(sku for (sku,) in found if configured.of(sku).policy is Policy.GUARDED)


def insert_campaign(tx: HasConnection, workspace: Workspace, pattern: str, ends_at: datetime, actor: str) -> None:
    """A campaign begins now."""
    row = {"workspace": workspace, "pattern": pattern, "started_at": tx.now, "started_by": actor, "ends_at": ends_at}
    tx.conn.execute(insert(campaigns), [row])


def end_campaign(tx: HasConnection, number: int) -> bool:
    """Mark a campaign as ended; False when somebody else did."""
    ended = tx.conn.execute(
        update(campaigns).where(campaigns.c.number == number, campaigns.c.ended_at.is_(None)).values(ended_at=tx.now)
    )
    return ended.rowcount == 1


def items_of_skus(
    tx: HasConnection, workspace: Workspace, patterns: Sequence[str]
) -> dict[ConnectionName, list[ItemId]]:
    """Every item in the lanes of SKUs that one of the patterns, or words for a collection, names, store by store."""
    found = tx.conn.execute(
        select(pools.c.sku, positions.c.connection, positions.c.item_id)
        .join(positions, (positions.c.workspace == pools.c.workspace) & (positions.c.lane == pools.c.lane))
        .where(pools.c.workspace == workspace)
        .distinct()
        .order_by(positions.c.connection, positions.c.item_id)
    )
    items: defaultdict[ConnectionName, dict[ItemId, None]] = defaultdict(dict)
    wide = [pattern for pattern in patterns if "*" in pattern and not pattern.startswith(COLLECTION)]
    collections = [word.removeprefix(COLLECTION) for word in patterns if word.startswith(COLLECTION)]
    named = {*patterns, *(members_of(tx, workspace, frozenset(collections)) if collections else ())}
    for sku, connection, item in found:
        if sku in named or any(matches(pattern, sku) for pattern in wide):
            items[ConnectionName(connection)][ItemId(item)] = None
    return {connection: list(ids) for connection, ids in items.items()}
