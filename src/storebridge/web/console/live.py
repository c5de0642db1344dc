"""The first page, live: one look at the database a second for all who watch, sent as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from jinja2 import Environment
from starlette.responses import StreamingResponse

from storebridge.errors import StoreUnavailableError
from storebridge.model.ids import Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.show_overview import Overview, show_overview

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

EVERY_SECONDS = 1.0
REST = 10.0
"""A look at a large shop takes a while (0.15 s for 5,000 SKUs). The next one waits so many times as long, so that
watching costs no more than a tenth of a processor."""
LONGEST_REST_SECONDS = 10.0
"""The page says that it is live: one slow look (a long write) must not leave old numbers there for minutes."""
RATE_WINDOW_SECONDS = 10.0


class Glance(msgspec.Struct, frozen=True):
    """What the first page shows."""

    overview: Overview
    events_per_second: float
    budgets: dict[str, int]
    """Percent of each store's API budget that is free, as this process counts it."""
    at: datetime


class LiveOverview:
    """Looks at most once a second per workspace, however many watch, and less often where a look takes long."""

    def __init__(self, bridge: Bridge, templates: Environment) -> None:
        self._bridge = bridge
        self._clock = bridge.environment.clock
        self._template = templates.get_template("_overview.html")
        self._last: dict[Workspace, tuple[float, Glance]] = {}
        """The last look, and until when it is fresh."""
        self._looking: dict[Workspace, asyncio.Task[Glance]] = {}
        self._seen: dict[Workspace, list[tuple[float, int]]] = {}

    async def glance(self, terms: WorkspaceTerms) -> Glance:
        """The latest look, or a new one where that is not fresh; whoever comes while one is taken waits for it."""
        last = self._last.get(terms.workspace)
        if last is not None and self._clock.monotonic() < last[0]:
            return last[1]
        looking = self._looking.get(terms.workspace)
        if looking is None or looking.done():
            looking = self._looking[terms.workspace] = asyncio.create_task(self._look(terms))
        return await asyncio.shield(looking)  # who goes away takes it from nobody else

    async def _look(self, terms: WorkspaceTerms) -> Glance:
        began = self._clock.monotonic()
        overview = await show_overview(self._bridge.store, terms)
        ended = self._clock.monotonic()
        rate = self._rate(terms.workspace, began, overview)
        glance = Glance(overview, rate, self._budgets(terms.workspace), self._clock.now())
        rest = min(max(EVERY_SECONDS * 0.8, (ended - began) * REST), LONGEST_REST_SECONDS)
        self._last[terms.workspace] = (ended + rest, glance)
        return glance

    def _budgets(self, workspace: Workspace) -> dict[str, int]:
        connectors = self._bridge.workspaces[workspace].connectors
        return {str(name): round(connector.budget.ratio() * 100) for name, connector in connectors.items()}

    def _rate(self, workspace: Workspace, now: float, overview: Overview) -> float:
        """Deliveries a second, over the last looks."""
        seen = self._seen.setdefault(workspace, [])
        traffic = overview.status.traffic
        seen.append((now, traffic.deliveries + traffic.duplicates))
        while len(seen) > 2 and now - seen[0][0] > RATE_WINDOW_SECONDS:
            del seen[0]
        elapsed = now - seen[0][0]
        return round((seen[-1][1] - seen[0][1]) / elapsed, 1) if elapsed > 0 else 0.0

    def stream(self, terms: WorkspaceTerms) -> StreamingResponse:
        """Send the page's inner part whenever it changed."""
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._events(terms), media_type="text/event-stream", headers=headers)

    async def _events(self, terms: WorkspaceTerms) -> AsyncIterator[str]:
        sent = ""
        while True:
            try:
                glance = await self.glance(terms)
            except StoreUnavailableError as error:
                yield f"event: trouble\ndata: {json.dumps(str(error))}\n\n"
            else:
                html = self._template.render(glance=glance, now=glance.at)
                yield ": the same\n\n" if html == sent else f"event: overview\ndata: {json.dumps(html)}\n\n"
                sent = html
            await self._clock.sleep(EVERY_SECONDS)
