"""Refresh tokens work once: they are renewed by one process at a time, kept before they are used, and missed aloud."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import msgspec

from builders.journeys import MAIN, Journey, travel
from storebridge.config import SecretRef
from storebridge.connectors.http import Request, Response

KEY = base64.b64encode(bytes(32)).decode()


def rotate(journey: Journey) -> None:
    """The Shopify app is given expiring tokens."""
    workspace = journey.config.workspaces["main"]
    shop = msgspec.structs.replace(workspace.connections["shopify"], refresh_token=SecretRef(env="REFRESH"))
    workspace = msgspec.structs.replace(workspace, connections={**workspace.connections, "shopify": shop})
    server = msgspec.structs.replace(journey.config.server, secrets_key=SecretRef(env="KEY"))
    journey.config = msgspec.structs.replace(journey.config, workspaces={"main": workspace}, server=server)
    journey.secrets.update(REFRESH=journey.stores.shopify.tokens.first_refresh_token, KEY=KEY)


class Renewals:
    """Counts renewals; ``lose``: the process dies with the next answer in its hands."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        self.statuses: list[int] = []
        self.lose = False
        journey.wrap_transport = lambda _transport: self

    async def send(self, request: Request) -> Response:
        answer = await self._journey.network.send(request)
        if request.url.endswith("/oauth/access_token"):
            self.statuses.append(answer.status)
            if self.lose:
                raise asyncio.CancelledError  # whoever held the answer never runs again
        return answer

    async def close(self) -> None:
        return None


def test_two_workers_renew_for_hours_and_no_token_is_spent_twice() -> None:
    async def play(journey: Journey) -> None:
        rotate(journey)
        renewals = Renewals(journey)
        await journey.begin(settle=60.0)
        await journey.start_second()
        await journey.bridge.workspaces[MAIN].connectors["shopify"].probe()
        await journey.pass_time(4 * 3600.0)
        await journey.buy("wix", 2)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert len(renewals.statuses) >= 5
        assert set(renewals.statuses) == {200}
        assert await journey.reasons() == []

    travel(play, sweep_seconds=3600.0, hot_sweep_seconds=3600.0, order_poll_seconds=600.0)


def test_a_token_lost_with_its_process_is_told_and_a_new_installation_mends_it() -> None:
    async def play(journey: Journey) -> None:
        rotate(journey)
        renewals = Renewals(journey)
        await journey.begin(settle=60.0)
        renewals.lose = True
        await journey.pass_time(3700.0)
        assert 200 in renewals.statuses
        await journey.kill()
        renewals.lose = False
        await journey.buy("wix", 2)
        await journey.pass_time(200.0)  # the lease of the renewal ends
        await journey.start()
        await journey.pass_time(120.0)
        (case,) = await journey.cases("token_refresh_failed")
        assert case.payload is not None
        assert "its token was lost with us" in case.payload["message"]
        assert await _secrets_in(journey) == []
        again = journey.stores.shopify.tokens.first_refresh_token = "shprt_again"
        ends_at: dict[str, Any] = journey.stores.shopify.tokens.refresh_ends_at
        ends_at[again] = journey.clock.now().replace(year=journey.clock.now().year + 1)
        await journey.kill()
        journey.secrets["REFRESH"] = again
        await journey.start()
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []

    travel(play)


async def _secrets_in(journey: Journey) -> list[str]:
    """Where a token stands in clear in what people and auditors read."""
    told = await journey.rows("select record from audit union all select sentence || payload from cases")
    return [text for (text,) in told if "shprt_" in text or "shpat_" in text]
