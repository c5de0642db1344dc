"""Customers written over REST."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.rest.given import Given, address, metafields, part, renamed, rows, said, tags, wrapped
from storebridge_sandbox.shopify.rest.lists import RestLists
from storebridge_sandbox.shopify.rest.verbs import Verbs

CUSTOMER = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "note": "note",
    "tax_exempt": "taxExempt",
}
CONSENTS = {
    "email_marketing_consent": ("customerEmailMarketingConsentUpdate", "emailMarketingConsent"),
    "sms_marketing_consent": ("customerSmsMarketingConsentUpdate", "smsMarketingConsent"),
}


class RestPeople:
    """Each answers with the customer as it is then; raises RestRefused."""

    def __init__(self, verbs: Verbs, lists: RestLists) -> None:
        self._verbs = verbs
        self._lists = lists

    def create(self, content: Given, ref: str) -> dict[str, Any]:
        given = wrapped(content, "customer")
        wanted = {**_customer(given), **_consents(given)}
        payload = self._verbs.carry_out(
            "customerCreate", ref, shows="customer { id }", input=("CustomerInput!", wanted)
        )
        return self._shown(number_of(payload["customer"]["id"]))

    def update(self, number: int, content: Given, ref: str) -> dict[str, Any]:
        self._lists.one("customers", number)
        given = wrapped(content, "customer")
        customer_id = gid("Customer", number)
        wanted = {**_customer(given), "id": customer_id}
        self._verbs.carry_out("customerUpdate", ref, input=("CustomerInput!", wanted))
        for name, held in _consents(given).items():
            mutation = next(one for one, newer in CONSENTS.values() if newer == name)
            told = {"customerId": customer_id, name: held}
            kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
            self._verbs.carry_out(mutation, ref, input=(kind, told))
        return self._shown(number)

    def delete(self, number: int, ref: str) -> dict[str, Any]:
        self._lists.one("customers", number)
        wanted = {"id": gid("Customer", number)}
        self._verbs.carry_out("customerDelete", ref, input=("CustomerDeleteInput!", wanted))
        return {}

    def _shown(self, number: int) -> dict[str, Any]:
        return {"customer": self._lists.one("customers", number)}


def _customer(given: Given) -> dict[str, Any]:
    addresses = {"addresses": [address(one) for one in rows(given, "addresses")]} if "addresses" in given else {}
    return {**renamed(given, CUSTOMER), **tags(given), **metafields(given), **addresses}


def _consents(given: Given) -> dict[str, Any]:
    """``{"state": "subscribed", "opt_in_level": "single_opt_in"}`` in the words of the newer API."""
    found: dict[str, Any] = {}
    for older, (_, newer) in CONSENTS.items():
        held = part(given, older)
        if held is not None:
            told = said(held, {"state": "marketingState", "opt_in_level": "marketingOptInLevel"})
            found[newer] = {name: str(value).upper() for name, value in told.items()}
            if held.get("consent_updated_at"):
                found[newer]["consentUpdatedAt"] = held["consent_updated_at"]
    return found
