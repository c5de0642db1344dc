"""Consent of customers, as each type of the schema has words for it."""

from __future__ import annotations

from typing import Any

import pytest
from shopify_shop import Shop, with_shop

CREATE = """mutation($state: CustomerEmailMarketingState!) {
  customerCreate(input: {email: "ann@example.org", emailMarketingConsent: {marketingState: $state}}) {
    customer { defaultEmailAddress { marketingState } emailMarketingConsent { marketingState } }
    userErrors { message } } }"""


@pytest.mark.parametrize(
    ("said", "of_address"),
    [("SUBSCRIBED", "SUBSCRIBED"), ("UNSUBSCRIBED", "UNSUBSCRIBED"), ("REDACTED", "UNSUBSCRIBED")],
)
def test_an_address_tells_consent_in_words_of_its_own(said: str, of_address: str) -> None:
    """It has none for what was redacted; who asked got an error that no Shopify gives."""

    async def play(shop: Shop) -> None:
        told: dict[str, Any] = await shop.told(CREATE, state=said)
        assert "errors" not in told
        assert told["data"]["customerCreate"]["customer"] == {
            "defaultEmailAddress": {"marketingState": of_address},
            "emailMarketingConsent": {"marketingState": said},
        }

    with_shop(play)
