"""The first page, live: one look at the database a second for all who watch, sent as server-sent events."""

from __future__ import annotations

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
RATE_WINDOW_SECONDS = 10.0


class Glance(msgspec.Struct, frozen=True):
    """What the first page shows."""

    overview: Overview
    events_per_second: float
    budgets: dict[str, int]
    """Percent of each store's API budget that is free, as this process counts it."""
    at: datetime


class LiveOverview:
    """Looks at most once a second per workspace, however many watch."""

    def __init__(self, bridge: Bridge, templates: Environment) -> None:
        self._bridge = bridge
        self._clock = bridge.environment.clock
        self._template = templates.get_template("_overview.html")
        self._last: dict[Workspace, tuple[float, Glance]] = {}
        self._seen: dict[Workspace, list[tuple[float, int]]] = {}

    async def glance(self, terms: WorkspaceTerms) -> Glance:
        """The latest look, taken now unless the last one is fresh."""
        now = self._clock.monotonic()
        last = self._last.get(terms.workspace)
        if last is not None and now - last[0] < EVERY_SECONDS * 0.8:
            return last[1]
        overview = await show_overview(self._bridge.store, terms)
        rate = self._rate(terms.workspace, now, overview)
        glance = Glance(overview, rate, self._budgets(terms.workspace), self._clock.now())
        self._last[terms.workspace] = (now, glance)
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
