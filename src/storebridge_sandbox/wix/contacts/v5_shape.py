"""How contacts read in V5: flat, with one main e-mail and phone; and the other way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix.contacts.state import Contact, Email, Phone, PostalAddress
from storebridge_sandbox.wix.query import LISTS, ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.wire import application_error, millis, wix_date

Told = dict[str, Any]
NewId = Callable[[], str]

PLAIN = ("timeZone", "assigneeId", "locationIds", "image", "tags", "extendedFields")
"""Parts that are kept as they were written."""
FIELDS: dict[str, Field] = {
    "id": Field(lambda one: one.id),
    "externalId": Field(lambda one: one.external_id),
    "createdDate": Field(lambda one: millis(one.created_at), "moment", ORDERING, sortable=True),
    "updatedDate": Field(lambda one: millis(one.updated_at), "moment", ORDERING, sortable=True),
    "name.first": Field(lambda one: one.first or None, "text", TEXT, sortable=True),
    "name.last": Field(lambda one: one.last or None, "text", TEXT, sortable=True),
    "name.full": Field(lambda one: one.full_name or None, "text", TEXT, sortable=True),
    "email.email": Field(lambda one: one.email and one.email.email, "text", TEXT, sortable=True),
    "phone.phone": Field(lambda one: one.phone and one.phone.phone, "text", TEXT, sortable=True),
    "phone.e164": Field(lambda one: one.phone and one.phone.e164, "text", TEXT),
    "company.name": Field(lambda one: one.company or None, "text", TEXT, sortable=True),
    "locale": Field(lambda one: one.locale),
    "memberInfo.memberId": Field(lambda one: one.member_id),
    "tags.privateTags.tagIds": Field(lambda one: tags_of(one), "list", LISTS),
}
LANGUAGE = Language(FIELDS, tie=lambda one: (millis(one.created_at), one.id), default_limit=50, most=1000)
SEARCH = Language(
    FIELDS,
    tie=lambda one: (millis(one.created_at), one.id),
    default_limit=50,
    most=1000,
    name="search",
    searchable=("name.full", "email.email", "phone.phone", "company.name"),
)


def contact_payload_v5(contact: Contact) -> Told:
    """The V5 Contact message."""
    told: Told = {
        "id": contact.id,
        "revision": str(contact.revision),
        "createdDate": wix_date(contact.created_at),
        "updatedDate": wix_date(contact.updated_at),
        "source": {name: held for name, held in (("appId", contact.app_id), ("userId", contact.user_id)) if held},
        "additionalEmails": [{"email": one.email} for one in contact.emails if not one.primary],
        "additionalPhones": [_phone(one) for one in contact.phones if not one.primary],
        "addresses": [_address(one) for one in contact.addresses],
        **contact.more,
    }
    plain = {
        "externalId": contact.external_id,
        "birthdate": contact.birthdate,
        "locale": contact.locale,
        "name": _some(first=contact.first, last=contact.last),
        "company": _some(name=contact.company, jobTitle=contact.job_title),
    }
    told.update({name: value for name, value in plain.items() if value})
    if contact.email is not None:
        told["email"] = {
            "email": contact.email.email,
            "subscriptionStatus": {"status": "NOT_SET"},
            "deliverabilityStatus": "NOT_SET",
        }
    if contact.phone is not None:
        told["phone"] = {**_phone(contact.phone), "subscriptionStatus": {"status": "NO_SUBSCRIPTION_STATUS"}}
    if contact.member_id:
        told["memberInfo"] = {"memberId": contact.member_id}
    return told


def _some(**parts: str) -> Told:
    return {name: text for name, text in parts.items() if text}


def _phone(one: Phone) -> Told:
    told: Told = {"tag": "OTHER" if one.tag == "UNTAGGED" else one.tag, "phone": one.phone}
    return {**told, "e164": one.e164} if one.e164 else told


def _address(one: PostalAddress) -> Told:
    told: Told = {
        "id": one.id,
        "tag": "OTHER" if one.tag == "UNTAGGED" else one.tag,
        "address": one.address,
        "defaultAddress": one.is_default,
    }
    return {**told, "recipient": one.recipient} if one.recipient else told


def tags_of(contact: Contact) -> tuple[str, ...]:
    """The private tags of a contact."""
    return tuple((contact.more.get("tags") or {}).get("privateTags", {}).get("tagIds") or ())


# -- the other way ------------------------------------------------------------------------------------------


def write_contact(contact: Contact, asked: Told, new_id: NewId) -> None:
    """Take over what a caller sent; lists replace those that are there. Raises WixRefusal.

    The contact is a copy: a refusal may leave it half written.
    """
    _write_names(contact, asked)
    if asked.get("externalId"):
        if contact.external_id not in (None, asked["externalId"]):
            raise application_error(428, "CANNOT_CHANGE_EXTERNAL_ID", "An external id can be set once")
        contact.external_id = asked["externalId"]
    _write_emails(contact, asked, new_id)
    _write_phones(contact, asked, new_id)
    if asked.get("addresses") is not None:
        contact.addresses = addresses_of(asked["addresses"], new_id)
    for name in PLAIN:
        if name in asked:
            contact.more[name] = asked[name]
    contact.more = {name: value for name, value in contact.more.items() if value is not None}


def _write_names(contact: Contact, asked: Told) -> None:
    if asked.get("name") is not None:
        contact.first, contact.last = asked["name"].get("first") or "", asked["name"].get("last") or ""
    if asked.get("company") is not None:
        contact.company, contact.job_title = asked["company"].get("name") or "", asked["company"].get("jobTitle") or ""
    for name in ("birthdate", "locale"):
        if name in asked:
            setattr(contact, name, asked[name])


def _write_emails(contact: Contact, asked: Told, new_id: NewId) -> None:
    main = [one for one in contact.emails if one.primary]
    more = [one for one in contact.emails if not one.primary]
    if "email" in asked:
        text = ((asked["email"] or {}).get("email") or "").strip().lower()
        main = [Email(new_id(), text, primary=True)] if text else []
    if asked.get("additionalEmails") is not None:
        more = [Email(new_id(), row["email"].strip()) for row in asked["additionalEmails"] if row.get("email")]
    if more and not main:
        raise application_error(400, "EMAIL_REQUIRED", "Additional e-mails need a main one")
    contact.emails = [*main, *more]
    if len({one.email.casefold() for one in contact.emails}) < len(contact.emails):
        raise application_error(400, "DUPLICATE_EMAIL", "Two e-mails of the contact are the same")


def _write_phones(contact: Contact, asked: Told, new_id: NewId) -> None:
    main = [one for one in contact.phones if one.primary]
    more = [one for one in contact.phones if not one.primary]
    if "phone" in asked:
        row = asked["phone"] or {}
        main = [Phone(new_id(), row["phone"], row.get("tag") or "OTHER", primary=True)] if row.get("phone") else []
    if asked.get("additionalPhones") is not None:
        rows = asked["additionalPhones"]
        more = [Phone(new_id(), row["phone"], row.get("tag") or "OTHER") for row in rows if row.get("phone")]
    if more and not main:
        raise application_error(400, "PHONE_REQUIRED", "Additional phones need a main one")
    contact.phones = [*main, *more]
    if len({one.phone for one in contact.phones}) < len(contact.phones):
        raise application_error(400, "DUPLICATE_PHONE", "Two phones of the contact are the same")


def addresses_of(rows: list[Told], new_id: NewId) -> list[PostalAddress]:
    """Addresses as written; the first is the default where none was named. Raises WixRefusal."""
    made = [
        PostalAddress(
            row.get("id") or new_id(),
            row.get("address") or {},
            row.get("tag") or "OTHER",
            bool(row.get("defaultAddress")),
            row.get("recipient"),
        )
        for row in rows
    ]
    if sum(1 for one in made if one.is_default) > 1:
        raise application_error(400, "MULTIPLE_DEFAULT_ADDRESSES", "Two addresses are the default one")
    if len({one.id for one in made}) < len(made):
        raise application_error(400, "DUPLICATE_ADDRESS_ID", "Two addresses have the same id")
    if any(one.address in [other.address for other in made[:place]] for place, one in enumerate(made)):
        raise application_error(400, "DUPLICATE_ADDRESS", "Two addresses are the same")
    if made and not any(one.is_default for one in made):
        made[0].is_default = True
    return made
