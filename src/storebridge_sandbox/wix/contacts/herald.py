"""Events about contacts: only V4 has them, whichever version made the change."""

from __future__ import annotations

from storebridge_sandbox.wix.contacts.state import Contact
from storebridge_sandbox.wix.contacts.v4_shape import contact_payload
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.notices import Notices

CONTACT = "wix.contacts.v4.contact"


class ContactHerald:
    """Sends the contact events of one site."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def contact_created(self, contact: Contact, actor: Actor) -> None:
        if self._notices.wants(f"{CONTACT}_created"):
            self._notices.created(f"{CONTACT}_created", contact_payload(contact), actor)

    def contact_updated(self, contact: Contact, actor: Actor) -> None:
        if self._notices.wants(f"{CONTACT}_updated"):
            self._notices.updated(f"{CONTACT}_updated", contact_payload(contact), actor)

    def contact_deleted(self, contact: Contact, actor: Actor, *, by_merge: bool) -> None:
        origin = "merge" if by_merge else ""
        self._notices.deleted(f"{CONTACT}_deleted", contact_payload(contact), actor, origin)

    def contact_merged(self, contact: Contact, source_ids: list[str], actor: Actor) -> None:
        body = {
            "targetContactId": contact.id,
            "sourceContactIds": source_ids,
            "targetContact": contact_payload(contact),
        }
        self._notices.acted(f"{CONTACT}_merged", contact.id, body, actor)
