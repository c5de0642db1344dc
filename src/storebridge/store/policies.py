"""Which policy and limits hold for each pool now: what is configured, and the campaigns that run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, insert, select, update

from storebridge.model.ids import ConnectionName, ItemId, Workspace
from storebridge.model.settings import LaneTerms, WorkspaceTerms, matches
from storebridge.store.lanes import HasConnection
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
    return msgspec.structs.replace(terms.for_pools(), campaigns=running)


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
    """Every item in the lanes of SKUs that one of the patterns names, store by store."""
    found = tx.conn.execute(
        select(pools.c.sku, positions.c.connection, positions.c.item_id)
        .join(positions, (positions.c.workspace == pools.c.workspace) & (positions.c.lane == pools.c.lane))
        .where(pools.c.workspace == workspace)
        .distinct()
        .order_by(positions.c.connection, positions.c.item_id)
    )
    items: defaultdict[ConnectionName, dict[ItemId, None]] = defaultdict(dict)
    for sku, connection, item in found:
        if any(matches(pattern, sku) for pattern in patterns):
            items[ConnectionName(connection)][ItemId(item)] = None
    return {connection: list(ids) for connection, ids in items.items()}
