"""Campaigns: escrow for a period, for all SKUs, or for those of a pattern or collection. They end by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.errors import NotFoundError, OutOfRangeError, RefusedError
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import COLLECTION, WorkspaceTerms
from storebridge.reconcile.campaigns import end_campaigns, plan_anew
from storebridge.store.database import Store, Tx
from storebridge.store.policies import Campaign, insert_campaign, open_campaigns, running_campaigns

EVERYTHING = "*"
MOST_HOURS = 31 * 24
MOST_CAMPAIGNS = 20
LONGEST_PATTERN = 255


class CampaignView(msgspec.Struct, frozen=True):
    """A campaign that runs."""

    skus: str
    """A SKU, a pattern or the word for a collection; ``*`` is every SKU."""
    started_at: datetime
    started_by: str
    ends_at: datetime


class Campaigns(msgspec.Struct, frozen=True):
    """Every campaign that runs now."""

    running: list[CampaignView]
    wake: frozenset[ConnectionName] = frozenset()


def start_campaign(tx: Tx, terms: WorkspaceTerms, hours: float, skus: str, *, actor: str) -> Campaigns:
    """Escrow for ``hours``. Raises RefusedError, NotFoundError; then nothing was changed."""
    if not 0 < hours <= MOST_HOURS:
        raise OutOfRangeError(f"A campaign cannot last {hours:g} hours: give a number above 0, at most {MOST_HOURS}.")
    if not skus.strip() or len(skus) > LONGEST_PATTERN:
        raise RefusedError(
            f"Name a SKU, a pattern such as TEE-* or collection:NAME, at most {LONGEST_PATTERN} characters."
        )
    running = running_campaigns(tx, terms.workspace)
    if any(campaign.pattern == skus for campaign in running):
        raise RefusedError(f"A campaign for {skus} runs already: stop it first, then start it with another end.")
    if len(running) >= MOST_CAMPAIGNS:
        raise RefusedError(f"{len(running)} campaigns run already: stop one, or use a wider pattern.")
    wake = plan_anew(tx, terms.workspace, [skus])
    if not wake:
        raise NotFoundError(
            f"No SKU that is kept in step matches {skus!r}, or none is in it by the last listing: letters count as the "
            "stores write them."
            if skus.startswith(COLLECTION)
            else f"No SKU that is kept in step matches {skus!r}: letters count as the stores write them."
        )
    ends_at = tx.now + timedelta(hours=hours)
    insert_campaign(tx, terms.workspace, skus, ends_at, actor)
    record = {"hours": hours, "ends_at": ends_at.isoformat()}
    append(
        tx,
        [AuditRow(workspace=terms.workspace, kind="campaign_started", subject=skus, actor=actor, record=record)],
    )
    return Campaigns(read_campaigns(tx, terms), wake)


def stop_campaign(tx: Tx, terms: WorkspaceTerms, skus: str | None, *, actor: str) -> Campaigns:
    """End a campaign now, or all without ``skus``. Raises NotFoundError when there is none."""
    chosen = [c for c in open_campaigns(tx, terms.workspace) if skus is None or c.pattern == skus]
    if not chosen:
        raise NotFoundError("No campaign runs." if skus is None else f"No campaign for {skus} runs.")
    wake = end_campaigns(tx, terms.workspace, chosen, actor=actor)
    return Campaigns(read_campaigns(tx, terms), wake)


def read_campaigns(tx: Tx, terms: WorkspaceTerms) -> list[CampaignView]:
    """What runs, inside a transaction."""
    return [_as_view(campaign) for campaign in running_campaigns(tx, terms.workspace)]


async def list_campaigns(store: Store, terms: WorkspaceTerms) -> Campaigns:
    """What runs."""
    return Campaigns(await store.read(read_campaigns, terms))


def _as_view(campaign: Campaign) -> CampaignView:
    return CampaignView(campaign.pattern, campaign.started_at, campaign.started_by, campaign.ends_at)


def campaign_line(campaign: CampaignView) -> str:
    """A campaign as a person reads it."""
    skus = "every SKU" if campaign.skus == EVERYTHING else campaign.skus
    return f"Campaign: {skus} under escrow until {campaign.ends_at:%Y-%m-%d %H:%M} UTC (by {campaign.started_by})."
