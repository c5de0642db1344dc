"""Fulfilment services of the pretend Shopify shop: their location, their requests, and where goods go at the end."""

from __future__ import annotations

from typing import Any

from shopify_shop import Shop, with_shop
from test_shopify_orders import counted, create, line, movements

ADD = (
    "mutation adding($name: String!, $url: URL) { fulfillmentServiceCreate(name: $name, callbackUrl: $url) {"
    " fulfillmentService { id handle location { id name isFulfillmentService shipsInventory } }"
    " userErrors { field message } } }"
)
REMOVE = (
    "mutation removing($id: ID!, $action: FulfillmentServiceDeleteInventoryAction, $to: ID) {"
    " fulfillmentServiceDelete(id: $id, inventoryAction: $action, destinationLocationId: $to) {"
    " deletedId userErrors { field message } } }"
)
MOVE = (
    "mutation moving($id: ID!, $place: ID!) { fulfillmentOrderMove(id: $id, newLocationId: $place) {"
    " movedFulfillmentOrder { id status supportedActions { action } } userErrors { message } } }"
)
SUBMIT = (
    "mutation submitting($id: ID!) { fulfillmentOrderSubmitFulfillmentRequest(id: $id) {"
    " originalFulfillmentOrder { requestStatus } userErrors { message } } }"
)
ACCEPT = (
    "mutation accepting($id: ID!) { fulfillmentOrderAcceptFulfillmentRequest(id: $id) {"
    " fulfillmentOrder { status requestStatus } userErrors { message } } }"
)
REROUTE = (
    "mutation rerouting($ids: [ID!]!, $to: [ID!]) {"
    " fulfillmentOrdersReroute(fulfillmentOrderIds: $ids, includedLocationIds: $to) {"
    " movedFulfillmentOrders { id assignedLocation { location { id } } } userErrors { message } } }"
)
PLACE = "query place($id: ID!) { location(id: $id) { id isFulfillmentService } }"


async def added(shop: Shop, name: str, **given: Any) -> dict[str, Any]:
    answer = await shop.told(ADD, name=name, **given)
    return dict(answer["data"]["fulfillmentServiceCreate"])


async def messages(shop: Shop, name: str, **given: Any) -> list[str]:
    return [one["message"] for one in (await added(shop, name, **given))["userErrors"]]


async def removed(shop: Shop, service_id: str, **given: Any) -> dict[str, Any]:
    answer = await shop.told(REMOVE, id=service_id, **given)
    return dict(answer["data"]["fulfillmentServiceDelete"])


async def place_at(shop: Shop, place: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await shop.told(PLACE, id=place))["data"]["location"]
    return found


async def first_to_send(shop: Shop) -> str:
    made = await create(shop, "DECREMENT_OBEYING_POLICY", line(shop, "MUG", 1))
    return str(made["order"]["fulfillmentOrders"]["nodes"][0]["id"])


def test_a_service_has_a_name_of_its_own_and_a_location() -> None:
    async def play(shop: Shop) -> None:
        service = (await added(shop, "Café 3PL_North!!"))["fulfillmentService"]

        assert service["handle"] == "cafe-3pl_north"
        place = service["location"]
        assert (place["name"], place["isFulfillmentService"], place["shipsInventory"]) == (
            "Café 3PL_North!!",
            True,
            False,
        )
        assert await messages(shop, "cafe 3pl_north") == ["Name has already been taken"]
        assert await messages(shop, "Manual") == ["Name is reserved"]
        assert await messages(shop, " North") == ["Name cannot begin with a whitespace character"]
        assert await messages(shop, "", url="https://example.com/hook") == [
            "Name can't be blank",
            "Callback url is not allowed",
        ]
        assert await messages(shop, "South", url="ftp://mock.shop/hook") == [
            "Callback url protocol ftp:// is not supported"
        ]

    with_shop(play)


def test_its_goods_go_to_another_location_when_it_is_removed() -> None:
    async def play(shop: Shop) -> None:
        service = (await added(shop, "North"))["fulfillmentService"]
        place = service["location"]["id"]
        shop.store.stock.connect(shop.item("MUG"), place, available=7)

        gone = await removed(shop, service["id"], action="TRANSFER", to=shop.place(0))

        assert gone == {"deletedId": service["id"].partition("?")[0], "userErrors": []}
        assert await place_at(shop, place) is None
        assert (await counted(shop, "MUG"))["available"] == 5 + 7
        assert (await movements(shop))[-2:] == [("MUG", "transfer", 7, "api"), ("MUG", "transfer", -7, "api")]

    with_shop(play)


def test_a_location_that_is_kept_is_the_merchants() -> None:
    async def play(shop: Shop) -> None:
        service = (await added(shop, "North"))["fulfillmentService"]
        refused = await removed(shop, service["id"], action="KEEP", to=shop.place(0))
        assert refused["userErrors"][0]["field"] == ["inventoryAction"]

        await removed(shop, service["id"], action="KEEP")

        kept = await place_at(shop, service["location"]["id"])
        assert kept is not None
        assert kept["isFulfillmentService"] is False

    with_shop(play)


def test_an_order_is_sent_to_a_service_which_takes_it_on() -> None:
    async def play(shop: Shop) -> None:
        service = (await added(shop, "North"))["fulfillmentService"]
        waiting = await first_to_send(shop)
        await shop.told(MOVE, id=waiting, place=service["location"]["id"])
        await shop.told(SUBMIT, id=waiting)

        stuck = await shop.told(MOVE, id=waiting, place=shop.place(0))
        taken = await shop.told(ACCEPT, id=waiting)

        assert stuck["data"]["fulfillmentOrderMove"]["userErrors"] == [
            {"message": "Cannot move submitted fulfillment order that is at a 3PL fulfillment service."}
        ]
        assert taken["data"]["fulfillmentOrderAcceptFulfillmentRequest"]["fulfillmentOrder"] == {
            "status": "IN_PROGRESS",
            "requestStatus": "ACCEPTED",
        }

    with_shop(play)


def test_rerouting_moves_the_order_and_what_it_has_committed() -> None:
    async def play(shop: Shop) -> None:
        waiting = await first_to_send(shop)

        moved = await shop.told(REROUTE, ids=[waiting], to=[shop.place(1)])

        (one,) = moved["data"]["fulfillmentOrdersReroute"]["movedFulfillmentOrders"]
        assert one["assignedLocation"]["location"]["id"] == shop.place(1)
        assert (await counted(shop, "MUG", 0))["committed"] == 0
        assert (await counted(shop, "MUG", 1))["committed"] == 1

    with_shop(play)
