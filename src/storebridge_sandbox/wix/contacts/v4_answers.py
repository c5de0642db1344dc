"""``/contacts/v4/contacts``: single contacts, lists, labels on contacts, and what the older form call does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.contacts.keys import MANAGE, READ, Keys
from storebridge_sandbox.wix.contacts.state import Contact, ContactBook, absorb
from storebridge_sandbox.wix.contacts.v4_shape import LANGUAGE, contact_payload, projected, write_info
from storebridge_sandbox.wix.jobs.answers import work_through
from storebridge_sandbox.wix.jobs.state import Jobs
from storebridge_sandbox.wix.query import Page, Question
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.wire import WixRefusal, application_error

BASE = "/contacts/v4/contacts"
BULK = "/contacts/v4/bulk/contacts"
PACKAGE = "crm_contacts"
MOST_SOURCES = 5

Told = dict[str, Any]


class ContactAnswersV4:
    """Answers about contacts in the version whose revision is a number."""

    def __init__(self, book: ContactBook, labels: Keys, fields: Keys, jobs: Jobs, quirks: WixQuirks) -> None:
        self._book = book
        self._labels = labels
        self._fields = fields
        self._jobs = jobs
        self._quirks = quirks

    def operations(self) -> list[Operation]:
        one, target = BASE + "/{contactId}", BASE + "/{targetContactId}"

        def make(name: str, method: str, path: str, handler: Handler, message: str = "", lag: Lag = None) -> Operation:
            takes = f"{PACKAGE}:{message or name[0].upper() + name[1:]}Request"
            scope = READ if lag else MANAGE
            return Operation(name, (method,), path, handler, scope, None, lag, takes=takes)

        return [
            make("listContacts", "GET", BASE, self.list_all, lag="search"),
            make("queryContacts", "POST", f"{BASE}/query", self.query, lag="search"),
            make("createContact", "POST", BASE, self.create),
            make("getContact", "GET", BASE + "/{id}", self.get, lag="get"),
            make("updateContact", "PATCH", one, self.update),
            make("deleteContact", "DELETE", one, self.delete),
            make("labelContact", "POST", f"{one}/labels", self.label),
            make("unlabelContact", "DELETE", f"{one}/labels", self.unlabel),
            make("mergeContacts", "POST", f"{target}/merge", self.merge),
            make("previewMergeContacts", "POST", f"{target}/preview-merge", self.preview),
            make("bulkDeleteContacts", "POST", f"{BULK}/delete", self.delete_many),
            make("bulkUpdateContacts", "POST", f"{BULK}/update", self.update_many),
            make("bulkLabelAndUnlabelContacts", "POST", f"{BULK}/add-remove-labels", self.label_many),
            Operation(
                "appendOrCreateContact",
                ("POST",),
                "/contacts/v4/contact-submit",
                self.submit,
                MANAGE,
                takes="crm_submitted-contact:SubmitContactRequest",
            ),
        ]

    def list_all(self, call: Call) -> Told:
        sort = call.part("sort")
        query = {"paging": call.part("paging"), "sort": [sort] if sort else None}
        return self._page(query, "", call, call.arguments)

    def query(self, call: Call) -> Told:
        query = call.part("query")
        return self._page(query, call.arguments.get("search") or "", call, query)

    def get(self, call: Call) -> Told:
        told = contact_payload(self.find(call.params["id"]))
        asked = call.arguments
        return {"contact": projected(told, asked.get("fields") or [], asked.get("fieldsets") or [])}

    def create(self, call: Call) -> Told:
        info = call.part("info")
        contact = self._book.blank(call.actor)
        self._write(contact, info)
        if not (contact.full_name or contact.emails or contact.phones):
            raise _insufficient("INSUFFICIENT_CONTACT_DATA")
        if not call.flag("allowDuplicates"):
            self._check_duplicates(contact)
        self._book.add(contact, call.actor)
        return self._told(contact, call)

    def update(self, call: Call) -> Told:
        info, contact = call.part("info"), self.find(call.params["contactId"])
        if call.arguments.get("revision") != contact.revision:
            raise application_error(
                409, "CONTACT_ALREADY_CHANGED", "entity has already changed since the requested revision"
            )
        if not info:
            raise _insufficient("INSUFFICIENT_UPDATE_CONTACT_DATA")
        changed = self._changed(contact, info)
        if not call.flag("allowDuplicates"):
            self._check_duplicates(changed)
        self._replace(contact, changed, call)
        return self._told(contact, call)

    def delete(self, call: Call) -> Told:
        contact = self.find(call.params["contactId"])
        self._check_deletable(contact)
        self._book.delete(contact, call.actor)
        call.wrote = True
        return {}

    def label(self, call: Call) -> Told:
        contact, keys = self.find(call.params["contactId"]), call.arguments["labelKeys"]
        self._check_labels(keys)
        return self._relabelled(contact, [*contact.labels, *keys], call)

    def unlabel(self, call: Call) -> Told:
        contact, keys = self.find(call.params["contactId"]), call.arguments["labelKeys"]
        return self._relabelled(contact, [key for key in contact.labels if key not in keys], call)

    def merge(self, call: Call) -> Told:
        target, sources = self._merged(call)
        if call.arguments.get("targetContactRevision") != target.revision:
            raise application_error(
                409, "CONTACT_ALREADY_CHANGED", "entity has already changed since the requested revision"
            )
        self._book.merge(target, sources, call.actor)
        return self._told(target, call)

    def preview(self, call: Call) -> Told:
        """What a merge would make; nothing changes."""
        target, sources = self._merged(call)
        made = copy.deepcopy(target)
        for source in sources:
            absorb(made, copy.deepcopy(source))
        return {"contact": contact_payload(made)}

    def submit(self, call: Call) -> Told:
        """A form was sent: the contact with the same e-mail or phone is appended to, else one is made."""
        info = call.part("info")
        fresh = self._book.blank(call.actor)
        self._write(fresh, info)
        if not (fresh.emails or fresh.phones):
            raise _insufficient("INSUFFICIENT_CONTACT_DATA")
        call.wrote = True
        named = call.arguments.get("contactId")
        known = self.find(str(named)) if named else self._same(fresh)
        if known is None:
            self._book.add(fresh, call.actor)
            return {"contactId": fresh.id, "identityType": "CONTACT", "newContact": True}
        self._book.unindex(known)
        absorb(known, fresh)
        self._book.changed(known, call.actor)
        kind = "MEMBER" if known.member_id else "CONTACT"
        return {"contactId": known.id, "identityType": kind, "newContact": False}

    def delete_many(self, call: Call) -> Told:
        def apply(contact: Contact) -> None:
            self._check_deletable(contact)
            self._book.delete(contact, call.actor)

        return self._started(call, "bulkDeleteContacts", apply)

    def update_many(self, call: Call) -> Told:
        info = call.part("info")
        return self._started(call, "bulkUpdateContacts", lambda one: self._replace(one, self._changed(one, info), call))

    def label_many(self, call: Call) -> Told:
        more, fewer = call.arguments.get("labelKeysToAdd") or [], call.arguments.get("labelKeysToRemove") or []
        self._check_labels(more)

        def apply(contact: Contact) -> None:
            self._relabelled(contact, [*(key for key in contact.labels if key not in fewer), *more], call)

        return self._started(call, "bulkLabelAndUnlabelContacts", apply)

    def find(self, contact_id: str) -> Contact:
        """Raises WixRefusal (404)."""
        contact = self._book.contacts.get(contact_id)
        if contact is None:
            raise application_error(404, "CONTACT_NOT_FOUND", f"Contact {contact_id!r} was not found")
        return contact

    # -- rules ---------------------------------------------------------------------------------------------

    def _write(self, contact: Contact, info: Told) -> None:
        self._check_labels((info.get("labelKeys") or {}).get("items") or [])
        self._check_fields((info.get("extendedFields") or {}).get("items") or {})
        write_info(contact, info, self._book.new_id)

    def _changed(self, contact: Contact, info: Told) -> Contact:
        """How the contact would be; it itself stays as it is. Raises WixRefusal."""
        changed = copy.deepcopy(contact)
        self._write(changed, info)
        if contact.member_id and contact.email and (not changed.email or changed.email.email != contact.email.email):
            raise application_error(428, "CANNOT_UPDATE_MEMBER_EMAIL", "A member changes the e-mail")
        if not (changed.full_name or changed.emails or changed.phones):
            raise _insufficient("INSUFFICIENT_CONTACT_DATA")
        return changed

    def _replace(self, contact: Contact, changed: Contact, call: Call) -> None:
        self._book.unindex(contact)
        for name in Contact.__slots__:
            setattr(contact, name, getattr(changed, name))
        self._book.changed(contact, call.actor)

    def _relabelled(self, contact: Contact, keys: Iterable[str], call: Call) -> Told:
        self._book.unindex(contact)
        contact.labels = [*dict.fromkeys(keys)]
        self._book.changed(contact, call.actor)
        return self._told(contact, call)

    def _check_duplicates(self, contact: Contact) -> None:
        """Any e-mail or phone that another contact has (W28)."""
        for email in contact.emails:
            for other in self._book.with_email(email.email, contact):
                raise self._duplicate(other, {"duplicateEmail": email.email})
        for phone in contact.phones:
            for other in self._book.with_phone(phone.phone, contact):
                raise self._duplicate(other, {"duplicatePhone": phone.phone})

    def _duplicate(self, other: Contact, what: Told) -> WixRefusal:
        return application_error(
            self._quirks.w28_duplicate_contact_status,
            "DUPLICATE_CONTACT_EXISTS",
            "Another contact has the same e-mail or phone",
            {"duplicateContactId": other.id, **what},
        )

    def _same(self, contact: Contact) -> Contact | None:
        for email in contact.emails:
            for other in self._book.with_email(email.email):
                return other
        for phone in contact.phones:
            for other in self._book.with_phone(phone.phone):
                return other
        return None

    def _check_labels(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in self._labels.keys:
                raise application_error(400, "LABEL_NOT_FOUND", f"There is no label {key!r}")

    def _check_fields(self, items: Told) -> None:
        for key, value in items.items():
            held = self._fields.keys.get(key)
            if held is None or (value is not None and not _fits(held.data_type, value)):
                raise application_error(
                    400,
                    "INVALID_EXTENDED_FIELD_VALUE",
                    f"{key!r} is no extended field, or of another type",
                )

    def _check_deletable(self, contact: Contact) -> None:
        if contact.member_id:
            raise application_error(428, "CANNOT_DELETE_MEMBER", "The contact is a member: delete the member first")

    def _merged(self, call: Call) -> tuple[Contact, list[Contact]]:
        target, ids = self.find(call.params["targetContactId"]), call.arguments.get("sourceContactIds") or []
        if target.id in ids or len(set(ids)) < len(ids) or not ids:
            raise application_error(400, "ILLEGAL_MERGE", "The sources must be other contacts, each named once")
        sources = [self.find(str(one)) for one in ids]
        if any(source.member_id for source in sources):
            raise application_error(428, "FAILED_PRECONDITION", "A member cannot be merged into another contact")
        return target, sources

    # -- lists ---------------------------------------------------------------------------------------------

    def _page(self, query: Told, search: str, call: Call, asked: Told) -> Told:
        question = LANGUAGE.read(query)
        page: Page = LANGUAGE.page(question, self._seen(call, search))
        fields, sets = asked.get("fields") or [], asked.get("fieldsets") or []
        return {
            "contacts": [projected(contact_payload(one), fields, sets) for one in page.rows],
            "pagingMetadata": {
                "count": len(page.rows),
                "offset": question.offset,
                "total": page.total,
                "tooManyToCount": False,
            },
        }

    def _seen(self, call: Call, search: str) -> Iterator[Contact]:
        moment = call.read_moment
        for contact in self._book.contacts.values():
            if (moment is None or contact.created_at <= moment) and _found(contact, search):
                yield contact

    def _started(self, call: Call, operation: str, apply: Callable[[Contact], object]) -> Told:
        filter_, search = call.arguments.get("filter"), call.arguments.get("search") or ""
        if not filter_ and not search:
            raise application_error(400, "NEITHER_FILTER_NOR_SEARCH", "Say which contacts: by filter or by search")
        question: Question = LANGUAGE.read({"filter": filter_})
        found = [(one.id, one) for one in self._book.contacts.values() if question.matches(one) and _found(one, search)]
        call.wrote = True
        return work_through(self._jobs, operation, found, apply)

    def _told(self, contact: Contact, call: Call) -> Told:
        call.wrote = True
        return {"contact": contact_payload(contact)}


def _found(contact: Contact, search: str) -> bool:
    """Plain text finds exact matches of names, e-mails and phones."""
    if not search:
        return True
    wanted = search.casefold()
    texts = [contact.first, contact.last, contact.full_name]
    texts += [one.email for one in contact.emails]
    texts += [one.phone for one in contact.phones]
    return any(wanted == text.casefold() for text in texts)


def _fits(data_type: str, value: Any) -> bool:
    if data_type == "NUMBER":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _insufficient(code: str) -> WixRefusal:
    if code == "INSUFFICIENT_CONTACT_DATA":
        return application_error(400, code, "A contact needs a name, an e-mail or a phone")
    return application_error(400, code, "There is nothing to change")
