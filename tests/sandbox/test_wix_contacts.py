"""The people of the site: V4 and V5 of the contacts API, their keys, and their events."""

from __future__ import annotations

from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

V4 = "/contacts/v4/contacts"
V5 = "/contacts/v5/contacts"
NOTHING = "00000000-0000-4000-8000-000000000000"
HEARD = WixOptions(webhook_url=HOOK, webhook_events=None)


def code_of(told: dict[str, Any]) -> str:
    return str(told["details"]["applicationError"]["code"])


def info(first: str = "Ada", email: str | None = "ada@example.com", **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"name": {"first": first}, **more}
    if email:
        told["emails"] = {"items": [{"tag": "MAIN", "email": email}]}
    return told


async def create(site: Site, asked: dict[str, Any]) -> dict[str, Any]:
    status, told = await site.call("POST", V4, {"info": asked})
    assert status == 200, told
    return dict(told["contact"])


def test_a_contact_is_created_with_a_primary_mail_and_an_international_phone() -> None:
    async def play(site: Site) -> None:
        phones = {"items": [{"tag": "MOBILE", "countryCode": "US", "phone": "(212) 555-0123"}]}
        made = await create(site, info(phones=phones, company="Pell"))
        _, got = await site.call("GET", f"{V4}/{made['id']}")
        _, basic = await site.call("GET", f"{V4}/{made['id']}?fieldsets=BASIC")

        assert (made["revision"], made["primaryInfo"]) == (1, {"email": "ada@example.com", "phone": "(212) 555-0123"})
        assert made["info"]["phones"]["items"][0]["e164Phone"] == "+12125550123"
        assert got["contact"] == made
        assert set(basic["contact"]) == {"id", "revision", "info", "primaryInfo", "primaryEmail", "primaryPhone"}
        assert basic["contact"]["info"] == {"name": {"first": "Ada"}}

    with_site(play)


@pytest.mark.parametrize("status", [409, 400])
def test_w28_a_known_mail_is_refused_with_the_other_contacts_id(status: int) -> None:
    async def play(site: Site) -> None:
        made = await create(site, info())
        got, told = await site.call("POST", V4, {"info": info("Eve", "ADA@example.com")})
        allowed, _ = await site.call("POST", V4, {"info": info("Eve"), "allowDuplicates": True})
        newer, flat = await site.call("POST", V5, {"contact": {"email": {"email": "ada@example.com"}}})

        assert (got, code_of(told)) == (status, "DUPLICATE_CONTACT_EXISTS")
        data = told["details"]["applicationError"]["data"]
        assert data == {"duplicateContactId": made["id"], "duplicateEmail": "ADA@example.com"}
        assert allowed == 200
        assert (newer, code_of(flat)) == (status, "DUPLICATE_CONTACT_EXISTS")
        assert flat["details"]["applicationError"]["data"] == {"matchingContactId": made["id"], "matchType": "EMAIL"}

    with_site(play, WixOptions(quirks=WixQuirks(w28_duplicate_contact_status=status)))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"company": "Pell"}, "INSUFFICIENT_CONTACT_DATA"),
        (
            {"emails": {"items": [{"email": "a@b.co", "primary": True}, {"email": "c@d.co", "primary": True}]}},
            "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO",
        ),
        (info(extendedFields={"items": {"custom.none": "x"}}), "INVALID_EXTENDED_FIELD_VALUE"),
        (info(labelKeys={"items": ["custom.none"]}), "LABEL_NOT_FOUND"),
    ],
)
def test_a_contact_that_may_not_be_so_is_refused_and_nobody_is_there(asked: dict[str, Any], code: str) -> None:
    async def play(site: Site) -> None:
        status, told = await site.call("POST", V4, {"info": asked})
        _, listed = await site.call("GET", V4)

        assert (status, code_of(told)) == (400, code)
        assert listed["pagingMetadata"]["total"] == 0

    with_site(play)


def test_an_update_needs_the_number_of_the_revision_and_lists_are_replaced() -> None:
    async def play(site: Site) -> None:
        made = await create(site, info())
        path, change = f"{V4}/{made['id']}", {"emails": {"items": [{"email": "new@example.com"}]}}
        stale = await site.call("PATCH", path, {"revision": 7, "info": change})
        empty = await site.call("PATCH", path, {"revision": 1, "info": {}})
        text = await site.call("PATCH", path, {"revision": "1", "info": change})
        status, told = await site.call("PATCH", path, {"revision": 1, "info": change})

        assert (stale[0], code_of(stale[1])) == (409, "CONTACT_ALREADY_CHANGED")
        assert code_of(empty[1]) == "INSUFFICIENT_UPDATE_CONTACT_DATA"
        assert text[0] == 400
        assert (status, told["contact"]["revision"], told["contact"]["primaryInfo"]["email"]) == (
            200,
            2,
            "new@example.com",
        )
        assert told["contact"]["info"]["name"] == {"first": "Ada"}

    with_site(play)


def test_contacts_are_found_by_filter_and_by_exact_words_page_by_page() -> None:
    async def play(site: Site) -> None:
        for number in range(5):
            await create(site, info(f"P{number}", f"p{number}@example.com"))
        sort = [{"fieldName": "primaryInfo.email", "order": "DESC"}]
        query = {"filter": {"info.name.first": {"$startsWith": "P"}}, "sort": sort, "paging": {"limit": 2, "offset": 2}}
        _, told = await site.call("POST", f"{V4}/query", {"query": query})
        _, exact = await site.call("POST", f"{V4}/query", {"search": "p3@example.com"})
        refused = await site.call("POST", f"{V4}/query", {"query": {"filter": {"info.shoes": 41}}})

        assert [one["info"]["name"]["first"] for one in told["contacts"]] == ["P2", "P1"]
        assert told["pagingMetadata"] == {"count": 2, "offset": 2, "total": 5, "tooManyToCount": False}
        assert [one["info"]["name"]["first"] for one in exact["contacts"]] == ["P3"]
        assert (refused[0], code_of(refused[1])) == (400, "UNSUPPORTED_FILTER_FIELD_UNKNOWN")

    with_site(play)


def test_a_merge_is_previewed_and_done_and_told_of_as_deletion_by_merge() -> None:
    async def play(site: Site) -> None:
        target = await create(site, info())
        source = await create(site, info("Eve", "eve@example.com", company="Pell"))
        body = {"sourceContactIds": [source["id"]]}
        _, preview = await site.call("POST", f"{V4}/{target['id']}/preview-merge", body)
        stale = await site.call("POST", f"{V4}/{target['id']}/merge", {**body, "targetContactRevision": 9})
        itself = await site.call(
            "POST", f"{V4}/{target['id']}/merge", {"sourceContactIds": [target["id"]], "targetContactRevision": 1}
        )
        _, merged = await site.call("POST", f"{V4}/{target['id']}/merge", {**body, "targetContactRevision": 1})
        gone, _ = await site.call("GET", f"{V4}/{source['id']}")
        events = [event["event"] for event in await site.events() if "contact_" in event["eventType"]]

        assert (stale[0], code_of(itself[1]), gone) == (409, "ILLEGAL_MERGE", 404)
        assert preview["contact"]["info"]["company"] == merged["contact"]["info"]["company"] == "Pell"
        assert [row["email"] for row in merged["contact"]["info"]["emails"]["items"]] == [
            "ada@example.com",
            "eve@example.com",
        ]
        assert [(event["slug"], event["originatedFrom"]) for event in events] == [
            ("created", ""),
            ("created", ""),
            ("deleted", "merge"),
            ("updated", ""),
            ("merged", ""),
        ]
        assert events[-1]["actionEvent"]["body"]["sourceContactIds"] == [source["id"]]

    with_site(play, HEARD)


def test_labels_and_fields_are_found_or_created_renamed_and_taken_off_everybody() -> None:
    async def play(site: Site) -> None:
        _, label = await site.call("POST", "/contacts/v4/labels", {"displayName": "At risk"})
        _, again = await site.call("POST", "/contacts/v4/labels", {"displayName": "At risk"})
        _, field = await site.call(
            "POST", "/contacts/v4/extended-fields", {"displayName": "Points", "dataType": "NUMBER"}
        )
        key = label["label"]["key"]
        made = await create(site, info(extendedFields={"items": {field["field"]["key"]: 7}}))
        _, labelled = await site.call("POST", f"{V4}/{made['id']}/labels", {"labelKeys": [key]})
        _, found = await site.call(
            "POST", f"{V4}/query", {"query": {"filter": {"info.labelKeys": {"$hasSome": [key]}}}}
        )
        _, renamed = await site.call("PATCH", f"/contacts/v4/labels/{key}", {"label": {"displayName": "Safe"}})
        await site.call("DELETE", f"/contacts/v4/labels/{key}")
        _, after = await site.call("GET", f"{V4}/{made['id']}")
        system = await site.call("DELETE", "/contacts/v4/labels/contacts.customers")

        assert (label["newLabel"], again["newLabel"], key) == (True, False, "custom.at-risk")
        assert labelled["contact"]["info"]["labelKeys"]["items"] == [key]
        assert made["info"]["extendedFields"]["items"]["custom.points"] == 7
        assert len(found["contacts"]) == 1
        assert (renamed["label"]["displayName"], renamed["label"]["key"]) == ("Safe", key)
        assert "labelKeys" not in after["contact"]["info"]
        assert system[0] == 428

    with_site(play)


def test_bulk_calls_need_a_filter_or_words_and_are_jobs() -> None:
    async def play(site: Site) -> None:
        for number in range(3):
            await create(site, info(f"P{number}", f"p{number}@example.com"))
        bulk = "/contacts/v4/bulk/contacts"
        nobody = await site.call("POST", f"{bulk}/delete", {})
        await site.call("POST", f"{bulk}/update", {"filter": {"info.name.first": "P0"}, "info": {"company": "Pell"}})
        await site.call("POST", f"{bulk}/delete", {"filter": {"info.company": {"$exists": False}}})
        _, listed = await site.call("GET", V4)

        assert (nobody[0], code_of(nobody[1])) == (400, "NEITHER_FILTER_NOR_SEARCH")
        assert [one["info"]["name"]["first"] for one in listed["contacts"]] == ["P0"]

    with_site(play)


def test_v5_finds_by_external_id_then_mail_and_an_upsert_never_makes_a_second_one() -> None:
    async def play(site: Site) -> None:
        asked = {"externalId": "shop-1", "name": {"first": "Ada"}, "email": {"email": "ada@example.com"}}
        actions, ids = [], set()
        for more in ({}, {"company": {"name": "Pell"}}, {"externalId": "shop-2"}):
            status, told = await site.call("POST", f"{V5}/upsert", {"contact": {**asked, **more}})
            actions.append(told.get("action") or (status, code_of(told)))
            ids |= {told["contact"]["id"]} if status == 200 else set()
        _, found = await site.call("GET", f"{V5}/find-matching?externalId=shop-1")
        nothing = await site.call("GET", f"{V5}/find-matching")
        contact = found["contacts"][0]
        _, older = await site.call("GET", f"{V4}/{contact['id']}")

        assert actions == ["CREATED", "UPDATED", (428, "CANNOT_CHANGE_EXTERNAL_ID")]
        assert len(ids) == 1
        assert (contact["revision"], contact["company"]) == ("2", {"name": "Pell"})
        assert (nothing[0], code_of(nothing[1])) == (400, "NO_IDENTIFIER_PROVIDED")
        assert older["contact"]["info"]["company"] == "Pell"

    with_site(play)


def test_v5_modes_of_an_upsert_append_or_overwrite() -> None:
    async def play(site: Site) -> None:
        start = {"email": {"email": "ada@example.com"}, "name": {"first": "Ada"}}
        await site.call("POST", f"{V5}/upsert", {"contact": start})
        more = {**start, "name": {"first": "Eve"}, "additionalEmails": [{"email": "two@example.com"}]}
        _, appended = await site.call("POST", f"{V5}/upsert", {"contact": more, "upsertMode": "APPEND"})
        _, written = await site.call("POST", f"{V5}/upsert", {"contact": {**more, "additionalEmails": []}})

        assert appended["contact"]["name"] == {"first": "Ada"}
        assert appended["contact"]["additionalEmails"] == [{"email": "two@example.com"}]
        assert (written["contact"]["name"], written["contact"]["additionalEmails"]) == ({"first": "Eve"}, [])

    with_site(play)


def test_v5_updates_are_guarded_and_its_bulk_calls_tell_each_fate() -> None:
    async def play(site: Site) -> None:
        rows = [{"name": {"first": "A"}}, {"company": {"name": "Pell"}}]
        _, made = await site.call("POST", "/contacts/v5/bulk/contacts/create", {"contacts": rows, "returnEntity": True})
        one = made["results"][0]["item"]
        stale = await site.call("PATCH", f"{V5}/{one['id']}", {"contact": {"revision": "7", "name": {"first": "B"}}})
        _, changed = await site.call(
            "PATCH", f"{V5}/{one['id']}", {"contact": {"revision": "1", "name": {"first": "B"}}}
        )
        masked = [{"contact": {"email": {"email": "x@example.com"}}}]
        _, upserted = await site.call("POST", "/contacts/v5/bulk/contacts/upsert", {"contacts": masked})
        _, counted = await site.call("POST", f"{V5}/count", {"filter": {"name.first": "B"}})
        _, searched = await site.call("POST", f"{V5}/search", {"search": {"search": {"expression": "x@example"}}})
        _, gone = await site.call("POST", "/contacts/v5/bulk/contacts/delete", {"contactIds": [one["id"], NOTHING]})

        assert [row["itemMetadata"]["success"] for row in made["results"]] == [True, False]
        assert (stale[0], changed["contact"]["revision"]) == (409, "2")
        assert upserted["results"][0]["action"] == "CREATED"
        assert (counted["count"], len(searched["contacts"])) == (1, 1)
        assert gone["bulkActionMetadata"]["totalFailures"] == 1

    with_site(play)


def test_a_member_is_a_contact_that_can_neither_lose_its_mail_nor_be_deleted() -> None:
    async def play(site: Site) -> None:
        made = await create(site, info())
        _, told = await site.call("POST", "/members/v1/members", {"member": {"loginEmail": "ada@example.com"}})
        member = told["member"]
        again = await site.call("POST", "/members/v1/members", {"member": {"loginEmail": "ada@example.com"}})
        mail = {"emails": {"items": [{"email": "other@example.com"}]}}
        changed = await site.call("PATCH", f"{V4}/{made['id']}", {"revision": 1, "info": mail})
        refused = await site.call("DELETE", f"{V4}/{made['id']}")
        _, public = await site.call("GET", f"/members/v1/members/{member['id']}")
        _, found = await site.call(
            "POST", "/members/v1/members/query", {"query": {"filter": {"contactId": made["id"]}}, "fieldsets": ["FULL"]}
        )
        await site.call("DELETE", f"/members/v1/members/{member['id']}")
        gone = await site.call("DELETE", f"{V4}/{made['id']}")

        assert (member["contactId"], again[0]) == (made["id"], 409)
        assert (changed[0], code_of(changed[1])) == (428, "CANNOT_UPDATE_MEMBER_EMAIL")
        assert (refused[0], code_of(refused[1])) == (428, "CANNOT_DELETE_MEMBER")
        assert "loginEmail" not in public["member"]
        assert found["members"][0]["contact"]["firstName"] == "Ada"
        assert gone[0] == 200

    with_site(play)


def test_the_buyer_of_a_created_order_becomes_a_contact_once_and_the_order_names_it() -> None:
    async def play(site: Site) -> None:
        amount = {"amount": "12.50"}
        line = {
            "productName": {"original": "Mug"},
            "quantity": 1,
            "price": amount,
            "itemType": {"preset": "PHYSICAL"},
        }
        order = {
            "channelInfo": {"type": "OTHER_PLATFORM"},
            "lineItems": [line],
            "priceSummary": {"subtotal": amount, "total": amount},
            "buyerInfo": {"email": "ada@example.com"},
            "billingInfo": {"contactDetails": {"firstName": "Ada"}},
        }
        made = [await site.call("POST", "/ecom/v1/orders", {"order": order}) for _ in range(2)]
        _, listed = await site.call("GET", V4)
        slugs = [event["event"]["slug"] for event in await site.events() if "contacts.v4" in event["eventType"]]

        (contact,) = listed["contacts"]
        assert (contact["source"]["sourceType"], contact["info"]["name"]) == ("WIX_STORES", {"first": "Ada"})
        assert {told["order"]["buyerInfo"]["contactId"] for _, told in made} == {contact["id"]}
        assert slugs == ["created"]

    with_site(play, HEARD)


def test_v5_addresses_are_parts_under_the_contacts_revision_with_one_default() -> None:
    async def play(site: Site) -> None:
        _, told = await site.call("POST", V5, {"contact": {"name": {"first": "Ada"}}})
        path = f"{V5}/{told['contact']['id']}/addresses"
        first, second = ({"address": {"city": city}} for city in ("Ulm", "Bonn"))
        await site.call("POST", path, {"address": first, "revision": "1"})
        stale = await site.call("POST", path, {"address": second, "revision": "1"})
        _, two = await site.call("POST", path, {"address": {**second, "defaultAddress": True}, "revision": "2"})
        gone = two["contact"]["addresses"][0]["id"]
        _, one = await site.call("DELETE", f"{path}/{gone}", {"revision": "3"})
        lost = await site.call("DELETE", f"{path}/{gone}", {"revision": "4"})

        assert stale[0] == 409
        assert [(row["address"]["city"], row["defaultAddress"]) for row in two["contact"]["addresses"]] == [
            ("Ulm", False),
            ("Bonn", True),
        ]
        assert [row["address"]["city"] for row in one["contact"]["addresses"]] == ["Bonn"]
        assert (lost[0], code_of(lost[1])) == (404, "ADDRESS_NOT_FOUND")

    with_site(play)


def test_v5_deleted_contacts_come_back_from_the_bin_with_their_id() -> None:
    async def play(site: Site) -> None:
        made = await create(site, info())
        await site.call("DELETE", f"{V4}/{made['id']}")
        _, listed = await site.call("GET", f"{V5}/trash-bin?email=ada@example.com")
        _, restored = await site.call("POST", f"{V5}/trash-bin/{made['id']}/restore", {})
        again, _ = await site.call("POST", V4, {"info": info()})
        empty, _ = await site.call("GET", f"{V5}/trash-bin/{made['id']}")

        assert [one["id"] for one in listed["contacts"]] == [made["id"]]
        assert restored["contact"]["email"]["email"] == "ada@example.com"
        assert (again, empty) == (409, 404)

    with_site(play)
