"""``/contacts/v5/contacts``: single contacts, found by what identifies them, put in or updated in one call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from storebridge_sandbox.wix import bulk
from storebridge_sandbox.wix.aggregations import aggregate
from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.contacts.keys import MANAGE, READ
from storebridge_sandbox.wix.contacts.state import Contact, ContactBook, absorb
from storebridge_sandbox.wix.contacts.v5_shape import LANGUAGE, SEARCH, contact_payload_v5, tags_of, write_contact
from storebridge_sandbox.wix.jobs.answers import work_through
from storebridge_sandbox.wix.jobs.state import Jobs
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.wire import application_error, validation_error

BASE = "/contacts/v5/contacts"
BULK = "/contacts/v5/bulk/contacts"
ONE = BASE + "/{contactId}"
PACKAGE = "crm_contacts-v-5"
MOST_MATCHES = 100

Told = dict[str, Any]


class ContactAnswersV5:
    """Answers about contacts in the flat version, whose revision is a text."""

    def __init__(self, book: ContactBook, jobs: Jobs, quirks: WixQuirks) -> None:
        self._book = book
        self._jobs = jobs
        self._quirks = quirks

    def operations(self) -> list[Operation]:
        def make(name: str, methods: str, path: str, handler: Handler, lag: Lag = None) -> Operation:
            takes = f"{PACKAGE}:{name[0].upper() + name[1:]}Request"
            scope = READ if lag else MANAGE
            return Operation(f"{name}V5", tuple(methods.split()), path, handler, scope, None, lag, takes=takes)

        return [
            make("queryContacts", "GET POST", f"{BASE}/query", self.query, "search"),
            make("searchContacts", "GET POST", f"{BASE}/search", self.search, "search"),
            make("countContacts", "POST", f"{BASE}/count", self.count, "search"),
            make("findMatchingContacts", "GET", f"{BASE}/find-matching", self.matching, "get"),
            make("createContact", "POST", BASE, self.create),
            make("upsertContact", "POST", f"{BASE}/upsert", self.upsert),
            make("updateContact", "PATCH", ONE, self.update),
            make("getContact", "GET", ONE, self.get, "get"),
            make("deleteContact", "DELETE", ONE, self.delete),
            make("updateContactTags", "POST", f"{ONE}/update-tags", self.tag),
            make("mergeContacts", "POST", BASE + "/{targetContactId}/merge", self.merge),
            make("bulkCreateContacts", "POST", f"{BULK}/create", self.create_many),
            make("bulkUpdateContacts", "POST", f"{BULK}/update", self.update_many),
            make("bulkUpsertContacts", "POST", f"{BULK}/upsert", self.upsert_many),
            make("bulkDeleteContacts", "POST", f"{BULK}/delete", self.delete_many),
            make("bulkDeleteContactsByFilter", "POST", f"{BULK}/delete-by-filter", self.delete_by_filter),
            make("bulkUpdateContactTags", "POST", f"{BULK}/update-tags", self.tag_many),
        ]

    def query(self, call: Call) -> Told:
        page = LANGUAGE.page(LANGUAGE.read(call.part("query")), self._seen(call))
        return {"contacts": [contact_payload_v5(one) for one in page.rows], "pagingMetadata": page.metadata()}

    def search(self, call: Call) -> Told:
        asked = call.part("search")
        page = SEARCH.page(SEARCH.read(asked), self._seen(call))
        told: Told = {"contacts": [contact_payload_v5(one) for one in page.rows], "pagingMetadata": page.metadata()}
        if asked.get("aggregations"):
            told["aggregationData"] = aggregate(SEARCH, asked["aggregations"], page.found)
        return told

    def count(self, call: Call) -> Told:
        words = call.arguments.get("search")
        search = {"expression": words} if words else None
        question = SEARCH.read({"filter": call.arguments.get("filter"), "search": search})
        return {"count": SEARCH.count(question, self._seen(call))}

    def matching(self, call: Call) -> Told:
        """By external id first, then e-mail, then phone."""
        asked = call.arguments
        if not any(asked.get(name) for name in ("externalId", "email", "phone")):
            raise application_error(400, "NO_IDENTIFIER_PROVIDED", "Give an external id, an e-mail or a phone")
        found = self._matches(asked.get("externalId"), asked.get("email"), asked.get("phone"))
        return {"contacts": [contact_payload_v5(one) for one, _ in found[:MOST_MATCHES]]}

    def create(self, call: Call) -> Told:
        return self._told(self._created(call.part("contact"), call), call)

    def update(self, call: Call) -> Told:
        return self._told(self._updated(call.params["contactId"], call.part("contact"), call), call)

    def upsert(self, call: Call) -> Told:
        contact, action = self._upserted(call.part("contact"), call)
        return {**self._told(contact, call), "action": action}

    def get(self, call: Call) -> Told:
        return {"contact": contact_payload_v5(self.find(call.params["contactId"]))}

    def delete(self, call: Call) -> Told:
        self._delete(self.find(call.params["contactId"]), call)
        return {}

    def tag(self, call: Call) -> Told:
        _check_tags(call)
        return self._told(self._tagged(self.find(call.params["contactId"]), call), call)

    def merge(self, call: Call) -> Told:
        target, ids = self.find(call.params["targetContactId"]), call.arguments.get("sourceContactIds") or []
        self._check_revision(target, call.arguments.get("targetContactRevision"))
        sources = self._sources(target, ids)
        if call.flag("preview"):
            made = copy.deepcopy(target)
            for source in sources:
                absorb(made, copy.deepcopy(source))
            return {"contact": contact_payload_v5(made)}
        self._book.merge(target, sources, call.actor)
        return self._told(target, call)

    # -- many ----------------------------------------------------------------------------------------------

    def create_many(self, call: Call) -> Told:
        return self._each(call, call.rows("contacts", 100), lambda row: (self._created(row, call), ""))

    def update_many(self, call: Call) -> Told:
        return self._each(call, _masked(call), lambda row: (self._updated(str(row.get("id") or ""), row, call), ""))

    def upsert_many(self, call: Call) -> Told:
        return self._each(call, _masked(call), lambda row: self._upserted(row, call))

    def delete_many(self, call: Call) -> Told:
        def apply(contact_id: str) -> Told:
            self._delete(self.find(contact_id), call)
            return {"id": contact_id}

        return bulk.carry_out(call.arguments["contactIds"], apply, str)

    def delete_by_filter(self, call: Call) -> Told:
        asked = {"filter": call.arguments.get("filter"), "search": call.arguments.get("search")}
        question = SEARCH.read(asked)
        found = [(one.id, one) for one in self._book.contacts.values() if question.matches(one)]
        call.wrote = True
        return work_through(self._jobs, "bulkDeleteContactsByFilter", found, lambda one: self._delete(one, call))

    def tag_many(self, call: Call) -> Told:
        _check_tags(call)
        wants_entity = call.flag("returnEntity")

        def apply(contact_id: str) -> Told:
            contact = self._tagged(self.find(contact_id), call)
            return {"id": contact.id, **({"item": contact_payload_v5(contact)} if wants_entity else {})}

        return bulk.carry_out(call.arguments["contactIds"], apply, str)

    def _each(self, call: Call, rows: list[Told], work: Callable[[Told], tuple[Contact, str]]) -> Told:
        wants_entity = call.flag("returnEntity")

        def apply(row: Told) -> Told:
            contact, action = work(row)
            call.wrote = True
            told: Told = {"id": contact.id, **({"item": contact_payload_v5(contact)} if wants_entity else {})}
            return {**told, "action": action} if action else told

        return bulk.carry_out(rows, apply, lambda row: str(row.get("id") or ""))

    # -- rules ---------------------------------------------------------------------------------------------

    def find(self, contact_id: str) -> Contact:
        """Raises WixRefusal (404)."""
        contact = self._book.contacts.get(contact_id)
        if contact is None:
            raise application_error(404, "NOT_FOUND", f"Contact {contact_id!r} was not found")
        return contact

    def _created(self, asked: Told, call: Call) -> Contact:
        contact = self._book.blank(call.actor)
        write_contact(contact, asked, self._book.new_id)
        _check_sufficient(contact)
        self._check_duplicates(contact, call)
        self._book.add(contact, call.actor)
        return contact

    def _updated(self, contact_id: str, asked: Told, call: Call) -> Contact:
        contact = self.find(contact_id)
        self._check_revision(contact, asked.get("revision"))
        self._replace(contact, asked, call, check=True)
        return contact

    def rewrite(self, contact: Contact, asked: Told, call: Call) -> Told:
        """Parts of a contact under its revision; raises WixRefusal, having changed nothing."""
        self._check_revision(contact, asked.get("revision"))
        self._replace(contact, asked, call, check=False)
        return self._told(contact, call)

    def _upserted(self, asked: Told, call: Call) -> tuple[Contact, str]:
        """An existing contact by id, external id, e-mail or phone is updated, else one is made."""
        known = self._known(asked)
        if known is None:
            contact = self._book.blank(call.actor)
            write_contact(contact, asked, self._book.new_id)
            _check_sufficient(contact)
            self._book.add(contact, call.actor)
            return contact, "CREATED"
        if known.member_id and not call.flag("updateMember"):
            raise application_error(428, "CANNOT_UPDATE_MEMBER", "The contact is a member", {"contactId": known.id})
        mode = call.arguments.get("upsertMode") or "OVERWRITE"
        self._replace(known, _by_mode(known, asked, mode), call, check=False)
        return known, "UPDATED"

    def _known(self, asked: Told) -> Contact | None:
        if asked.get("id") in self._book.contacts:
            return self._book.contacts[asked["id"]]
        email, phone = (asked.get("email") or {}).get("email"), (asked.get("phone") or {}).get("phone")
        found = self._matches(asked.get("externalId"), email, phone)
        return found[0][0] if found else None

    def _replace(self, contact: Contact, asked: Told, call: Call, *, check: bool) -> None:
        changed = copy.deepcopy(contact)
        write_contact(changed, asked, self._book.new_id)
        _check_sufficient(changed)
        main, before = changed.email, contact.email
        if contact.member_id and before and (main is None or main.email != before.email):
            raise application_error(428, "CANNOT_UPDATE_MEMBER_EMAIL", "A member changes the e-mail")
        if check:
            self._check_duplicates(changed, call)
        self._book.unindex(contact)
        for name in Contact.__slots__:
            setattr(contact, name, getattr(changed, name))
        self._book.changed(contact, call.actor)

    def _matches(self, external_id: Any, email: Any, phone: Any) -> list[tuple[Contact, str]]:
        """Only the main e-mail and phone count, strongest match first."""
        found: dict[str, tuple[Contact, str]] = {}
        by_external_id = self._book.by_external_id.get(external_id or "")
        if by_external_id:
            found[by_external_id] = (self._book.contacts[by_external_id], "EXTERNAL_ID")
        for one in self._book.with_email((email or "").strip()):
            if one.email and one.email.email.casefold() == (email or "").strip().casefold():
                found.setdefault(one.id, (one, "EMAIL"))
        for one in self._book.with_phone(phone or "0"):
            if phone and one.phone and one.phone.phone == phone:
                held = found.get(one.id)
                both = held is not None and held[1] == "EMAIL"
                found[one.id] = (one, "EMAIL_AND_PHONE" if both else held[1] if held else "PHONE")
        return list(found.values())

    def _check_duplicates(self, contact: Contact, call: Call) -> None:
        if call.flag("allowDuplicates"):
            return
        email, phone = contact.email, contact.phone
        found = self._matches(contact.external_id, email and email.email, phone and phone.phone)
        for other, match in found:
            if other.id != contact.id:
                raise application_error(
                    self._quirks.w28_duplicate_contact_status,
                    "DUPLICATE_CONTACT_EXISTS",
                    "Another contact is the same",
                    {"matchingContactId": other.id, "matchType": match},
                )

    def _check_revision(self, contact: Contact, revision: Any) -> None:
        if revision is None or revision == "":
            raise validation_error("contact.revision", "must not be empty", "REQUIRED_FIELD")
        if str(revision) != str(contact.revision):
            raise application_error(409, "REVISION_MISMATCH", "entity has already changed since the requested revision")

    def _delete(self, contact: Contact, call: Call) -> None:
        if contact.member_id:
            raise application_error(428, "CANNOT_DELETE_MEMBER", "The contact is a member: delete the member first")
        self._book.delete(contact, call.actor)
        call.wrote = True

    def _sources(self, target: Contact, ids: list[Any]) -> list[Contact]:
        if not ids or target.id in ids or len(set(ids)) < len(ids):
            raise application_error(400, "INVALID_CONTACT_MERGE", "The sources must be other contacts, each named once")
        sources = [self._book.contacts.get(str(one)) for one in ids]
        found = [source for source in sources if source is not None]
        if len(found) < len(sources):
            raise application_error(404, "SOURCE_NOT_FOUND", "A source contact was not found")
        if any(source.member_id for source in found):
            raise application_error(428, "CANNOT_MERGE_SOURCE_MEMBER", "A member cannot be merged into another contact")
        return found

    def _tagged(self, contact: Contact, call: Call) -> Contact:
        gone, more = (_tags(call.part(name)) for name in ("unassignTags", "assignTags"))
        kept = [tag for tag in tags_of(contact) if tag not in gone]
        self._book.unindex(contact)
        contact.more["tags"] = {"privateTags": {"tagIds": list(dict.fromkeys([*kept, *more]))}}
        self._book.changed(contact, call.actor)
        call.wrote = True
        return contact

    def _seen(self, call: Call) -> Iterator[Contact]:
        moment = call.read_moment
        return (one for one in self._book.contacts.values() if moment is None or one.created_at <= moment)

    def _told(self, contact: Contact, call: Call) -> Told:
        call.wrote = True
        return {"contact": contact_payload_v5(contact)}


def _masked(call: Call) -> list[Told]:
    rows = [row.get("contact") for row in call.rows("contacts", 100)]
    found = [row for row in rows if isinstance(row, dict)]
    if len(found) < len(rows):
        raise validation_error("contacts.contact", "must not be empty", "REQUIRED_FIELD")
    return found


def _by_mode(known: Contact, asked: Told, mode: str) -> Told:
    """What an upsert writes: everything, or lists added to, or only what was empty."""
    if mode == "OVERWRITE":
        return asked
    told = contact_payload_v5(known)
    written = dict(asked)
    for name in ("additionalEmails", "additionalPhones", "addresses"):
        if asked.get(name) is not None:
            held = [{key: row[key] for key in row if key != "e164"} for row in told[name]]
            written[name] = [*held, *(row for row in asked[name] if row not in held)]
    if mode == "APPEND":
        lists = ("additionalEmails", "additionalPhones", "addresses")
        written = {name: value for name, value in written.items() if name in lists or not told.get(name)}
    return written


def _check_sufficient(contact: Contact) -> None:
    if not (contact.full_name or contact.emails or contact.phones):
        raise application_error(400, "INSUFFICIENT_CONTACT_DATA", "A contact needs a name, an e-mail or a phone")


def _tags(part: Told) -> list[str]:
    return list((part.get("privateTags") or {}).get("tagIds") or [])


def _check_tags(call: Call) -> None:
    if not (_tags(call.part("assignTags")) or _tags(call.part("unassignTags"))):
        raise application_error(400, "EMPTY_ASSIGN_AND_UNASSIGN_LISTS", "There is no tag to assign or unassign")
