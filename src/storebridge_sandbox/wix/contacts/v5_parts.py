"""Parts of V5 contacts with calls of their own: addresses, further e-mails and phones, and the trash bin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix import bulk
from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.contacts.keys import MANAGE, READ
from storebridge_sandbox.wix.contacts.state import Contact, ContactBook
from storebridge_sandbox.wix.contacts.v5_answers import BASE, BULK, ONE, PACKAGE, ContactAnswersV5
from storebridge_sandbox.wix.contacts.v5_shape import contact_payload_v5
from storebridge_sandbox.wix.query import Field, Language
from storebridge_sandbox.wix.wire import WixRefusal, application_error, millis, read_date, validation_error

BIN = f"{BASE}/trash-bin"
MOST_MORE = 10
MOST_ADDRESSES = 50

Told = dict[str, Any]
DELETED = Language(
    {"id": Field(lambda one: one.id)}, tie=lambda one: (millis(one.updated_at), one.id), default_limit=50, most=100
)


class ContactPartAnswersV5:
    """Answers about parts of contacts. Each write is guarded by the contact's revision."""

    def __init__(self, book: ContactBook, whole: ContactAnswersV5) -> None:
        self._book = book
        self._whole = whole

    def operations(self) -> list[Operation]:
        address = ONE + "/addresses/{addressId}"

        def make(name: str, method: str, path: str, handler: Handler, lag: Lag = None) -> Operation:
            takes = f"{PACKAGE}:{name[0].upper() + name[1:]}Request"
            return Operation(f"{name}V5", (method,), path, handler, READ if lag else MANAGE, None, lag, takes=takes)

        return [
            make("addContactAdditionalEmail", "POST", f"{ONE}/additional-emails", self.add_email),
            make("addContactAdditionalPhone", "POST", f"{ONE}/additional-phones", self.add_phone),
            make("addContactAddress", "POST", f"{ONE}/addresses", self.add_address),
            make("updateContactAddress", "PATCH", address, self.update_address),
            make("deleteContactAddress", "DELETE", address, self.delete_address),
            make("listDeletedContacts", "GET", BIN, self.deleted, "search"),
            make("getDeletedContact", "GET", BIN + "/{contactId}", self.get_deleted, "get"),
            make("restoreContactFromTrashBin", "POST", BIN + "/{contactId}/restore", self.restore),
            make("removeContactFromTrashBin", "DELETE", BIN + "/{contactId}", self.remove),
            make("bulkRestoreContactsFromTrashBin", "POST", f"{BULK}/trash-bin/restore", self.restore_many),
        ]

    def add_email(self, call: Call) -> Told:
        def add(told: Told) -> Told:
            return {"additionalEmails": _one_more(told, "additionalEmails", call.part("email"), "EMAILS")}

        return self._changed(call, add)

    def add_phone(self, call: Call) -> Told:
        def add(told: Told) -> Told:
            return {"additionalPhones": _one_more(told, "additionalPhones", call.part("phone"), "PHONES")}

        return self._changed(call, add)

    def add_address(self, call: Call) -> Told:
        def add(told: Told) -> Told:
            if len(told["addresses"]) >= MOST_ADDRESSES:
                raise application_error(428, "ADDRESSES_LIMIT_REACHED", f"A contact has at most {MOST_ADDRESSES}")
            return {"addresses": [*_others(told, call.part("address")), call.part("address")]}

        return self._changed(call, add)

    def update_address(self, call: Call) -> Told:
        def change(told: Told) -> Told:
            wanted = {**call.part("address"), "id": call.params["addressId"]}
            held = _address(told, call.params["addressId"])
            kept = _others(told, wanted)
            rows = [{**held, **wanted} if row["id"] == wanted["id"] else row for row in kept]
            return {"addresses": rows}

        return self._changed(call, change)

    def delete_address(self, call: Call) -> Told:
        def drop(told: Told) -> Told:
            gone = _address(told, call.params["addressId"])
            return {"addresses": [row for row in told["addresses"] if row is not gone]}

        return self._changed(call, drop)

    def deleted(self, call: Call) -> Told:
        """The newest are not told apart from the oldest: all that were deleted and not removed for good."""
        asked = call.arguments
        page = DELETED.page(
            DELETED.read({"cursorPaging": call.part("paging")}),
            (one for one in self._book.deleted.values() if _matches(one, asked)),
        )
        return {"contacts": [contact_payload_v5(one) for one in page.rows], "pagingMetadata": page.metadata()}

    def get_deleted(self, call: Call) -> Told:
        return {"contact": contact_payload_v5(self._find_deleted(call.params["contactId"]))}

    def restore(self, call: Call) -> Told:
        contact = self._find_deleted(call.params["contactId"])
        self._book.restore(contact, call.actor)
        call.wrote = True
        return {"contact": contact_payload_v5(contact)}

    def restore_many(self, call: Call) -> Told:
        def apply(contact_id: str) -> Told:
            self._book.restore(self._find_deleted(contact_id), call.actor)
            call.wrote = True
            return {"id": contact_id}

        ids = call.arguments.get("contactIds")
        if not ids:
            raise validation_error("contactIds", "must not be empty", "MIN_SIZE", {"threshold": 1})
        return bulk.carry_out(ids, apply, str)

    def remove(self, call: Call) -> Told:
        """For good."""
        del self._book.deleted[self._find_deleted(call.params["contactId"]).id]
        call.wrote = True
        return {}

    def _changed(self, call: Call, change: Callable[[Told], Told]) -> Told:
        contact = self._whole.find(call.params["contactId"])
        asked = change(contact_payload_v5(contact))
        return self._whole.rewrite(contact, {**asked, "revision": call.arguments.get("revision")}, call)

    def _find_deleted(self, contact_id: str) -> Contact:
        contact = self._book.deleted.get(contact_id)
        if contact is None:
            raise _missing(f"Contact {contact_id!r} is not in the trash bin")
        return contact


def _one_more(told: Told, name: str, row: Told, word: str) -> list[Told]:
    if len(told[name]) >= MOST_MORE:
        raise application_error(428, f"ADDITIONAL_{word}_LIMIT_REACHED", f"A contact has at most {MOST_MORE} of these")
    return [*told[name], row]


def _address(told: Told, address_id: str) -> Told:
    for row in told["addresses"]:
        if row["id"] == address_id:
            found: Told = row
            return found
    raise application_error(404, "ADDRESS_NOT_FOUND", f"The contact has no address {address_id!r}")


def _others(told: Told, wanted: Told) -> list[Told]:
    """The addresses there are; none of them stays the default when another one becomes it."""
    if not wanted.get("defaultAddress"):
        return list(told["addresses"])
    return [{**row, "defaultAddress": False} for row in told["addresses"]]


def _matches(contact: Contact, asked: Told) -> bool:
    email, phone = contact.email, contact.phone
    wanted = {
        "externalId": contact.external_id,
        "email": email and email.email,
        "phone": phone and phone.phone,
    }
    if any(asked.get(name) and asked[name] != held for name, held in wanted.items()):
        return False
    if asked.get("contactIds") and contact.id not in asked["contactIds"]:
        return False
    at = millis(contact.updated_at)
    start, end = (_moment(asked, name) for name in ("deletedFromDate", "deletedToDate"))
    return (start is None or at >= start) and (end is None or at <= end)


def _moment(asked: Told, name: str) -> int | None:
    if not asked.get(name):
        return None
    try:
        return read_date(asked[name])
    except ValueError as error:
        raise validation_error(name, "must be a moment in ISO 8601", "FORMAT") from error


def _missing(what: str) -> WixRefusal:
    return application_error(404, "NOT_FOUND", what)
