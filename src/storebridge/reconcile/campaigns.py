"""Campaigns begin and end by a turn of every lane concerned: its counters are read, and the turn plans anew.

From the moment a campaign is stored each turn plans escrow: stores are lowered first, and the guarantee is noted when
the lowers are confirmed. When it has ended the turn that raises a store also takes the guarantee back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from storebridge.audit.record import AuditRow, append
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.database import Tx
from storebridge.store.memberships import items_of_lanes
from storebridge.store.policies import Campaign, end_campaign, items_of_skus, open_campaigns
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency


def end_due_campaigns(tx: Tx, terms: WorkspaceTerms) -> frozenset[ConnectionName]:
    """End what has had its time; returns the stores that are to be read."""
    due = [campaign for campaign in open_campaigns(tx, terms.workspace) if campaign.ends_at <= tx.now]
    return end_campaigns(tx, terms.workspace, due, actor="storebridge")


def end_campaigns(tx: Tx, workspace: Workspace, ending: Sequence[Campaign], *, actor: str) -> frozenset[ConnectionName]:
    """End campaigns, with a row of audit each, and have their lanes planned anew."""
    ended = [campaign for campaign in ending if end_campaign(tx, campaign.number)]
    if not ended:
        return frozenset()
    append(
        tx,
        [
            AuditRow(
                workspace=workspace,
                kind="campaign_ended",
                subject=campaign.pattern,
                actor=actor,
                record={"started_by": campaign.started_by, "started_at": campaign.started_at.isoformat()},
            )
            for campaign in ended
        ],
    )
    return plan_anew(tx, workspace, [campaign.pattern for campaign in ended])


def plan_anew(
    tx: Tx, workspace: Workspace, patterns: Sequence[str], *, due_at: datetime | None = None
) -> frozenset[ConnectionName]:
    """Ask for reads of every counter in the lanes of these SKUs, now or from ``due_at`` on; the read's turn plans
    them."""
    return _ask(tx, workspace, items_of_skus(tx, workspace, patterns), due_at or tx.now)


def read_lanes_again(tx: Tx, workspace: Workspace, lanes: Collection[LaneKey]) -> frozenset[ConnectionName]:
    """The same for lanes."""
    return _ask(tx, workspace, items_of_lanes(tx, workspace, lanes), tx.now) if lanes else frozenset()


def _ask(
    tx: Tx, workspace: Workspace, items: Mapping[ConnectionName, Sequence[ItemId]], due_at: datetime
) -> frozenset[ConnectionName]:
    for connection, found in items.items():
        asks = [Ask("levels", item, int(Urgency.STOCK_READ), due_at) for item in found]
        ask_looks(tx, workspace, connection, asks)
    return frozenset(items)
