"""A copy in Wix belongs to the history of its buyer: one contact for one e-mail, however many orders."""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import copying
from builders.journeys import ANN, Journey, travel
from builders.weather import in_every_weather
from storebridge.connectors.http import Request, Response, Transport
from storebridge_proving.store_client import CartLine

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


async def copies_of(journey: Journey) -> list[Any]:
    """The contact that each copy in Wix names, as Wix tells it; empty for nobody."""
    found = await journey.rows("select document from copies where document is not null order by order_id")
    documents = [document if isinstance(document, str) else str(document) for (document,) in found]
    return [one.partition('"customer_id":"')[2].partition('"')[0] for one in documents]


async def buy(journey: Journey, *people: dict[str, str]) -> None:
    await journey.begin()
    for person in people:
        await journey.shopify.checkout([CartLine("A", 1)], person, paid=True)
        await journey.pass_time(240.0)


def contacts(journey: Journey, email: str) -> list[str]:
    return [one.id for one in journey.stores.wix.contacts.with_email(email)]


@in_every_weather
@both_databases
def test_two_orders_of_one_buyer_are_copied_to_one_contact(postgres: bool) -> None:
    bob = {"email": "bob@example.org", "first_name": "Bob"}

    async def play(journey: Journey) -> None:
        await buy(journey, ANN, bob, {**ANN, "email": "Ann@Example.org"})
        (ann,), (other,) = contacts(journey, ANN["email"]), contacts(journey, bob["email"])
        assert sorted(await copies_of(journey)) == sorted([ann, ann, other])
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying("wix"))


def test_a_contact_that_is_there_is_named_and_not_changed() -> None:
    async def play(journey: Journey) -> None:
        await journey.wix.checkout([CartLine("A", 1)], {**ANN, "first_name": "Anna"}, paid=True)
        (known,) = contacts(journey, ANN["email"])
        await buy(journey, ANN)
        assert (await copies_of(journey), contacts(journey, ANN["email"])) == ([known], [known])
        (one,) = journey.stores.wix.contacts.with_email(ANN["email"])
        assert one.first == "Anna"

    travel(play, **copying("wix"))


@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
def test_a_contact_whose_making_had_no_answer_is_made_once_and_so_is_the_copy(fate: str) -> None:
    async def play(journey: Journey) -> None:
        rule = {"operation": "upsertContact", "calls": 1, "rates": {fate: 1.0}}
        await journey.faults("wix", rules=[rule])
        await buy(journey, ANN)
        await journey.pass_time(600.0)
        (ann,) = contacts(journey, ANN["email"])
        assert await copies_of(journey) == [ann]

    travel(play, **copying("wix"))


def test_a_buyer_without_an_address_is_nobody() -> None:
    async def play(journey: Journey) -> None:
        await buy(journey, {"phone": "+15550100"})
        assert await copies_of(journey) == [""]
        assert await journey.reasons() == []

    travel(play, **copying("wix"))


class NoContacts:
    """An app that may not manage contacts."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Response:
        if "/contacts/" in request.url:
            return Response(
                403, {}, b'{"message": "Forbidden", "details": {"applicationError": {"code": "FORBIDDEN"}}}'
            )
        return await self._inner.send(request)

    async def close(self) -> None:
        await self._inner.close()


def test_where_contacts_may_not_be_managed_copies_are_made_all_the_same() -> None:
    async def play(journey: Journey) -> None:
        journey.wrap_transport = NoContacts
        await buy(journey, ANN)
        assert await copies_of(journey) == [""]
        assert await journey.reasons() == []

    travel(play, **copying("wix"))
