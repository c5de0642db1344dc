"""The contact whose history a copy of an order belongs to: found by e-mail, or made.

Asked right before the copy is brought in, and never in its way: without an e-mail, or where the app may not manage
contacts, the copy names nobody. A contact that is there is not changed. Both calls may be repeated: an upsert finds by
e-mail what an earlier one made (``UpsertContactRequest``, Contacts V5).
"""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.connectors.port import CallTrouble, Remedy
from storebridge.connectors.wix.client import Operation, WixClient
from storebridge.connectors.wix.errors import RefusedCall
from storebridge.connectors.wix.translate import Shape

FIND = Operation("queryContacts", "POST", "/contacts/v4/contacts/query")
MAKE = Operation("upsertContact", "POST", "/contacts/v5/contacts/upsert", writes=True)
LONGEST_EMAIL, LONGEST_NAME, LONGEST_PHONE = 320, 1000, 50


class Known(Shape, frozen=True):
    """A contact."""

    id: str


class Found(Shape, frozen=True):
    """What is used of the answer to a query."""

    contacts: tuple[Known, ...] = ()


class Upserted(Shape, frozen=True):
    """What is used of the answer to an upsert."""

    contact: Known | None = None


async def with_contact(client: WixClient, body: bytes) -> bytes:
    """The order that is to be brought in, with its buyer's contact. Raises CallTrouble where the store cannot be asked
    now: then nothing was changed that a repetition would change again."""
    content: dict[str, Any] = msgspec.json.decode(body)
    order = content["order"]
    email = str(order.get("buyerInfo", {}).get("email") or "")
    if not email or len(email) > LONGEST_EMAIL:
        return body
    try:
        contact_id = await _find(client, email) or await _make(client, email, order.get("billingInfo") or {})
    except RefusedCall as refused:
        if refused.remedy is not Remedy.STOP:
            raise
        return body
    except CallTrouble as trouble:
        if trouble.remedy is Remedy.UNKNOWN_OUTCOME:  # the order itself was not sent
            raise CallTrouble(Remedy.RETRY, trouble.blame, str(trouble), code=trouble.code) from trouble
        raise
    if contact_id is None:
        return body
    order["buyerInfo"]["contactId"] = contact_id
    return msgspec.json.encode(content)


async def _find(client: WixClient, email: str) -> str | None:
    query = {"filter": {"info.emails.email": {"$hasSome": [email]}}, "paging": {"limit": 1}}
    found = await client.read(FIND, Found, {"query": query})
    return found.contacts[0].id if found.contacts else None


async def _make(client: WixClient, email: str, billing: dict[str, Any]) -> str | None:
    """Search lags: an upsert also finds what was made a moment ago, and fills in only what is empty there."""
    told = billing.get("contactDetails") or {}
    contact: dict[str, Any] = {"email": {"email": email}}
    name = {ours: str(told[wix])[:LONGEST_NAME] for wix, ours in NAMES.items() if told.get(wix)}
    if name:
        contact["name"] = name
    if told.get("phone"):
        contact["phone"] = {"phone": str(told["phone"])[:LONGEST_PHONE]}
    made = await client.read(MAKE, Upserted, {"contact": contact, "upsertMode": "APPEND"})
    return made.contact.id if made.contact else None


NAMES = {"firstName": "first", "lastName": "last"}
