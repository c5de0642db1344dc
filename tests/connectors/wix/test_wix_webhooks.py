"""Deliveries of Wix: what the app's key signed for this installation is let in, and only as a place to look."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import RSAKey
from wix_answers import INSTANCE, START, HandClock, app_settings

from storebridge.connectors.port import BadSignature, VerifiedDelivery
from storebridge.connectors.wix.webhooks import MAX_DELIVERY_BYTES, PRODUCT_TOPICS, WixWebhooks
from storebridge.errors import ConfigurationError
from storebridge.model.signals import Flow, Hint

KEY = RSAKey.generate_key(2048)
OTHER_KEY = RSAKey.generate_key(2048)
PEM = KEY.as_pem(private=False).decode()
NOW = int(START.timestamp())
PRODUCT = "aaaaaaaa-0000-4000-8000-000000000001"
VARIANT = "bbbbbbbb-0000-4000-8000-000000000002"
ITEM = f"{PRODUCT}:{VARIANT}"
STOCK_TOPIC = "wix.stores.catalog.v3.inventory_item_updated_with_reason"
STOCK_ITEM = {"id": "item-1", "productId": PRODUCT, "variantId": VARIANT, "revision": "7", "quantity": 3}


def stock_event(**changes: Any) -> dict[str, Any]:
    event = {
        "id": "event-1",
        "entityFqdn": "wix.stores.catalog.v3.inventory_item",
        "slug": "updated_with_reason",
        "entityId": "item-1",
        "actionEvent": {"body": {"currentEntity": STOCK_ITEM, "reason": "ORDER"}},
    }
    return {**event, **changes}


def envelope(event: object, topic: str = STOCK_TOPIC, instance: str = INSTANCE) -> dict[str, Any]:
    return {
        "instanceId": instance,
        "eventType": topic,
        "identity": '{"identityType":"APP"}',
        "data": event if isinstance(event, str) else json.dumps(event),
    }


def sign(claims: object, key: RSAKey = KEY, **header: Any) -> bytes:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    return jws.serialize_compact({"alg": "RS256", **header}, payload, key, registry=registry).encode()


def delivery(
    event: object, topic: str = STOCK_TOPIC, *, instance: str = INSTANCE, made: int = NOW, **changes: Any
) -> bytes:
    data = json.dumps(envelope(event, topic, instance))
    return sign({"data": data, "iat": made, "exp": made + 3600, **changes})


def webhooks(*pems: str, clock: HandClock | None = None, **changes: object) -> WixWebhooks:
    return WixWebhooks(app_settings(webhook_public_keys=pems or (PEM,), **changes), clock or HandClock())


def segment(value: object) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def test_a_stock_event_points_at_its_item_and_says_which_revision_it_speaks_of() -> None:
    told = webhooks().verify({}, delivery(stock_event()))

    assert told == VerifiedDelivery(
        delivery_id="event-1",
        topic=STOCK_TOPIC,
        account=INSTANCE,
        sent_at=START,
        hints=(Hint(Flow.STOCK, ITEM, "7"),),
    )


@pytest.mark.parametrize("as_text", [True, False])
def test_objects_and_json_strings_are_read_alike_on_both_levels(as_text: bool) -> None:
    outer = {**envelope(stock_event()), "data": json.dumps(stock_event()) if as_text else stock_event()}
    body = sign({"data": json.dumps(outer) if as_text else outer, "iat": NOW, "exp": NOW + 60})

    told = webhooks().verify({}, body)

    assert (told.delivery_id, told.hints, told.problem) == ("event-1", (Hint(Flow.STOCK, ITEM, "7"),), "")


@pytest.mark.parametrize(
    "carried",
    [
        {"createdEvent": {"entity": STOCK_ITEM}},
        {"createdEvent": {"entityAsJson": json.dumps(STOCK_ITEM)}},
        {"updatedEvent": {"currentEntity": json.dumps(STOCK_ITEM)}},
        {"updatedEvent": {"currentEntityAsJson": json.dumps(STOCK_ITEM)}},
        {"deletedEvent": {"deletedEntity": STOCK_ITEM}},
        {"actionEvent": {"body": json.dumps({"currentEntity": STOCK_ITEM, "reason": "MANUAL"})}},
        {"actionEvent": {"bodyAsJson": json.dumps({"currentEntity": json.dumps(STOCK_ITEM)})}},
    ],
)
def test_every_kind_of_inventory_event_names_its_item(carried: dict[str, Any]) -> None:
    event = {"id": "event-2", "entityId": "item-1", **carried}

    told = webhooks().verify({}, delivery(event, "wix.stores.catalog.v3.inventory_item_updated"))

    assert told.hints == (Hint(Flow.STOCK, ITEM, "7"),)


@pytest.mark.parametrize(
    ("topic", "event", "hint"),
    [
        ("wix.ecom.v1.order_created", {"entityId": "o1", "createdEvent": {"entity": {"id": "o1"}}}, "o1"),
        (
            "wix.ecom.v1.order_approved",
            {"entityId": "o1", "actionEvent": {"body": {"order": {"id": "o1"}}}},
            "o1",
        ),
        ("wix.ecom.v1.order_canceled", {"entityId": "o1"}, "o1"),
        (
            "wix.ecom.v1.fulfillments_updated",
            {"entityId": "f1", "updatedEvent": {"currentEntity": {"orderId": "o1", "fulfillments": []}}},
            "o1",
        ),
        (
            "wix.ecom.v1.order_transactions_refund_completed",
            {"entityId": "t1", "actionEvent": {"body": {"orderId": "o1", "refund": {}}}},
            "o1",
        ),
    ],
)
def test_order_payment_and_parcel_events_point_at_the_order(topic: str, event: dict[str, Any], hint: str) -> None:
    assert webhooks().verify({}, delivery({"id": "e", **event}, topic)).hints == (Hint(Flow.ORDERS, hint),)


@pytest.mark.parametrize(
    "topic",
    [
        "wix.ecom.v1.orders_settings_updated",
        "wix.locations.v1.location_updated",
        "AppInstalled",
        "AppRemoved",
        "wix.devcenter.app_instance.v1.app_instance_removed",
    ],
)
@pytest.mark.parametrize("event", [{"id": "e", "entityId": "x"}, {}, ""])
def test_events_about_the_store_point_at_the_store(topic: str, event: object) -> None:
    assert webhooks().verify({}, delivery(event, topic)).hints == (Hint(Flow.STORE, "store"),)


def test_product_events_point_at_the_product() -> None:
    told = webhooks().verify({}, delivery({"id": "e", "entityId": "p1"}, PRODUCT_TOPICS[0]))

    assert (PRODUCT_TOPICS[0], told.hints) == (
        "wix.stores.catalog.v3.product_created",
        (Hint(Flow.PRODUCTS, "p1"),),
    )


def test_an_old_catalogues_event_has_no_id_so_its_bytes_name_it() -> None:
    topic = "com.wix.ecommerce.inventory.api.v1.InventoryVariantsChanged"
    event = {"inventoryItemId": "i", "productId": PRODUCT, "variants": [{"id": VARIANT}, {"id": "v2"}]}
    body = delivery(event, topic)

    told = webhooks().verify({}, body)

    assert told.delivery_id == hashlib.sha256(body).hexdigest()
    assert told.hints == (Hint(Flow.STOCK, ITEM), Hint(Flow.STOCK, f"{PRODUCT}:v2"))


def test_the_same_delivery_again_has_the_same_id() -> None:
    first = webhooks().verify({}, delivery(stock_event()))
    again = webhooks().verify({}, delivery(stock_event(), made=NOW + 60))

    assert first.delivery_id == again.delivery_id


# Forgeries


def refused(body: bytes, **changes: object) -> str:
    with pytest.raises(BadSignature) as caught:
        webhooks(**changes).verify({}, body)
    return str(caught.value)


def test_a_token_without_a_signature_is_refused() -> None:
    header, payload, _ = delivery(stock_event()).split(b".")
    none = segment({"alg": "none"})

    for body in (
        none + b"." + payload + b".",
        none + b"." + payload + b".AAAA",
        header + b"." + payload + b".",
    ):
        refused(body)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "RS384", "RS512", "PS256", "ES256", None, 1])
def test_the_token_does_not_choose_the_algorithm(algorithm: object) -> None:
    _, payload, signature = delivery(stock_event()).split(b".")

    assert "RS256" in refused(segment({"alg": algorithm}) + b"." + payload + b"." + signature)


def test_the_public_key_used_as_an_hmac_secret_is_refused() -> None:
    _, payload, _ = delivery(stock_event()).split(b".")
    for secret in (PEM.encode(), PEM.strip().encode(), base64.b64encode(PEM.encode())):
        signed = segment({"alg": "HS256"}) + b"." + payload
        mac = segment(hmac.new(secret, signed, hashlib.sha256).digest())
        refused(signed + b"." + mac)


def test_a_stronger_signature_of_the_right_key_is_still_not_rs256() -> None:
    registry = jws.JWSRegistry(algorithms=["RS512"])
    payload = json.dumps({"data": json.dumps(envelope(stock_event())), "iat": NOW}).encode()
    body = jws.serialize_compact({"alg": "RS512"}, payload, KEY, registry=registry).encode()

    refused(body)


def test_a_key_carried_in_the_token_is_not_believed() -> None:
    own = OTHER_KEY.as_dict(private=False)
    body = sign({"data": json.dumps(envelope(stock_event())), "iat": NOW}, OTHER_KEY, kid="evil")
    payload = body.split(b".")[1]
    forged = segment({"alg": "RS256", "jwk": own}) + b"." + payload
    signature = segment(OTHER_KEY.private_key.sign(forged, PKCS1v15(), SHA256()))

    refused(body)
    refused(forged + b"." + signature)


def test_one_changed_bit_anywhere_is_refused() -> None:
    body = delivery(stock_event())
    checker = webhooks()
    places = [*range(0, len(body), 37), *range(len(body) - 12, len(body))]
    for place in places:
        for bit in range(8):
            changed = bytearray(body)
            changed[place] ^= 1 << bit
            with pytest.raises(BadSignature):
                checker.verify({}, bytes(changed))


def test_a_delivery_for_another_installation_is_refused_although_the_app_signed_it() -> None:
    assert "another installation" in refused(delivery(stock_event(), instance="someone-else"))


def test_without_an_instance_the_site_must_match() -> None:
    told = {**envelope(stock_event()), "accountInfo": {"siteId": "site-1"}}
    body = sign({"data": json.dumps(told), "iat": NOW})
    keyless = {"instance_id": None, "site_id": "site-1"}

    assert webhooks(**keyless).verify({}, body).account == "site-1"
    refused(body, instance_id=None, site_id="site-2")
    refused(body, instance_id=None, site_id=None)
    refused(sign({"data": json.dumps(envelope(stock_event())), "iat": NOW}), **keyless)


@pytest.mark.parametrize("header", [{"crit": ["b64"], "b64": False}, {"b64": False}, {"crit": ["exp"], "exp": 1}])
def test_extensions_of_the_header_are_refused(header: dict[str, Any]) -> None:
    _, payload, signature = delivery(stock_event()).split(b".")

    refused(segment({"alg": "RS256", **header}) + b"." + payload + b"." + signature)


def test_headers_that_mean_nothing_are_allowed() -> None:
    data = json.dumps(envelope(stock_event()))

    assert webhooks().verify({}, sign({"data": data, "iat": NOW}, typ="JWT", kid="1", x="y")).hints


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"{}",
        b"a.b",
        b"a.b.c",
        b"a.b.c.d",
        b"\xff\xfe.\x00.\x00",
        segment(b"[" * 1500) + b".e30.AAAA",
        segment(b'{"alg":"HS256","alg":"RS256"}') + b".e30.AAAA",
        segment([]) + b".e30.AAAA",
        b"A" * (MAX_DELIVERY_BYTES + 1),
    ],
    ids=range(10),
)
def test_junk_is_refused(junk: bytes) -> None:
    refused(junk)


def test_without_a_key_nothing_is_let_in() -> None:
    with pytest.raises(BadSignature):
        WixWebhooks(app_settings(), HandClock()).verify({}, delivery(stock_event()))


def test_two_keys_are_accepted_while_one_is_rotated() -> None:
    both = webhooks(OTHER_KEY.as_pem(private=False).decode(), PEM)
    data = json.dumps(envelope(stock_event()))

    assert both.verify({}, delivery(stock_event())).hints
    assert both.verify({}, sign({"data": data, "iat": NOW}, OTHER_KEY)).hints


def test_the_key_may_be_base64_of_pem_as_the_dashboard_shows_it() -> None:
    shown = base64.b64encode(PEM.encode()).decode()
    broken_in_lines = "\n".join(shown[at : at + 64] for at in range(0, len(shown), 64))

    assert webhooks(broken_in_lines).verify({}, delivery(stock_event())).hints


@pytest.mark.parametrize("key", ["", "not a key", KEY.as_pem(private=True).decode(), "LS0tLS0="])
def test_a_key_that_is_none_is_a_configuration_error(key: str) -> None:
    with pytest.raises(ConfigurationError, match="webhook_public_key"):
        webhooks(key)


# Signed, but odd


@pytest.mark.parametrize("late", [timedelta(hours=2), timedelta(hours=48)])
def test_a_retry_after_its_token_ended_is_taken_like_any_other(late: timedelta) -> None:
    clock = HandClock()
    clock.seconds += late.total_seconds()

    told = webhooks(clock=clock).verify({}, delivery(stock_event()))

    assert (told.sent_at, told.hints, told.problem) == (START, (Hint(Flow.STOCK, ITEM, "7"),), "")


def test_a_delivery_older_than_any_retry_is_flagged_and_not_lost() -> None:
    clock = HandClock()
    clock.seconds += timedelta(days=9).total_seconds()

    told = webhooks(clock=clock).verify({}, delivery(stock_event()))

    assert told.hints == (Hint(Flow.STOCK, ITEM, "7"),)
    assert "2026-11-24T10:00:00+00:00" in told.problem


def test_a_delivery_from_the_future_is_flagged_and_not_lost() -> None:
    told = webhooks().verify({}, delivery(stock_event(), made=NOW + 3600))
    nearly = webhooks().verify({}, delivery(stock_event(), made=NOW + 240))

    assert told.hints == (Hint(Flow.STOCK, ITEM, "7"),)
    assert "future" in told.problem
    assert nearly.problem == ""


@pytest.mark.parametrize(
    "claims",
    [
        b"not json",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"data":"x","data":"y"}',
        b'{"data":NaN}',
        b"[]",
        b'{"data":17}',
        json.dumps({"data": "[" * 1000}).encode(),
        json.dumps({"data": json.dumps([1])}).encode(),
    ],
    ids=range(9),
)
def test_a_signed_but_unreadable_delivery_is_let_in_with_a_problem(claims: bytes) -> None:
    body = sign(claims)

    told = webhooks().verify({}, body)

    assert told.problem
    assert (told.account, told.hints) == (INSTANCE, ())
    assert told.delivery_id == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("topic", "event"),
    [
        (STOCK_TOPIC, stock_event(actionEvent={"body": {"currentEntity": {"id": "i"}}})),
        (STOCK_TOPIC, "[" * 5000),
        (STOCK_TOPIC, "[1]"),
        ("wix.ecom.v1.order_created", {"id": "e"}),
        ("wix.ecom.v1.order_created", {"id": "e", "entityId": "x" * 500}),
        ("wix.something.nobody.knows", {"id": "e"}),
        ("", {"id": "e"}),
        ("com.wix.ecommerce.inventory.api.v1.InventoryVariantsChanged", {"productId": "p", "variants": [1]}),
    ],
    ids=range(8),
)
def test_a_signed_event_of_unknown_shape_is_let_in_with_a_problem(topic: str, event: object) -> None:
    told = webhooks().verify({}, delivery(event, topic))

    assert told.problem
    assert (told.account, told.topic, told.hints) == (INSTANCE, topic, ())


def test_a_large_delivery_is_read() -> None:
    padded = stock_event(extra="x" * 500_000)

    assert webhooks().verify({}, delivery(padded)).hints == (Hint(Flow.STOCK, ITEM, "7"),)
