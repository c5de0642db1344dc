"""Campaigns in the console: what runs, until when, and a form to start one or to end it before its time."""

from __future__ import annotations

import math

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from storebridge.errors import NotFoundError, RefusedError
from storebridge.operations.run_campaign import (
    EVERYTHING,
    MOST_HOURS,
    Campaigns,
    list_campaigns,
    start_campaign,
    stop_campaign,
)
from storebridge.web.console.forms import read_form
from storebridge.web.console.order_pages import ACTOR, Frame

USUAL_HOURS = "24"


class CampaignPages:
    """The page about campaigns."""

    def __init__(self, pages: Frame) -> None:
        self._pages = pages
        self._store = pages.bridge.store

    def routes(self) -> list[Route]:
        return [Route("/campaigns", self.show), Route("/campaigns", self.change, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        return await self._show(request, {})

    async def _show(self, request: Request, form: dict[str, str], problem: str = "") -> Response:
        """The page; after a refusal with what was typed, so that nobody types it twice."""
        terms = self._pages.terms_of(request)
        return self._pages.render(
            request,
            "campaigns.html",
            409 if problem else 200,
            running=(await list_campaigns(self._store, terms)).running,
            usual=terms.policy.value,
            everything=EVERYTHING,
            most_hours=MOST_HOURS,
            skus=form.get("skus", EVERYTHING),
            hours=form.get("hours", USUAL_HOURS),
            problem=problem,
        )

    async def change(self, request: Request) -> Response:
        """Start one, or end one."""
        form = await read_form(request)
        try:
            changed = await self._carry_out(request, form)
        except (RefusedError, NotFoundError) as error:
            return await self._show(request, form if form.get("what") == "start" else {}, str(error))
        self._pages.bridge.wake(self._pages.terms_of(request).workspace, changed.wake)
        return RedirectResponse(str(request.url), 303)

    async def _carry_out(self, request: Request, form: dict[str, str]) -> Campaigns:
        terms, what, skus = self._pages.terms_of(request), form.get("what", ""), form.get("skus", "")
        if what == "start":
            hours = hours_of(form.get("hours", ""))
            return await self._store.run(start_campaign, terms, hours, skus, actor=ACTOR)
        if what == "stop" and skus:
            return await self._store.run(stop_campaign, terms, skus, actor=ACTOR)
        raise RefusedError("Say whether a campaign starts or ends; nothing was changed.")


def hours_of(text: str) -> float:
    """A number of hours as people type it, ``1.5`` or ``1,5``. Raises RefusedError."""
    try:
        hours = float(text.replace(",", "."))
    except ValueError:
        hours = math.nan
    if not math.isfinite(hours):
        raise RefusedError(f"{text[:20]!r} is no number of hours: type 6, or 1.5. Nothing was changed.")
    return hours
