"""Waiting until a bridge has nothing left to do, however long that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storebridge_proving.bridge_records import open_order_writes, read_backlog
from storebridge_proving.review_desk import settle_reviews

if TYPE_CHECKING:
    from builders.journeys import Journey

LOOK_SECONDS = 10.0
PATIENCE_SECONDS = 3600.0


async def until_quiet(journey: Journey) -> None:
    """Time passes until the orders of every store were polled, nothing waits and no case waits for the person at the
    review desk, who sees what a vendor's admin shows."""
    began, deadline = journey.clock.now(), journey.clock.monotonic() + PATIENCE_SECONDS
    while True:
        await journey.wait(LOOK_SECONDS)
        decided = await settle_reviews(journey)
        if not decided and await _polled_since(journey, began.timestamp()) and await _is_quiet(journey):
            return
        assert journey.clock.monotonic() < deadline, await _what_waits(journey)


async def until_asked(journey: Journey, reason: str) -> None:
    """Time passes, in whatever weather, until a person is asked about this; nobody answers meanwhile."""
    deadline = journey.clock.monotonic() + PATIENCE_SECONDS
    while not await journey.cases(reason):
        assert journey.clock.monotonic() < deadline, f"nobody was asked about {reason}: {await _what_waits(journey)}"
        await journey.wait(LOOK_SECONDS)


async def until_found(journey: Journey, asked: str, found: list[tuple[Any, ...]], *, every: float = 0.1) -> None:
    """Time passes, in whatever weather, until the bridge's database answers so, and no longer than that."""
    deadline = journey.clock.monotonic() + PATIENCE_SECONDS
    while (answer := await journey.rows(asked)) != found:
        assert journey.clock.monotonic() < deadline, f"{asked}: {answer}, not {found}"
        await journey.wait(every)


async def _polled_since(journey: Journey, moment: float) -> bool:
    connections = len(journey.clients)
    polls = await journey.rows("select checked_at from cursors where name = 'orders'")
    return sum(at is not None and at / 1e6 >= moment for (at,) in polls) == connections


async def _is_quiet(journey: Journey) -> bool:
    backlog = await journey.store.read(read_backlog)
    return backlog.quiet and not await journey.store.read(open_order_writes)


async def _what_waits(journey: Journey) -> str:
    writes = await journey.rows("select purpose, state, message from order_writes where state <> 'confirmed'")
    cases = [(case.reason, case.payload) for case in await journey.cases()]
    return f"still busy: {await journey.store.read(read_backlog)}, {writes}, {cases}"
