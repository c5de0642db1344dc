"""The console's page of campaigns: start one, see it, end it, and what is refused in words."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from console_world import Answer, ask, in_world

from storebridge.bootstrap import Bridge
from storebridge.web.console.app import build_console_app

HTML = {"accept": "text/html"}
START = {"what": "start", "skus": "TEE*", "hours": "6"}


async def send(app: Any, **fields: str) -> Answer:
    return await ask(app, "/campaigns", method="POST", body=urlencode(fields).encode(), headers=HTML)


async def running(app: Any) -> Any:
    return (await ask(app, "/api/v1/main/campaigns")).json["running"]


def test_a_campaign_is_started_and_ended_from_its_page_and_stands_in_the_audit() -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        assert (await send(app, **START)).status == 303
        (campaign,) = await running(app)
        assert (campaign["skus"], campaign["started_by"]) == ("TEE*", "console")
        assert campaign["ends_at"] == "2026-11-24T18:00:00Z"
        shown = (await ask(app, "/campaigns", headers=HTML)).text
        assert "<b>TEE*</b> until" in shown
        assert "6 h left" in shown
        assert (await send(app, what="stop", skus="TEE*")).status == 303
        assert await running(app) == []
        audit = (await ask(app, "/api/v1/main/audit")).json["items"]
        told = [(row["kind"], row["subject"], row["actor"]) for row in audit if row["kind"].startswith("campaign")]
        assert told == [("campaign_ended", "TEE*", "console"), ("campaign_started", "TEE*", "console")]

    in_world(play)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({**START, "hours": "six"}, "&#39;six&#39; is no number of hours: type 6, or 1.5."),
        ({**START, "hours": "inf"}, "&#39;inf&#39; is no number of hours"),
        ({**START, "hours": "0"}, "A campaign cannot last 0 hours"),
        ({**START, "hours": "745"}, "at most 744"),
        ({**START, "skus": "MUG*"}, "No SKU that is kept in step matches &#39;MUG*&#39;"),
        ({"what": "stop", "skus": "TEE*"}, "No campaign for TEE* runs."),
        ({"what": "stop"}, "Say whether a campaign starts or ends"),
        ({"what": "sell"}, "Say whether a campaign starts or ends"),
    ],
)
def test_what_cannot_be_done_is_told_on_the_page_and_changes_nothing(fields: dict[str, str], words: str) -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        before = (await ask(app, "/api/v1/main/audit")).json["items"]
        refused = await send(app, **fields)
        assert refused.status == 409
        assert words in refused.text
        typed = fields["hours"] if fields["what"] == "start" else "24"
        assert f'name="hours" value="{typed}"' in refused.text
        assert await running(app) == []
        assert (await ask(app, "/api/v1/main/audit")).json["items"] == before

    in_world(play)


def test_half_hours_are_typed_with_a_point_or_a_comma() -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        await send(app, **{**START, "hours": "1,5"})
        assert [one["ends_at"] for one in await running(app)] == ["2026-11-24T13:30:00Z"]

    in_world(play)


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_another_site_can_start_no_campaign(headers: dict[str, str]) -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        body = urlencode(START).encode()
        refused = await ask(app, "/campaigns", method="POST", body=body, headers={**HTML, **headers})
        assert refused.status == 403
        assert await running(app) == []

    in_world(play)


def test_bound_elsewhere_nobody_starts_a_campaign_without_the_token() -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        assert (await send(app, **START)).status == 401
        shown = await ask(app, "/campaigns", headers=HTML)
        assert (shown.status, shown.headers["location"]) == (303, "/sign-in")

    in_world(play, listen="0.0.0.0:8790")
