"""Who may call the Wix site: the older grant, the app's coming and going, and keys."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.settings import WixOptions

VERSION = "/stores/v3/provision/version"


async def grant(site: Site, **more: Any) -> tuple[int, Any]:
    held = site.store.credentials()
    asked = {"client_id": held["app_id"], "client_secret": held["app_secret"], **more}
    answer = await site.ask("POST", "/oauth/access", asked)
    return answer.status, msgspec.json.decode(answer.body)


async def status_with(site: Site, token: str, **headers: str) -> int:
    return (await site.ask("GET", VERSION, None, {"authorization": token, **headers})).status


def test_a_code_is_good_once_and_its_refresh_token_for_ever() -> None:
    async def play(site: Site) -> None:
        installed = msgspec.json.decode((await site.ask("POST", "/_sandbox/app/install")).body)
        first = await grant(site, grant_type="authorization_code", code=installed["code"])
        second = await grant(site, grant_type="authorization_code", code=installed["code"])
        fresh = await status_with(site, first[1]["access_token"])
        await asyncio.sleep(301)
        old = await status_with(site, first[1]["access_token"])
        again = await grant(site, grant_type="refresh_token", refresh_token=first[1]["refresh_token"])

        assert (first[0], second[0]) == (200, 400)
        assert (fresh, old, await status_with(site, again[1]["access_token"])) == (200, 401, 200)
        assert (await grant(site, grant_type="password"))[0] == 400

    with_site(play)


def test_a_code_ends_after_ten_minutes() -> None:
    async def play(site: Site) -> None:
        installed = msgspec.json.decode((await site.ask("POST", "/_sandbox/app/install")).body)
        await asyncio.sleep(601)

        assert (await grant(site, grant_type="authorization_code", code=installed["code"]))[0] == 400

    with_site(play)


def test_a_removed_app_is_let_in_no_more_hears_of_its_removal_and_of_nothing_else() -> None:
    async def play(site: Site) -> None:
        installed = msgspec.json.decode((await site.ask("POST", "/_sandbox/app/install")).body)
        _, pair = await grant(site, grant_type="authorization_code", code=installed["code"])
        await site.ask("POST", "/_sandbox/app/remove")
        await site.buy("MUG", 1)
        refused = await status_with(site, pair["access_token"])
        renewed = await grant(site, grant_type="refresh_token", refresh_token=pair["refresh_token"])
        events = [event for event in await site.events() if not event["eventType"].startswith("wix.stores")]
        app = site.store.access.app_id

        assert (refused, renewed[0]) == (401, 400)
        assert [(event["eventType"], event["event"]["appId"]) for event in events] == [
            ("AppInstalled", app),
            ("AppRemoved", app),
        ]

    with_site(play, WixOptions(webhook_url=HOOK))


def test_a_key_names_either_a_site_or_an_account() -> None:
    async def play(site: Site) -> None:
        access = site.store.access
        site_, account = {"wix-site-id": access.site_id}, {"wix-account-id": access.account_id}
        statuses = [
            await status_with(site, access.api_key, **headers)
            for headers in (site_, {}, {**site_, **account}, account, {"wix-site-id": access.account_id})
        ]

        assert statuses == [200, 400, 400, 403, 403]

    with_site(play)
