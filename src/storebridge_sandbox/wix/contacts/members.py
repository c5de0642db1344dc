"""``/members/v1/members``: people with a login. Each is a contact, whose e-mail only the member changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.contacts.state import Contact, ContactBook, Email, Phone
from storebridge_sandbox.wix.identities import Guids
from storebridge_sandbox.wix.notices import Notices
from storebridge_sandbox.wix.query import ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.wire import application_error, millis, validation_error, wix_date

READ = "SCOPE.DC-MEMBERS.READ-MEMBERS"
MANAGE = "SCOPE.DC-MEMBERS.MANAGE-MEMBERS"
BASE = "/members/v1/members"
ONE = BASE + "/{id}"
MEMBER = "wix.members.v1.member"

Told = dict[str, Any]


@dataclass(slots=True)
class Member:
    """``status`` is APPROVED, PENDING or BLOCKED; ``profile`` is what others see."""

    id: str
    contact_id: str
    login_email: str
    created_at: datetime
    updated_at: datetime
    status: str = "APPROVED"
    privacy: str = "PRIVATE"
    activity: str = "ACTIVE"
    profile: dict[str, Any] = field(default_factory=dict)


class Members:
    """All members, by id."""

    def __init__(self, now: Callable[[], datetime], new_id: Guids) -> None:
        self._now = now
        self._new_id = new_id
        self.members: dict[str, Member] = {}

    def join(self, login_email: str, contact_id: str) -> Member:
        moment = self._now()
        member = Member(self._new_id(), contact_id, login_email, moment, moment)
        self.members[member.id] = member
        return member

    def touch(self, member: Member) -> None:
        member.updated_at = self._now()

    def with_login(self, email: str) -> Member | None:
        return next((one for one in self.members.values() if one.login_email == email), None)


LANGUAGE = Language(
    {
        "id": Field(lambda one: one.id),
        "contactId": Field(lambda one: one.contact_id),
        "loginEmail": Field(lambda one: one.login_email, "text", TEXT, sortable=True),
        "status": Field(lambda one: one.status),
        "privacyStatus": Field(lambda one: one.privacy),
        "profile.slug": Field(lambda one: one.profile.get("slug"), "text", TEXT),
        "profile.nickname": Field(lambda one: one.profile.get("nickname"), "text", TEXT, sortable=True),
        "createdDate": Field(lambda one: millis(one.created_at), "moment", ORDERING, sortable=True),
        "updatedDate": Field(lambda one: millis(one.updated_at), "moment", ORDERING, sortable=True),
    },
    tie=lambda one: (millis(one.created_at), one.id),
    default_limit=50,
    most=100,
)


class MemberAnswers:
    """Answers about members."""

    def __init__(self, members: Members, book: ContactBook, notices: Notices) -> None:
        self._members = members
        self._book = book
        self._notices = notices

    def operations(self) -> list[Operation]:
        def make(name: str, method: str, path: str, handler: Handler, lag: Lag = None) -> Operation:
            takes = f"members_members:{name[0].upper() + name[1:]}Request"
            return Operation(name, (method,), path, handler, READ if lag else MANAGE, None, lag, takes=takes)

        return [
            make("listMembers", "GET", BASE, self.list_all, "search"),
            make("queryMembers", "POST", f"{BASE}/query", self.query, "search"),
            make("createMember", "POST", BASE, self.create),
            make("getMember", "GET", ONE, self.get, "get"),
            make("updateMember", "PATCH", ONE, self.update),
            make("deleteMember", "DELETE", ONE, self.delete),
            make("approveMember", "POST", f"{ONE}/approve", lambda call: self._moved(call, status="APPROVED")),
            make("blockMember", "POST", f"{ONE}/block", lambda call: self._moved(call, status="BLOCKED")),
            make("muteMember", "POST", f"{ONE}/mute", lambda call: self._moved(call, activity="MUTED")),
            make("unmuteMember", "POST", f"{ONE}/unmute", lambda call: self._moved(call, activity="ACTIVE")),
        ]

    def list_all(self, call: Call) -> Told:
        query = {"paging": call.part("paging"), "sort": call.arguments.get("sorting")}
        return self._page(query, call)

    def query(self, call: Call) -> Told:
        query = call.part("query")
        return self._page({**query, "sort": query.get("sorting")}, call)

    def get(self, call: Call) -> Told:
        return {"member": self._told(self._find(call), call.arguments.get("fieldsets"))}

    def create(self, call: Call) -> Told:
        asked = call.part("member")
        email = asked.get("loginEmail")
        if not email:
            raise validation_error("member.loginEmail", "must not be empty", "REQUIRED_FIELD")
        if self._members.with_login(email) is not None:
            raise application_error(409, "MEMBER_ALREADY_EXISTS", f"{email!r} is a member already")
        contact = next(self._book.with_email(email), None)
        if contact is None:
            contact = self._book.blank(call.actor)
            contact.emails = [Email(self._book.new_id(), email, "MAIN", primary=True)]
            _write_contact(contact, asked.get("contact") or {}, self._book)
            self._book.add(contact, call.actor)
        member = self._members.join(email, contact.id)
        contact.member_id = member.id
        member.privacy = asked.get("privacyStatus") or "PRIVATE"
        member.profile = _profile(asked.get("profile") or {}, email)
        call.wrote = True
        self._notices.created(f"{MEMBER}_created", self._whole(member), call.actor)
        return {"member": self._whole(member)}

    def update(self, call: Call) -> Told:
        member, asked = self._find(call), call.part("member")
        if asked.get("profile") is not None:
            member.profile = {**member.profile, **asked["profile"], "slug": member.profile["slug"]}
        if asked.get("privacyStatus"):
            member.privacy = asked["privacyStatus"]
        contact = self._book.contacts.get(member.contact_id)
        if asked.get("contact") is not None and contact is not None:
            self._book.unindex(contact)
            _write_contact(contact, asked["contact"], self._book)
            self._book.changed(contact, call.actor)
        return self._updated(member, call)

    def delete(self, call: Call) -> Told:
        """The login is gone; the contact stays."""
        member = self._find(call)
        told = self._whole(member)
        del self._members.members[member.id]
        contact = self._book.contacts.get(member.contact_id)
        if contact is not None:
            contact.member_id = None
        call.wrote = True
        self._notices.deleted(f"{MEMBER}_deleted", told, call.actor)
        return {}

    def _moved(self, call: Call, *, status: str = "", activity: str = "") -> Told:
        member = self._find(call)
        member.status = status or member.status
        member.activity = activity or member.activity
        return self._updated(member, call)

    def _updated(self, member: Member, call: Call) -> Told:
        self._members.touch(member)
        call.wrote = True
        self._notices.updated(f"{MEMBER}_updated", self._whole(member), call.actor)
        return {"member": self._whole(member)}

    def _page(self, query: Told, call: Call) -> Told:
        question = LANGUAGE.read(query)
        page = LANGUAGE.page(question, self._members.members.values())
        return {
            "members": [self._told(one, call.arguments.get("fieldsets")) for one in page.rows],
            "metadata": {
                "count": len(page.rows),
                "offset": question.offset,
                "total": page.total,
                "tooManyToCount": False,
            },
        }

    def _find(self, call: Call) -> Member:
        member = self._members.members.get(call.params["id"])
        if member is None:
            raise application_error(404, "NOT_FOUND", f"Member {call.params['id']!r} was not found")
        return member

    def _told(self, member: Member, fieldsets: Any) -> Told:
        """PUBLIC unless more is asked for: no e-mail, no contact details, no status."""
        told = self._whole(member)
        if "FULL" in (fieldsets or ()):
            return told
        hidden = {"contact", *(() if "EXTENDED" in (fieldsets or ()) else ("loginEmail", "status"))}
        return {name: held for name, held in told.items() if name not in hidden}

    def _whole(self, member: Member) -> Told:
        told: Told = {
            "id": member.id,
            "loginEmail": member.login_email,
            "loginEmailVerified": False,
            "status": member.status,
            "contactId": member.contact_id,
            "profile": member.profile,
            "privacyStatus": member.privacy,
            "activityStatus": member.activity,
            "createdDate": wix_date(member.created_at),
            "updatedDate": wix_date(member.updated_at),
        }
        contact = self._book.contacts.get(member.contact_id)
        if contact is not None:
            told["contact"] = {
                "firstName": contact.first,
                "lastName": contact.last,
                "emails": [one.email for one in contact.emails],
                "phones": [one.phone for one in contact.phones],
                "company": contact.company[:100],
                "jobTitle": contact.job_title[:100],
            }
        return told


def _profile(asked: Told, email: str) -> Told:
    nickname = asked.get("nickname") or email.partition("@")[0]
    return {**asked, "nickname": nickname, "slug": re.sub(r"[^a-z0-9]+", "-", nickname.lower()).strip("-")}


def _write_contact(contact: Contact, asked: Told, book: ContactBook) -> None:
    """The members' view of a contact has names and plain lists of phones."""
    pairs = (("firstName", "first"), ("lastName", "last"), ("company", "company"), ("jobTitle", "job_title"))
    for name, attribute in pairs:
        if asked.get(name) is not None:
            setattr(contact, attribute, asked[name])
    if asked.get("phones") is not None:
        contact.phones = [
            Phone(book.new_id(), phone, primary=not place) for place, phone in enumerate(asked["phones"]) if phone
        ]
