"""How contacts read in V4 answers and webhooks, which of their fields can be asked for, and the other way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix.contacts.state import Contact, Email, Phone, PostalAddress, choose_primary
from storebridge_sandbox.wix.query import LISTS, ORDERING, Field, Language
from storebridge_sandbox.wix.wire import application_error, millis, wix_date

Told = dict[str, Any]
FILTERS = frozenset({"$eq", "$exists", "$in", "$ne", "$startsWith"})

LANGUAGE = Language(
    {
        "id": Field(lambda one: one.id),
        "info.locale": Field(lambda one: one.locale),
        "createdDate": Field(lambda one: millis(one.created_at), "moment", ORDERING, sortable=True),
        "updatedDate": Field(lambda one: millis(one.updated_at), "moment", ORDERING),
        "lastActivity.activityDate": Field(lambda one: millis(one.active_at), "moment", ORDERING, sortable=True),
        "primaryInfo.email": Field(lambda one: one.email and one.email.email, "text", FILTERS, sortable=True),
        "primaryInfo.phone": Field(lambda one: one.phone and one.phone.phone, "text", FILTERS),
        "info.name.first": Field(lambda one: one.first or None, "text", FILTERS, sortable=True),
        "info.name.last": Field(lambda one: one.last or None, "text", FILTERS, sortable=True),
        "info.company": Field(lambda one: one.company or None, "text", FILTERS, sortable=True),
        "info.jobTitle": Field(lambda one: one.job_title or None, "text", FILTERS, sortable=True),
        "info.birthdate": Field(lambda one: one.birthdate, "text", ORDERING, sortable=True),
        "info.emails.email": Field(lambda one: tuple(row.email for row in one.emails), "list", LISTS),
        "info.phones.phone": Field(lambda one: tuple(row.phone for row in one.phones), "list", LISTS),
        "info.labelKeys": Field(lambda one: tuple(one.labels), "list", LISTS),
        "info.labelKeys.items": Field(lambda one: tuple(one.labels), "list", LISTS),
    },
    tie=lambda one: (one.created_at, one.id),
    default_limit=50,
    most=1000,
)
FIELDSETS = {
    "BASIC": ("info.name", "primaryInfo", "primaryEmail", "primaryPhone"),
    "COMMUNICATION_DETAILS": ("info.name", "info.emails", "info.phones", "info.addresses"),
    "EXTENDED": ("info.name", "primaryInfo", "info.extendedFields"),
}


def contact_payload(contact: Contact) -> Told:
    """The V4 Contact message, whole."""
    source = {"sourceType": contact.source_type, **({"appId": contact.app_id} if contact.app_id else {})}
    told: Told = {
        "id": contact.id,
        "revision": contact.revision,
        "source": source,
        "createdDate": wix_date(contact.created_at),
        "updatedDate": wix_date(contact.updated_at),
        "lastActivity": {"activityDate": wix_date(contact.active_at), "activityType": contact.activity},
        "primaryInfo": {},
        "info": _info(contact),
    }
    if contact.email is not None:
        told["primaryInfo"]["email"] = contact.email.email
        told["primaryEmail"] = {
            "email": contact.email.email,
            "subscriptionStatus": contact.more.get("emailSubscription", "NOT_SET"),
            "deliverabilityStatus": "NOT_SET",
        }
    if contact.phone is not None:
        told["primaryInfo"]["phone"] = contact.phone.phone
        told["primaryPhone"] = {
            "phone": contact.phone.phone,
            "subscriptionStatus": contact.more.get("phoneSubscription", "NO_SUBSCRIPTION_STATUS"),
            **_international(contact.phone),
        }
    return told


def _info(contact: Contact) -> Told:
    told: Told = {"name": {}, "extendedFields": {"items": {**_display_names(contact), **contact.extended}}}
    for name, text in (("first", contact.first), ("last", contact.last)):
        if text:
            told["name"][name] = text
    plain = {
        "company": contact.company,
        "jobTitle": contact.job_title,
        "birthdate": contact.birthdate,
        "locale": contact.locale,
        "picture": contact.picture,
    }
    told.update({name: value for name, value in plain.items() if value})
    if contact.emails:
        told["emails"] = {"items": [_email(one) for one in contact.emails]}
    if contact.phones:
        told["phones"] = {"items": [_phone(one) for one in contact.phones]}
    if contact.addresses:
        told["addresses"] = {"items": [_address(one) for one in contact.addresses]}
    if contact.labels:
        told["labelKeys"] = {"items": list(contact.labels)}
    return told


def _display_names(contact: Contact) -> Told:
    """The system's own fields: how lists show the contact."""
    first, last = contact.first, contact.last
    shown = contact.full_name or (contact.email.email if contact.email else "")
    turned = " ".join(part for part in (last, first) if part) or shown
    if not shown:
        return {}
    return {"contacts.displayByFirstName": shown, "contacts.displayByLastName": turned}


def _email(one: Email) -> Told:
    return {"id": one.id, "tag": one.tag, "email": one.email, "primary": one.primary}


def _phone(one: Phone) -> Told:
    return {"id": one.id, "tag": one.tag, "phone": one.phone, "primary": one.primary, **_international(one)}


def _international(one: Phone) -> Told:
    told: Told = {"countryCode": one.country} if one.country else {}
    return {**told, "e164Phone": one.e164} if one.e164 else told


def _address(one: PostalAddress) -> Told:
    return {"id": one.id, "tag": one.tag, "address": one.address}


def projected(told: Told, fields: list[str], fieldsets: list[str]) -> Told:
    """Only what was asked for; ``id`` and ``revision`` always. FULL, or nothing asked: everything."""
    if "FULL" in fieldsets or not (fields or fieldsets):
        return told
    paths = [*fields, *(path for name in fieldsets for path in FIELDSETS[name])]
    kept: Told = {"id": told["id"], "revision": told["revision"]}
    for path in paths:
        _copy(told, kept, path.split("."))
    return kept


def _copy(source: Told, into: Told, path: list[str]) -> None:
    for name in path[:-1]:
        inner = source.get(name)
        if not isinstance(inner, dict):
            return
        source, into = inner, into.setdefault(name, {})
        if not isinstance(into, dict):
            return
    if path[-1] in source:
        into[path[-1]] = source[path[-1]]


# -- the other way ------------------------------------------------------------------------------------------


def write_info(contact: Contact, info: Told, new_id: Callable[[], str]) -> None:
    """Take over what a caller sent; lists replace those that are there. Raises WixRefusal, having changed nothing."""
    for name in ("emails", "phones"):
        rows = (info.get(name) or {}).get("items") or []
        if sum(1 for row in rows if row.get("primary")) > 1:
            raise application_error(400, "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO", f"Two of the {name} are primary")
    _write_names(contact, info)
    if info.get("emails") is not None:
        contact.emails = _emails(info["emails"].get("items") or [], new_id)
    if info.get("phones") is not None:
        contact.phones = _phones(info["phones"].get("items") or [], new_id)
    if info.get("addresses") is not None:
        contact.addresses = [
            PostalAddress(new_id(), row.get("address") or {}, row.get("tag") or "UNTAGGED")
            for row in info["addresses"].get("items") or []
        ]
    if info.get("labelKeys") is not None:
        contact.labels = list(dict.fromkeys(info["labelKeys"].get("items") or []))
    if info.get("extendedFields") is not None:
        contact.extended.update(info["extendedFields"].get("items") or {})
        contact.extended = {key: value for key, value in contact.extended.items() if value not in (None, "")}


def _write_names(contact: Contact, info: Told) -> None:
    if info.get("name") is not None:
        contact.first, contact.last = info["name"].get("first") or "", info["name"].get("last") or ""
    for key, attribute in (("company", "company"), ("jobTitle", "job_title")):
        if key in info:
            setattr(contact, attribute, info[key] or "")
    for key in ("birthdate", "locale", "picture"):
        if key in info:
            setattr(contact, key, info[key])


def _emails(rows: list[Told], new_id: Callable[[], str]) -> list[Email]:
    made = [
        Email(new_id(), row["email"].strip(), row.get("tag") or "UNTAGGED", bool(row.get("primary")))
        for row in rows
        if row.get("email")
    ]
    choose_primary(made)
    return made


def _phones(rows: list[Told], new_id: Callable[[], str]) -> list[Phone]:
    made = [
        Phone(
            new_id(),
            row["phone"],
            row.get("tag") or "UNTAGGED",
            row.get("countryCode") or "",
            bool(row.get("primary")),
        )
        for row in rows
        if row.get("phone")
    ]
    choose_primary(made)
    return made
