"""Contacts of the site. V4 and V5 are two views of the same people; e-mails and phones are found by index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from storebridge_sandbox.wix.identities import Actor, Guids, visitor

CALLING_CODES = {
    "US": "1",
    "CA": "1",
    "GB": "44",
    "DE": "49",
    "FR": "33",
    "IT": "39",
    "ES": "34",
    "NL": "31",
    "IL": "972",
    "AU": "61",
}

BUYER = visitor("00000000-0000-4000-8000-000000000000")
"""Whoever buys, as far as the address book is told."""


@dataclass(slots=True)
class Email:
    """``tag`` is V4's word for what kind it is."""

    id: str
    email: str
    tag: str = "UNTAGGED"
    primary: bool = False


@dataclass(slots=True)
class Phone:
    """``country`` is needed to write the number in international form."""

    id: str
    phone: str
    tag: str = "UNTAGGED"
    country: str = ""
    primary: bool = False

    @property
    def e164(self) -> str | None:
        """``+12125550123``; None when the country is not known."""
        digits = re.sub(r"\D", "", self.phone)
        if self.phone.strip().startswith("+"):
            return f"+{digits}"
        code = CALLING_CODES.get(self.country)
        return f"+{code}{digits.lstrip('0')}" if code and digits else None


@dataclass(slots=True)
class PostalAddress:
    """``address`` is the vendor's Address message."""

    id: str
    address: dict[str, Any]
    tag: str = "UNTAGGED"
    is_default: bool = False
    recipient: dict[str, Any] | None = None


@dataclass(slots=True)
class Contact:
    """One person. ``more`` are parts that only V5 has and nothing here depends on."""

    id: str
    created_at: datetime
    updated_at: datetime
    active_at: datetime
    source_type: str
    app_id: str | None
    user_id: str | None
    revision: int = 1
    activity: str = "CONTACT_CREATED"
    first: str = ""
    last: str = ""
    company: str = ""
    job_title: str = ""
    birthdate: str | None = None
    locale: str | None = None
    emails: list[Email] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    addresses: list[PostalAddress] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    extended: dict[str, Any] = field(default_factory=dict)
    picture: dict[str, Any] | None = None
    external_id: str | None = None
    member_id: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def email(self) -> Email | None:
        return next((one for one in self.emails if one.primary), None)

    @property
    def phone(self) -> Phone | None:
        return next((one for one in self.phones if one.primary), None)

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first, self.last) if part)


class Herald(Protocol):
    """Told of every change of a contact after it happened."""

    def contact_created(self, contact: Contact, actor: Actor) -> None: ...

    def contact_updated(self, contact: Contact, actor: Actor) -> None: ...

    def contact_deleted(self, contact: Contact, actor: Actor, *, by_merge: bool) -> None: ...

    def contact_merged(self, contact: Contact, source_ids: list[str], actor: Actor) -> None: ...


class ContactBook:
    """All contacts of the site; ``deleted`` is the trash bin, from which they can come back."""

    def __init__(self, now: Callable[[], datetime], new_id: Guids) -> None:
        self._now = now
        self.new_id = new_id
        self.contacts: dict[str, Contact] = {}
        self.deleted: dict[str, Contact] = {}
        self.by_email: dict[str, list[str]] = {}
        self.by_phone: dict[str, list[str]] = {}
        self.by_external_id: dict[str, str] = {}
        self.herald: Herald | None = None

    def blank(self, actor: Actor) -> Contact:
        """A contact that is not in the book yet, made by whoever calls."""
        moment, kind = self._now(), actor.identity.get("identityType")
        return Contact(
            id=self.new_id(),
            created_at=moment,
            updated_at=moment,
            active_at=moment,
            source_type="THIRD_PARTY" if kind == "APP" else "ADMIN" if kind == "WIX_USER" else "OTHER",
            app_id=actor.identity.get("appId"),
            user_id=actor.identity.get("wixUserId"),
        )

    def of_buyer(self, email: str, customer: dict[str, Any], new_id: Callable[[], str]) -> str:
        """The contact of somebody who buys, made when the e-mail address is new; its id."""
        for known in self.with_email(email):
            return known.id
        contact = self.blank(BUYER)
        contact.id, contact.source_type, contact.activity = new_id(), "WIX_STORES", "ECOM_PURCHASE"
        contact.first, contact.last = customer.get("first_name") or "", customer.get("last_name") or ""
        contact.emails = [Email(self.new_id(), email, "MAIN", primary=True)]
        if customer.get("phone"):
            contact.phones = [Phone(self.new_id(), customer["phone"], "MAIN", primary=True)]
        self.add(contact, BUYER)
        return contact.id

    def add(self, contact: Contact, actor: Actor) -> None:
        self.contacts[contact.id] = contact
        self.index(contact)
        if self.herald is not None:
            self.herald.contact_created(contact, actor)

    def changed(self, contact: Contact, actor: Actor) -> None:
        """The contact was changed in place; ``unindex`` was called before."""
        contact.revision += 1
        contact.updated_at = self._now()
        self.index(contact)
        if self.herald is not None:
            self.herald.contact_updated(contact, actor)

    def delete(self, contact: Contact, actor: Actor, *, by_merge: bool = False) -> None:
        """Into the trash bin."""
        self.unindex(contact)
        del self.contacts[contact.id]
        contact.updated_at = self._now()
        self.deleted[contact.id] = contact
        if self.herald is not None:
            self.herald.contact_deleted(contact, actor, by_merge=by_merge)

    def restore(self, contact: Contact, actor: Actor) -> None:
        """Out of the trash bin, with the id that it had."""
        del self.deleted[contact.id]
        contact.updated_at = self._now()
        self.add(contact, actor)

    def merge(self, target: Contact, sources: list[Contact], actor: Actor) -> None:
        """The sources are gone; what they had, the target has."""
        for source in sources:
            self.delete(source, actor, by_merge=True)
        self.unindex(target)
        for source in sources:
            absorb(target, source)
        self.changed(target, actor)
        if self.herald is not None:
            self.herald.contact_merged(target, [source.id for source in sources], actor)

    def forget_label(self, key: str) -> None:
        """A label was deleted: nobody carries it any more."""
        for contact in self.contacts.values():
            contact.labels = [held for held in contact.labels if held != key]

    def forget_field(self, key: str) -> None:
        """An extended field was deleted, with what contacts had in it."""
        for contact in self.contacts.values():
            contact.extended.pop(key, None)

    def index(self, contact: Contact) -> None:
        for email in contact.emails:
            self.by_email.setdefault(email.email.casefold(), []).append(contact.id)
        for phone in contact.phones:
            self.by_phone.setdefault(digits_of(phone.phone), []).append(contact.id)
        if contact.external_id:
            self.by_external_id[contact.external_id] = contact.id

    def unindex(self, contact: Contact) -> None:
        for email in contact.emails:
            _drop(self.by_email, email.email.casefold(), contact.id)
        for phone in contact.phones:
            _drop(self.by_phone, digits_of(phone.phone), contact.id)
        if contact.external_id:
            self.by_external_id.pop(contact.external_id, None)

    def with_email(self, email: str, but: Contact | None = None) -> Iterator[Contact]:
        """Contacts that have the e-mail address, main or not."""
        return self._others(self.by_email.get(email.casefold(), ()), but)

    def with_phone(self, phone: str, but: Contact | None = None) -> Iterator[Contact]:
        return self._others(self.by_phone.get(digits_of(phone), ()), but)

    def _others(self, ids: Iterable[str], but: Contact | None) -> Iterator[Contact]:
        return (self.contacts[one] for one in ids if but is None or one != but.id)


def absorb(target: Contact, source: Contact) -> None:
    """What the target lacks comes from the source; addresses of all kinds are added to those it has."""
    for name in ("first", "last", "company", "job_title", "birthdate", "locale", "picture", "external_id", "member_id"):
        if not getattr(target, name):
            setattr(target, name, getattr(source, name))
    emails = {one.email.casefold() for one in target.emails}
    target.emails += [_second(one) for one in source.emails if one.email.casefold() not in emails]
    phones = {digits_of(one.phone) for one in target.phones}
    target.phones += [_second(one) for one in source.phones if digits_of(one.phone) not in phones]
    held = [one.address for one in target.addresses]
    target.addresses += [one for one in source.addresses if one.address not in held]
    target.labels = list(dict.fromkeys([*target.labels, *source.labels]))
    target.extended = {**source.extended, **target.extended}
    target.more = {**source.more, **target.more}
    choose_primary(target.emails)
    choose_primary(target.phones)


def choose_primary(rows: list[Email] | list[Phone]) -> None:
    """The first is the main one where none was named."""
    if rows and not any(row.primary for row in rows):
        rows[0].primary = True


def digits_of(phone: str) -> str:
    return re.sub(r"\D", "", phone)


def _second(row: Any) -> Any:
    row.primary = False
    return row


def _drop(index: dict[str, list[str]], key: str, contact_id: str) -> None:
    held = index.get(key, [])
    if contact_id in held:
        held.remove(contact_id)
    if not held:
        index.pop(key, None)
