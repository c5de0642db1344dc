"""Turns what happened into webhooks: the event envelope, its sequence, and whether anyone listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from storebridge_sandbox.deliveries import Delivery, Outbox
from storebridge_sandbox.wix.identities import Actor, Guids
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.signing import webhook_body
from storebridge_sandbox.wix.wire import wix_date

RETRY_DELAYS_SECONDS = tuple(60.0 * minutes for minutes in (1, 10, 60, 120, 120, 120, 240, 240, 240, 480, 480, 720))
"""The published schedule: twelve retries, each counted from the failure before."""
TIMEOUT_SECONDS = 1.25

HEADERS = {"content-type": "text/plain; charset=utf-8", "user-agent": "Wix-Webhooks-Sandbox"}


class Notices:
    """The app's webhook registration and the events of one site.

    ``address`` and ``events`` stand for the app's dashboard: there is no API to set them.
    """

    def __init__(
        self,
        outbox: Outbox,
        now: Callable[[], datetime],
        new_id: Guids,
        quirks: WixQuirks,
        *,
        instance_id: str,
        site: Mapping[str, str],
    ) -> None:
        self._outbox = outbox
        self._now = now
        self._new_id = new_id
        self._quirks = quirks
        self._instance_id = instance_id
        self._site = dict(site)
        self._sequences: dict[str, int] = {}
        self.address: str | None = None
        self.events: frozenset[str] | None = None
        self.installed = True

    @property
    def site_id(self) -> str:
        """What events about the site's settings are about."""
        return self._site["siteId"]

    def wants(self, event_type: str) -> bool:
        """Whether making this event is worth the while."""
        return self.address is not None and self.installed and (self.events is None or event_type in self.events)

    def created(self, event_type: str, entity: dict[str, Any], actor: Actor) -> None:
        self._entity_event(event_type, entity, actor, {"createdEvent": self._entity("entity", entity)})

    def updated(
        self,
        event_type: str,
        entity: dict[str, Any],
        actor: Actor,
        modified: Mapping[str, Any] | None = None,
        *,
        entity_id: str | None = None,
    ) -> None:
        """``entity_id`` is given for entities that carry none themselves."""
        body = self._entity("currentEntity", entity)
        if modified is not None:
            body["modifiedFields"] = dict(modified)
        self._domain_event(event_type, entity_id or str(entity["id"]), actor, {"updatedEvent": body})

    def deleted(self, event_type: str, entity: dict[str, Any], actor: Actor, origin: str = "") -> None:
        """``origin`` is the action behind it where it was no plain deletion, such as ``merge``."""
        what = {"deletedEvent": self._entity("deletedEntity", entity), "originatedFrom": origin}
        self._entity_event(event_type, entity, actor, what)

    def acted(self, event_type: str, entity_id: str, body: dict[str, Any], actor: Actor) -> None:
        """An event that is no plain create, update or delete."""
        told = msgspec.json.encode(body).decode() if self._quirks.w20_entities_as_json_strings else body
        name = "bodyAsJson" if self._quirks.w20_entities_as_json_strings else "body"
        self._domain_event(event_type, entity_id, actor, {"actionEvent": {name: told}})

    def flat(self, event_type: str, body: dict[str, Any], actor: Actor) -> None:
        """An event of the older kind: no id, no sequence."""
        if self.wants(event_type):
            self._send(event_type, msgspec.json.encode(body).decode(), actor)

    def app_event(self, event_type: str, body: dict[str, Any], actor: Actor) -> None:
        """AppInstalled and AppRemoved go out even while the app is being removed."""
        if self.address is not None:
            self._send(event_type, msgspec.json.encode(body).decode(), actor)

    def _entity(self, name: str, entity: dict[str, Any]) -> dict[str, Any]:
        if self._quirks.w20_entities_as_json_strings:
            return {f"{name}AsJson": msgspec.json.encode(entity).decode()}
        return {name: entity}

    def _entity_event(self, event_type: str, entity: dict[str, Any], actor: Actor, what: dict[str, Any]) -> None:
        self._domain_event(event_type, str(entity["id"]), actor, what)

    def _domain_event(self, event_type: str, entity_id: str, actor: Actor, what: dict[str, Any]) -> None:
        sequence = self._sequences.get(entity_id, 0) + 1
        self._sequences[entity_id] = sequence
        event_id = self._new_id()
        if not self.wants(event_type):
            return
        fqdn, slug = _split(event_type)
        event = {
            "id": event_id,
            "entityFqdn": fqdn,
            "slug": slug,
            "entityId": entity_id,
            "eventTime": wix_date(self._now()),
            "triggeredByAnonymizeRequest": False,
            "originatedFrom": "",
            "entityEventSequence": str(sequence),
            **what,
        }
        again = None if self._quirks.w23_retries_keep_the_event_id else lambda: self._renamed(event)
        self._send(event_type, msgspec.json.encode(event).decode(), actor, again)

    def _renamed(self, event: dict[str, Any]) -> str:
        """The same event as if it were another one (W23)."""
        sequence = self._sequences[event["entityId"]] = self._sequences[event["entityId"]] + 1
        return msgspec.json.encode({**event, "id": self._new_id(), "entityEventSequence": str(sequence)}).decode()

    def _send(self, event_type: str, data: str, actor: Actor, again: Callable[[], str] | None = None) -> None:
        kind = next((fqdn for fqdn in FQDNS if event_type.startswith(f"{fqdn}_")), event_type).rpartition(".")[2]
        data = self._outbox.reshape(event_type, kind, data.encode()).decode()
        envelope = {
            "instanceId": self._instance_id,
            "eventType": event_type,
            "identity": msgspec.json.encode(actor.identity).decode(),
            "data": data,
            "accountInfo": self._site,
        }
        signed: dict[int, bytes] = {}

        def sign(attempt: int) -> tuple[Mapping[str, str], bytes]:
            at_seconds = int(self._now().timestamp())
            if attempt and again is not None:
                envelope["data"] = again()
                signed.clear()
            if at_seconds not in signed:
                signed.clear()
                signed[at_seconds] = webhook_body(envelope, at_seconds)
            return HEADERS, signed[at_seconds]

        self._outbox.send(Delivery(event_type, self.address or "", event_type, sign))


FQDNS = (
    "wix.stores.catalog.v3.inventory_item",
    "wix.stores.catalog.v3.product",
    "wix.ecom.v1.order_transactions",
    "wix.categories.v1.category",
    "wix.ecom.v1.orders_settings",
    "wix.ecom.v1.draft_order",
    "wix.ecom.v1.fulfillments",
    "wix.ecom.v1.order",
    "wix.locations.v1.location",
    "wix.contacts.v4.contact",
    "wix.contacts.v4.label",
    "wix.contacts.v4.extended_field",
    "wix.members.v1.member",
)


def _split(event_type: str) -> tuple[str, str]:
    """Entity and slug of an event type: ``wix.ecom.v1.order`` and ``payment_status_updated``."""
    fqdn = next(fqdn for fqdn in FQDNS if event_type.startswith(f"{fqdn}_"))
    return fqdn, event_type[len(fqdn) + 1 :]
