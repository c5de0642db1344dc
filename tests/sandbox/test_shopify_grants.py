"""How an app comes by a token of the pretend Shopify shop: with a merchant's approval, or for a session token."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.shop.grants import EXCHANGE, ID_TOKEN, OFFLINE, ONLINE

SHOP = "query Q { shop { name } }"
CALLBACK = "https://app.example/auth/callback"


async def approved(shop: Shop, **more: str) -> dict[str, str]:
    """The parameters that the browser brings back to the app."""
    held = shop.store.credentials()
    asked = {"client_id": held["client_id"], "redirect_uri": CALLBACK, "state": "s-1", "scope": "read_products", **more}
    answer = await shop.ask("GET", f"/admin/oauth/authorize?{urlencode(asked)}")
    assert answer.status == 302
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == CALLBACK
    return dict(parse_qsl(back.query))


async def works(shop: Shop, token: str) -> bool:
    return (await shop.answer_to(SHOP, {}, token)).status == 200


async def exchange(shop: Shop, session: str, wanted: str = OFFLINE, **more: str) -> tuple[int, dict[str, object]]:
    return await shop.grant(
        grant_type=EXCHANGE, subject_token=session, subject_token_type=ID_TOKEN, requested_token_type=wanted, **more
    )


async def session_token(shop: Shop) -> str:
    return str((await shop.play("session_token"))[1]["session_token"])


def test_an_approved_app_gets_a_lasting_token_for_its_code_once() -> None:
    async def play(shop: Shop) -> None:
        back = await approved(shop)
        told = urlencode(sorted((name, value) for name, value in back.items() if name != "hmac"))
        secret = shop.store.credentials()["client_secret"].encode()
        assert back["hmac"] == hmac.new(secret, told.encode(), hashlib.sha256).hexdigest()
        assert (back["state"], back["shop"]) == ("s-1", shop.store.credentials()["shop"])
        status, granted = await shop.grant(code=back["code"])
        assert (status, set(granted)) == (200, {"access_token", "scope"})
        again = await shop.grant(code=back["code"])
        assert (again[0], again[1]["error"]) == (400, "invalid_request")
        await shop.clock.sleep(90 * 86_400)
        assert await works(shop, granted["access_token"])

    with_shop(play)


def test_a_code_of_yesterday_is_worth_nothing() -> None:
    async def play(shop: Shop) -> None:
        back = await approved(shop)
        await shop.clock.sleep(61)
        assert (await shop.grant(code=back["code"]))[0] == 400

    with_shop(play)


def test_a_code_per_user_makes_a_token_that_names_the_user_and_ends_with_the_day() -> None:
    async def play(shop: Shop) -> None:
        back = await approved(shop, **{"grant_options[]": "per-user"})
        status, granted = await shop.grant(code=back["code"])
        assert (status, granted["expires_in"], granted["associated_user"]["account_owner"]) == (200, 86_399, True)
        await shop.clock.sleep(86_400)
        assert not await works(shop, granted["access_token"])

    with_shop(play)


@pytest.mark.parametrize("asked", [{"client_id": "x"}, {"redirect_uri": "nowhere"}, {"redirect_uri": "http://[/"}])
def test_an_approval_is_refused_to_a_stranger_and_without_a_way_back(asked: dict[str, str]) -> None:
    async def play(shop: Shop) -> None:
        good = {"client_id": shop.store.credentials()["client_id"], "redirect_uri": CALLBACK}
        answer = await shop.ask("GET", f"/admin/oauth/authorize?{urlencode({**good, **asked})}")
        assert answer.status == 400

    with_shop(play)


def test_a_session_token_is_exchanged_for_lasting_expiring_and_online_tokens() -> None:
    async def play(shop: Shop) -> None:
        session = await session_token(shop)
        kinds = [
            await exchange(shop, session),
            await exchange(shop, session, expiring="1"),
            await exchange(shop, session, ONLINE),
        ]
        assert [status for status, _ in kinds] == [200, 200, 200]
        assert [told.get("expires_in") for _, told in kinds] == [None, 3600, 86_399]
        assert ["refresh_token" in told for _, told in kinds] == [False, True, False]
        assert all([await works(shop, str(told["access_token"])) for _, told in kinds])

    with_shop(play)


def test_a_session_token_that_was_tampered_with_is_old_or_of_another_kind_is_refused() -> None:
    async def play(shop: Shop) -> None:
        session = await session_token(shop)
        head, body, seal = session.split(".")
        refused = [
            await exchange(shop, f"{head}.{body}.{seal[::-1]}"),
            await exchange(shop, f"{head}.{body[:-2]}.{seal}"),
            await exchange(shop, "nonsense"),
            await exchange(shop, session, "a kind of mine"),
        ]
        await shop.clock.sleep(71)
        refused.append(await exchange(shop, session))
        assert [(status, told["error"]) for status, told in refused] == [
            (400, "invalid_subject_token"),
            (400, "invalid_subject_token"),
            (400, "invalid_subject_token"),
            (400, "invalid_request"),
            (400, "invalid_subject_token"),
        ]

    with_shop(play)
