"""Two customers become one: whose data stay, what follows, and the job that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from storebridge_sandbox.shopify.call import Call, Resolvers, refused
from storebridge_sandbox.shopify.customers.answers import CustomerAnswers
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.metafields.state import Metafields
from storebridge_sandbox.shopify.sales.buyers import Buyer, Buyers
from storebridge_sandbox.shopify.sales.inputs import clean_tags

MOST_TAGS, LONGEST_NOTE = 250, 5000
TAKES = timedelta(seconds=1)


@dataclass(slots=True)
class MergeJob:
    """A merge that was asked for; the customers are one when it is done."""

    graphql_type: ClassVar[str] = "Job"
    done: ClassVar[bool] = True
    """Whoever asks for the job asks after the call that made it, and that call did the work."""
    id: str
    kept_id: str
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class MergeAsked:
    """The job as the call that asks for it sees it."""

    graphql_type: ClassVar[str] = "Job"
    id: str
    done: bool = False


class CustomerMerge:
    """``changed(customer, topic)`` announces; ``merged(kept, gone)`` tells customers/merge."""

    def __init__(
        self,
        buyers: Buyers,
        answers: CustomerAnswers,
        metafields: Metafields,
        new_job_id: Callable[[], str],
        merged: Callable[[Buyer, Buyer, str], None],
    ) -> None:
        self._buyers = buyers
        self._answers = answers
        self._metafields = metafields
        self._new_job_id = new_job_id
        self._merged = merged
        self.jobs: dict[str, MergeJob] = {}
        self._merged_away: set[str] = set()
        """Whoever was merged into another is no unknown customer to a second merge (recorded)."""

    def resolvers(self) -> Resolvers:
        return {
            ("Mutation", "customerMerge"): self._merge,
            ("QueryRoot", "customerMergePreview"): self._preview,
            ("QueryRoot", "customerMergeJobStatus"): self._status,
        }

    def _merge(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        if args["customerOneId"] == args["customerTwoId"] and args["customerOneId"] in self._buyers.known:
            return refused(None, "Customers IDs should not match", "INVALID_CUSTOMER_ID")
        for name in ("customerOneId", "customerTwoId"):
            if args[name] not in self._buyers.known and args[name] not in self._merged_away:
                told = f"Customer does not exist with ID {args[name].rpartition('/')[2]}"
                return refused([name], told, "INVALID_CUSTOMER_ID")
        for name in ("customerOneId", "customerTwoId"):
            if args[name] in self._merged_away:
                return refused([name], "Customer has already been merged", "INVALID_CUSTOMER")
        one, two = self._buyers.known[args["customerOneId"]], self._buyers.known[args["customerTwoId"]]
        override = args.get("overrideFields") or {}
        blocking = _blocking(one, two, override)
        if blocking:
            return refused(None, blocking, "OVERRIDE_ATTRIBUTE_INVALID" if override else "INVALID_CUSTOMER")
        kept = _kept(one, two, override)
        job = MergeJob(self._new_job_id(), kept.id, call.now + TAKES)
        self.jobs[job.id] = job
        self._carry_out(kept, two if kept is one else one, override, call.now, job.id)
        return {
            "resultingCustomerId": kept.id,
            "job": MergeAsked(job.id),
            "userErrors": [],
        }

    def _carry_out(self, kept: Buyer, gone: Buyer, override: dict[str, Any], now: datetime, job_id: str) -> None:
        chosen = {
            "first_name": override.get("customerIdOfFirstNameToKeep"),
            "last_name": override.get("customerIdOfLastNameToKeep"),
            "phone": override.get("customerIdOfPhoneNumberToKeep"),
        }
        for attribute, wanted in chosen.items():
            mine, theirs = getattr(kept, attribute), getattr(gone, attribute)
            setattr(kept, attribute, theirs if wanted == gone.id or not mine else mine)
        kept.email = kept.email or gone.email
        notes = [note for note in (kept.note, gone.note) if note]
        kept.note = override.get("note") or " ".join(dict.fromkeys(notes)) or None
        kept.tags = clean_tags(override.get("tags") or [*kept.tags, *gone.tags])
        kept.addresses = [*kept.addresses, *gone.addresses]
        wanted = override.get("customerIdOfDefaultAddressToKeep")
        if wanted == gone.id or kept.default_address_id is None:
            kept.default_address_id = gone.default_address_id
        for order in self._answers.orders_of(gone):
            order.customer_id = kept.id
            self._answers.changed(order)
        held = self._metafields.held.pop(gone.id, {})
        own = self._metafields.held.setdefault(kept.id, {})
        for place, value in held.items():
            value.owner_id = kept.id
            own.setdefault(place, value)
        kept.updated_at = now
        del self._buyers.known[gone.id]
        self._buyers.noted(kept)
        self._merged_away.add(gone.id)
        self._merged(kept, gone, job_id)

    def _status(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any] | None:
        job = self.jobs.get(args["jobId"])
        if job is None:
            return None
        status = "COMPLETED" if job.ready_at <= call.now else "IN_PROGRESS"
        return {"jobId": job.id, "resultingCustomerId": job.kept_id, "status": status, "customerMergeErrors": []}

    def _preview(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        if args["customerOneId"] == args["customerTwoId"]:
            raise Refusal("Customers must be different.", "BAD_REQUEST")
        one, two = (self._buyers.known.get(args[name]) for name in ("customerOneId", "customerTwoId"))
        if one is None or two is None:
            told = "Customer does not exist"
            return {"customerMergeErrors": [{"errorFields": [], "message": told}]}
        override = args.get("overrideFields") or {}
        kept = _kept(one, two, override)
        gone = two if kept is one else one
        orders = [*self._answers.orders_of(one), *self._answers.orders_of(two)]
        return {
            "resultingCustomerId": kept.id,
            "customerMergeErrors": [],
            "blockingFields": None,
            "alternateFields": _contact(gone),
            "defaultFields": {
                **_contact(kept),
                "displayName": kept.display_name,
                "note": override.get("note") or kept.note,
                "tags": clean_tags([*one.tags, *two.tags]),
                "orderCount": str(len(orders)),
                "draftOrderCount": "0",
                "giftCardCount": "0",
                "discountNodeCount": "0",
                "metafieldCount": str(len(self._metafields.of(one.id)) + len(self._metafields.of(two.id))),
            },
        }


def _contact(one: Buyer) -> dict[str, Any]:
    return {
        "firstName": one.first_name,
        "lastName": one.last_name,
        "email": one if one.email else None,
        "phoneNumber": one if one.phone else None,
        "defaultAddress": one.default_address,
    }


def _kept(one: Buyer, two: Buyer, override: dict[str, Any]) -> Buyer:
    """Whose e-mail is chosen; else who alone has one; else whose account is active; else the second."""
    wanted = override.get("customerIdOfEmailToKeep")
    if wanted in (one.id, two.id):
        return one if wanted == one.id else two
    if bool(one.email) != bool(two.email):
        return one if one.email else two
    rank = {"ENABLED": 2, "INVITED": 1}
    return one if rank.get(one.state, 0) > rank.get(two.state, 0) else two


def _blocking(one: Buyer, two: Buyer, override: dict[str, Any]) -> str | None:
    tags = override.get("tags") or [*one.tags, *two.tags]
    if len(clean_tags(tags)) > MOST_TAGS:
        return f"Customers can't be merged because their tags exceed {MOST_TAGS}."
    note = override.get("note") or " ".join(filter(None, (one.note, two.note)))
    if len(note) <= LONGEST_NOTE:
        return None
    return f"Customers can't be merged because their notes exceed {LONGEST_NOTE} characters."
