"""Questions of Wix's checkout: only what the app's key signed for this installation, and lately, is read at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from wix_answers import INSTANCE, START, HandClock, app_settings

from storebridge.connectors.port import BadSignature, UnreadableQuestion
from storebridge.connectors.wix.checkout_guard import EXTENSION, MAX_QUESTION_BYTES, WixCheckoutGuard
from storebridge.connectors.wix.translate import STORES_APP_ID
from storebridge.model.checkouts import Question, QuestionLine, Shortage, Verdict

KEY = RSAKey.generate_key(2048)
OTHER_KEY = RSAKey.generate_key(2048)
NOW = int(START.timestamp())
PRODUCT = "aaaaaaaa-0000-4000-8000-000000000001"
VARIANT = "bbbbbbbb-0000-4000-8000-000000000002"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def guard(clock: HandClock) -> WixCheckoutGuard:
    settings = app_settings(webhook_public_keys=(KEY.as_pem(private=False).decode(),))
    return WixCheckoutGuard(settings, clock)


def line(quantity: Any = 2, app: str = STORES_APP_ID) -> dict[str, Any]:
    reference = {"catalogItemId": PRODUCT, "appId": app, "options": {"variantId": VARIANT}}
    return {
        "id": "line-1",
        "quantity": quantity,
        "catalogReference": reference,
        "productName": {"original": "Blue mug"},
    }


def claims(**changes: Any) -> dict[str, Any]:
    request = {"sourceInfo": {"purchaseFlowId": "flow-1"}, "validationInfo": {"lineItems": [line()]}}
    app_id = app_settings().app_id
    told = {
        "iss": "wix.com",
        "aud": app_id,
        "iat": NOW,
        "exp": NOW + 60,
        "data": {"request": request, "metadata": {"instanceId": INSTANCE, "appExtensionType": EXTENSION}},
    }
    return {**told, **changes}


def sign(content: object, key: RSAKey = KEY) -> bytes:
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    return jws.serialize_compact({"alg": "RS256"}, json.dumps(content).encode(), key, registry=registry).encode()


def asked(lines: list[dict[str, Any]], flow: object = "flow-1") -> dict[str, Any]:
    request = {"sourceInfo": {"purchaseFlowId": flow}, "validationInfo": {"lineItems": lines}}
    return {"request": request, "metadata": {"instanceId": INSTANCE, "appExtensionType": EXTENSION}}


def test_a_basket_is_read_with_its_purchase(guard: WixCheckoutGuard) -> None:
    assert guard.read(sign(claims())) == Question(
        "flow-1", (QuestionLine("line-1", f"{PRODUCT}:{VARIANT}", 2, "Blue mug"),), START
    )


def test_what_is_wrapped_in_a_string_is_opened(guard: WixCheckoutGuard) -> None:
    assert guard.read(sign(claims(data=json.dumps(asked([line(5)]))))).lines[0].quantity == 5


def test_goods_of_other_apps_are_nothing_that_is_counted(guard: WixCheckoutGuard) -> None:
    assert guard.read(sign(claims(data=asked([line(app="other")])))).lines[0].item_id is None


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "evil.example"},
        {"aud": "another-app"},
        {"aud": None},
        {"exp": NOW - 600},
        {"iat": NOW + 900, "exp": NOW + 1200},
        {"data": {**asked([line()]), "metadata": {"instanceId": "another", "appExtensionType": EXTENSION}}},
        {"data": {**asked([line()]), "metadata": {"instanceId": INSTANCE, "appExtensionType": "ECOM_SHIPPING_RATES"}}},
    ],
)
def test_what_is_signed_for_something_else_is_forged(guard: WixCheckoutGuard, changes: dict[str, Any]) -> None:
    with pytest.raises(BadSignature):
        guard.read(sign(claims(**changes)))


@pytest.mark.parametrize("body", [b"", b"probe", b"{}", sign(claims(), OTHER_KEY), b"a." * MAX_QUESTION_BYTES])
def test_what_nobody_signed_is_forged(guard: WixCheckoutGuard, body: bytes) -> None:
    with pytest.raises(BadSignature):
        guard.read(body)


def test_a_question_is_not_answered_a_second_time_later(guard: WixCheckoutGuard, clock: HandClock) -> None:
    token = sign(claims())
    clock.seconds += 7 * 60
    with pytest.raises(BadSignature, match="replay"):
        guard.read(token)


@pytest.mark.parametrize(
    "data",
    [
        None,
        "not json",
        asked([line()], flow=""),
        asked([line()], flow="f" * 151),
        asked([line(-1)]),
        asked([line("two")]),
        asked([line()] * 301),
        {"request": {}},
    ],
)
def test_a_signed_question_of_another_shape_is_unreadable(guard: WixCheckoutGuard, data: object) -> None:
    with pytest.raises(UnreadableQuestion):
        guard.read(sign(claims(data=data)))


@pytest.mark.parametrize(
    ("left", "sentence"),
    [
        (3, "Only 3 of Blue mug left. Please lower the quantity."),
        (0, "Blue mug is no longer available."),
        (None, "We could not confirm that Blue mug is in stock just now. Please try again in a moment."),
    ],
)
def test_a_refusal_is_said_in_wixs_shape_and_a_buyers_words(
    guard: WixCheckoutGuard, left: int | None, sentence: str
) -> None:
    assert json.loads(guard.write(Verdict((Shortage("line-1", "Blue mug", left),)))) == {
        "violations": [
            {
                "severity": "ERROR",
                "target": {"lineItem": {"name": "LINE_ITEM_DEFAULT", "id": "line-1"}},
                "description": sentence,
            }
        ]
    }


def test_nothing_against_a_checkout_is_an_empty_list(guard: WixCheckoutGuard) -> None:
    assert guard.write(Verdict()) == b'{"violations":[]}'


def test_what_concerns_no_line_is_said_of_the_whole(guard: WixCheckoutGuard) -> None:
    (violation,) = json.loads(guard.write(Verdict((Shortage("", "your basket", None),))))["violations"]
    assert violation["target"] == {"other": {"name": "OTHER_DEFAULT"}}
