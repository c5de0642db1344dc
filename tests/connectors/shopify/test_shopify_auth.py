"""Tokens: given, granted, refreshed; renewed early and once, and a rotated one is kept before it is used."""

from __future__ import annotations

import asyncio

import pytest
from shopify_answers import CLIENT_SECRET, SHOP, TOKEN_PATH, HandClock, MemoryVault, ScriptedWire, answer, connect, rows

from storebridge.connectors.http import NoAnswer, Request, Response
from storebridge.connectors.port import Blame, CallTrouble, Remedy
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.connector import ShopifyConnector

HEADER = "x-shopify-access-token"
LOCATIONS = answer({"data": {"page": rows()}})
UNAUTHORIZED = answer({"errors": "[API] Invalid API key or access token"}, 401)


def ask(connector: ShopifyConnector, times: int = 1) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(*(connector.list_locations() for _ in range(times)))

    asyncio.run(all_at_once())


def proofs(wire: ScriptedWire) -> list[str]:
    return [request.headers[HEADER] for request in wire.sent("locations")]


def wire_with(*answers: Response) -> ScriptedWire:
    wire = ScriptedWire()
    wire.on("locations", *(answers or (LOCATIONS,)))
    return wire


def rotating(request: Request) -> Response:
    """Each refresh token works once: ``refresh-1`` brings ``refresh-2`` and so on."""
    form = dict(part.split("=") for part in request.body.decode().split("&"))
    number = int(form["refresh_token"].rpartition("-")[2])
    body = {
        "access_token": f"access-{number}",
        "expires_in": 3600,
        "refresh_token": f"refresh-{number + 1}",
        "refresh_token_expires_in": 7776000,
    }
    return answer(body)


class FullVault(MemoryVault):
    """Cannot save anything while it is full."""

    full = True

    async def save(self, name: str, value: str) -> None:
        if self.full:
            raise OSError("disk full")
        await super().save(name, value)


def test_a_token_is_granted_for_the_apps_own_credentials() -> None:
    wire = wire_with()
    ask(connect(wire))
    (request,) = wire.sent("token")
    assert (request.method, request.url) == ("POST", f"https://{SHOP}{TOKEN_PATH}")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert wire.forms() == [
        {"client_id": "client-1", "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
    ]
    assert proofs(wire) == ["token-1"]


def test_callers_that_wait_together_share_one_token() -> None:
    wire = wire_with()
    ask(connect(wire), times=5)
    assert wire.tokens == 1
    assert proofs(wire) == ["token-1"] * 5


def test_a_token_is_renewed_before_it_ends() -> None:
    wire, clock = wire_with(), HandClock()
    connector = connect(wire, clock)
    ask(connector)
    clock.seconds += 86399 - 301
    ask(connector)
    clock.seconds += 2
    ask(connector)
    assert proofs(wire) == ["token-1", "token-1", "token-2"]


def test_a_refused_token_is_renewed_once() -> None:
    wire = wire_with(UNAUTHORIZED, LOCATIONS)
    ask(connect(wire))
    assert proofs(wire) == ["token-1", "token-2"]


def test_a_new_token_that_is_refused_too_is_for_a_person() -> None:
    wire = wire_with(UNAUTHORIZED)
    with pytest.raises(CallTrouble) as caught:
        ask(connect(wire))
    assert (caught.value.remedy, caught.value.blame) == (Remedy.STOP, Blame.CREDENTIALS)
    assert proofs(wire) == ["token-1", "token-2"]


def test_a_403_is_not_blamed_on_a_fresh_token() -> None:
    wire = wire_with(answer("forbidden", 403))
    with pytest.raises(CallTrouble):
        ask(connect(wire))
    assert wire.tokens == 1


def test_a_given_token_is_used_and_never_renewed() -> None:
    wire = wire_with(UNAUTHORIZED)
    with pytest.raises(CallTrouble) as caught:
        ask(connect(wire, access_token=Secret("shpat_given")))
    assert caught.value.blame is Blame.CREDENTIALS
    assert (proofs(wire), wire.tokens) == (["shpat_given"], 0)


@pytest.mark.parametrize(
    ("given", "remedy", "blame"),
    [
        (answer("no", 400), Remedy.STOP, Blame.CREDENTIALS),
        (answer("no", 401), Remedy.STOP, Blame.CREDENTIALS),
        (answer("slow", 429), Remedy.RETRY, Blame.VENDOR),
        (answer("down", 503), Remedy.RETRY, Blame.VENDOR),
        (answer("{}"), Remedy.RETRY, Blame.VENDOR),
        (NoAnswer("timed out"), Remedy.RETRY, Blame.NETWORK),
    ],
)
def test_no_token_means_that_nothing_was_sent(given: Response, remedy: Remedy, blame: Blame) -> None:
    wire = wire_with()
    wire.on("token", given)
    with pytest.raises(CallTrouble) as caught:
        ask(connect(wire))
    assert (caught.value.remedy, caught.value.blame) == (remedy, blame)
    assert CLIENT_SECRET not in str(caught.value)
    assert wire.sent("locations") == []


def test_a_refresh_token_rotates_and_is_kept_before_the_new_token_is_used() -> None:
    wire, clock, vault = ScriptedWire(), HandClock(), MemoryVault()
    wire.on("token", rotating)
    seen: list[tuple[str, list[str]]] = []

    def locations(request: Request) -> Response:
        seen.append((request.headers[HEADER], list(vault.saved)))
        return LOCATIONS

    wire.on("locations", locations)
    connector = connect(wire, clock, vault, refresh_token=Secret("refresh-1"))
    ask(connector)
    clock.seconds += 3600
    ask(connector)
    assert seen == [("access-1", ["refresh-2"]), ("access-2", ["refresh-2", "refresh-3"])]
    assert [form["refresh_token"] for form in wire.forms()] == ["refresh-1", "refresh-2"]


def test_two_refreshes_never_race() -> None:
    wire, vault = wire_with(), MemoryVault()
    wire.on("token", rotating)
    ask(connect(wire, vault=vault, refresh_token=Secret("refresh-1")), times=8)
    assert vault.saved == ["refresh-2"]
    assert proofs(wire) == ["access-1"] * 8


def test_a_kept_refresh_token_wins_over_the_configured_one() -> None:
    wire = wire_with()
    wire.on("token", rotating)
    ask(connect(wire, vault=MemoryVault(refresh_token="refresh-7"), refresh_token=Secret("refresh-1")))
    assert [form["refresh_token"] for form in wire.forms()] == ["refresh-7"]


def test_when_the_app_was_installed_again_the_configured_token_helps() -> None:
    wire, vault = wire_with(), MemoryVault(refresh_token="refresh-7")
    wire.on("token", answer("spent", 400), rotating)
    ask(connect(wire, vault=vault, refresh_token=Secret("refresh-1")))
    assert [form["refresh_token"] for form in wire.forms()] == ["refresh-7", "refresh-1"]
    assert vault.saved == ["refresh-2"]


def test_a_token_that_another_process_has_just_rotated_is_read_again() -> None:
    wire, vault = wire_with(), MemoryVault(refresh_token="refresh-7")

    def spent_meanwhile(request: Request) -> Response:
        vault.kept["refresh_token"] = "refresh-8"
        return answer("spent", 400)

    wire.on("token", spent_meanwhile, rotating)
    ask(connect(wire, vault=vault, refresh_token=Secret("refresh-1")))
    assert [form["refresh_token"] for form in wire.forms()] == ["refresh-7", "refresh-8"]


def test_when_every_refresh_token_is_spent_a_person_must_act() -> None:
    wire = wire_with()
    wire.on("token", answer("spent", 400))
    with pytest.raises(CallTrouble) as caught:
        ask(connect(wire, vault=MemoryVault(refresh_token="refresh-7"), refresh_token=Secret("refresh-1")))
    assert (caught.value.remedy, caught.value.blame) == (Remedy.STOP, Blame.CREDENTIALS)
    assert [form["refresh_token"] for form in wire.forms()] == ["refresh-7", "refresh-1"]


def test_a_new_refresh_token_that_could_not_be_kept_is_not_lost() -> None:
    wire, clock, vault = wire_with(), HandClock(), FullVault()
    wire.on("token", rotating)
    connector = connect(wire, clock, vault, refresh_token=Secret("refresh-1"))
    with pytest.raises(OSError, match="disk full"):
        ask(connector)
    assert wire.sent("locations") == []
    vault.full = False
    ask(connector)
    clock.seconds += 3600
    ask(connector)
    assert [form["refresh_token"] for form in wire.forms()] == ["refresh-1", "refresh-2", "refresh-3"]
    assert vault.saved == ["refresh-3", "refresh-4"]
    assert proofs(wire) == ["access-2", "access-3"]
