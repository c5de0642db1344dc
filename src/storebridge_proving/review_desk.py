"""The person behind the review desk: scripted, and shown nothing but what a vendor's admin shows.

That is the current levels and the history of adjustments with their authors. What the bridge thinks, what was
lost on the wire and what a shopper intended stay hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from storebridge.bootstrap import Bridge
from storebridge.clock import Clock, Ids
from storebridge.errors import NotFoundError, RefusedError
from storebridge.model.ids import Workspace
from storebridge.operations.settle_case import Choice, settle_case
from storebridge.store.database import Store, Tx
from storebridge_proving.bridge_records import OpenCase, open_reviews
from storebridge_proving.checker.records import read_moment
from storebridge_proving.store_client import StoreClient

WORKSPACE = Workspace("main")
EVERY_SECONDS = 60.0
NAME = "operator"


class Desk(Protocol):
    """Where the person sits: a running bridge, its database, and the admins of the stores."""

    @property
    def bridge(self) -> Bridge | None: ...

    @property
    def store(self) -> Store: ...

    @property
    def ids(self) -> Ids: ...

    @property
    def clients(self) -> Sequence[StoreClient]: ...


async def staff_the_desk(desk: Desk, clock: Clock, every_seconds: float = EVERY_SECONDS) -> None:
    """Look at the desk now and then, for ever."""
    while True:
        await clock.sleep(every_seconds)
        await settle_reviews(desk)


async def settle_reviews(desk: Desk) -> int:
    """Decide every case that waits for a person; returns how many."""
    bridge = desk.bridge
    if bridge is None:
        return 0
    reviews = await desk.store.read(open_reviews)
    if not reviews:
        return 0
    histories = {client.name: (await client.truth())["movements"] for client in desk.clients}
    terms = bridge.workspaces[WORKSPACE].terms
    for review in reviews:
        choice = decide(review, histories.get(review.connection, []))
        try:
            settled = await desk.store.run(
                settle_case, terms, desk.ids, review.case_id, choice, actor=NAME, note="as the admin shows"
            )
        except (NotFoundError, RefusedError):
            continue  # closed by proof while the histories were read, or the write may still land: looked at again
        bridge.wake(WORKSPACE, settled.wake)
    return len(reviews)


def decide(review: OpenCase, history: Sequence[dict[str, Any]]) -> Choice:
    """What the history of adjustments of that store says about the doubt."""
    if review.reason == "mass_zero_held":
        return Choice.RELEASE
    entries = [entry for entry in history if entry["sku"] == review.sku]
    if review.reason == "change_held":
        by_people = sum(e["delta"] for e in entries if e["cause"] != "api" and e["delta"] * review.units > 0)
        return Choice.ACCEPT if abs(by_people) >= abs(review.units) else Choice.REJECT
    if review.reason == "copy_return_unclear":
        raised = [e for e in entries if e["delta"] == review.units and read_moment(e["at"]) <= review.since]
        return Choice.ACCEPT if raised and raised[-1]["cause"] == "manual" else Choice.REJECT
    written = [entry for entry in entries if entry["cause"] == "api" and entry["delta"] == review.units]
    landed = any(read_moment(entry["at"]) >= review.since for entry in written)
    return Choice.APPLIED if landed else Choice.NOT_APPLIED


def cases_left(tx: Tx) -> int:
    """Reviews that still wait."""
    return len(open_reviews(tx))
