"""The mutations of customers, their addresses and their consent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, refused
from storebridge_sandbox.shopify.customers.answers import CustomerAnswers
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.sales.buyers import Buyer, Buyers
from storebridge_sandbox.shopify.sales.inputs import clean_tags, reach_errors

COPIED = {
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "phone": "phone",
    "note": "note",
    "locale": "locale",
    "taxExempt": "tax_exempt",
}
MISSING = "Customer does not exist"
NAMELESS = "A name, phone number, or email address must be present"


class CustomerWrites:
    """``changed(customer, topic)`` announces."""

    def __init__(
        self,
        buyers: Buyers,
        answers: CustomerAnswers,
        numbers: Numbers,
        now: Callable[[], datetime],
        changed: Callable[[Buyer, str], None],
        set_metafields: Callable[[Any, list[dict[str, Any]]], list[Any]],
    ) -> None:
        self._buyers = buyers
        self._answers = answers
        self._numbers = numbers
        self._now = now
        self._changed = changed
        self._set_metafields = set_metafields

    def resolvers(self) -> Resolvers:
        verbs = {
            "customerCreate": self._create,
            "customerUpdate": self._update,
            "customerSet": self._set,
            "customerDelete": self._delete,
            "customerAddressCreate": self._add_address,
            "customerAddressUpdate": self._update_address,
            "customerAddressDelete": self._delete_address,
            "customerUpdateDefaultAddress": self._default_address,
            "customerEmailMarketingConsentUpdate": self._email_consent,
            "customerSmsMarketingConsentUpdate": self._sms_consent,
        }
        return {("Mutation", name): verb for name, verb in verbs.items()}

    def _create(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["input"]
        if given.get("id"):
            return refused(["id"], "Cannot specify ID on creation")
        for kind, word in (("addresses", "address"), ("metafields", "metafield")):
            for place, one in enumerate(given.get(kind) or []):
                if one.get("id"):
                    return refused([kind, str(place), "id"], f"Cannot specify {word} ID on creation")
        errors = self._errors(given, None)
        if errors:
            return {"customer": None, "userErrors": errors}
        made = self._make(given)
        errors = self._set_metafields(made, given.get("metafields") or [])
        self._changed(made, "customers/create")
        return {"customer": made, "userErrors": errors}

    def _make(self, given: dict[str, Any]) -> Buyer:
        made = self._buyers.new()
        self._apply(made, given)
        return made

    def _update(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["input"]
        found = self._buyers.known.get(given.get("id") or "")
        if found is None:
            return refused(["id"], MISSING)
        errors = self._errors(given, found)
        if errors:
            return {"customer": None, "userErrors": errors}
        self._apply(found, given)
        errors = self._set_metafields(found, given.get("metafields") or [])
        self._changed(found, "customers/update")
        return {"customer": found, "userErrors": errors}

    def _set(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """Found by its identifier and changed, else made; lists are replaced."""
        identifier, given = args.get("identifier") or {}, args["input"]
        if identifier and given.get("id"):
            told = "The id field is not allowed if identifier is provided."
            return refused(["input"], told, "ID_NOT_ALLOWED")
        for name in ("email", "phone"):
            if identifier.get(name) and not given.get(name):
                told = "The input field corresponding to the identifier is required."
                return refused(["input"], told, "MISSING_FIELD_REQUIRED")
            if identifier.get(name) and given[name] != identifier[name]:
                told = "The identifier value does not match the value of the corresponding field in the input."
                return refused(["input", name], told, "INPUT_MISMATCH")
        found = self._answers.identified(identifier or {"id": given.get("id") or ""})
        if found is None and (identifier.get("id") or given.get("id")):
            return refused(["input"], MISSING, "NOT_FOUND")
        errors = [UserError(_below_input(one.field), one.message, _code(one)) for one in self._errors(given, found)]
        if errors:
            return {"customer": None, "userErrors": errors}
        topic = "customers/update" if found else "customers/create"
        if found is None:
            found = self._make(given)
        else:
            self._apply(found, given)
        self._changed(found, topic)
        return {"customer": found, "userErrors": []}

    def _delete(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        found = self._buyers.known.get(args["input"]["id"])
        if found is None:
            return refused(["id"], "Customer can't be found")
        if self._answers.orders_of(found):
            return refused(["id"], "Customer can’t be deleted because they have associated orders")
        del self._buyers.known[found.id]
        self._changed(found, "customers/delete")
        return {"deletedCustomerId": found.id, "userErrors": []}

    def _errors(self, given: dict[str, Any], own: Buyer | None) -> list[UserError]:
        errors = []
        named = [given.get(name) or (getattr(own, COPIED[name]) if own else None) for name in list(COPIED)[:4]]
        if not any(named):
            errors.append(UserError(None, NAMELESS))
        email, phone = given.get("email"), given.get("phone")
        wrong = list(reach_errors(given, []))
        errors += wrong
        if not wrong and email and self._buyers.reached(email, None) not in (None, own):
            errors.append(UserError(["email"], "Email has already been taken"))
        if not wrong and phone and self._buyers.reached(None, phone) not in (None, own):
            errors.append(UserError(["phone"], "Phone has already been taken"))
        for name, shown, most in (
            ("firstName", "First name", 255),
            ("lastName", "Last name", 255),
            ("note", "Note", 5000),
        ):
            if len(given.get(name) or "") > most:
                errors.append(UserError([name], f"{shown} is too long (maximum is {most} characters)"))
        if len(given.get("tags") or []) > 250:
            errors.append(UserError(["tags"], "Tags cannot be more than 250"))
        return errors

    def _apply(self, one: Buyer, given: dict[str, Any]) -> None:
        for name, attribute in COPIED.items():
            if name in given:
                value = given[name]
                setattr(one, attribute, value.strip() or None if isinstance(value, str) else value)
        one.locale, one.tax_exempt = one.locale or "en", bool(one.tax_exempt)
        if given.get("tags") is not None:
            one.tags = clean_tags(given["tags"])
        if given.get("addresses") is not None:
            one.addresses = [self._address(address) for address in given["addresses"]]
            one.default_address_id = one.addresses[0]["id"] if one.addresses else None
        one.email_consent = dict(given.get("emailMarketingConsent") or one.email_consent)
        one.sms_consent = dict(given.get("smsMarketingConsent") or one.sms_consent)
        one.updated_at = self._now()
        self._buyers.noted(one)

    # -- addresses and consent -------------------------------------------------------------------------------------

    def _address(self, given: dict[str, Any]) -> dict[str, Any]:
        made = {name: value for name, value in given.items() if name != "id"}
        return {**made, "id": f"{self._numbers.new('MailingAddress')}?model_name=CustomerAddress"}

    def _add_address(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        found = self._buyers.known.get(args["customerId"])
        if found is None:
            return refused(["customerId"], MISSING)
        made = self._address(args["address"])
        found.addresses.append(made)
        if args.get("setAsDefault") or len(found.addresses) == 1:
            found.default_address_id = made["id"]
        return self._with_address(found, made)

    def _with_address(self, found: Buyer, address: dict[str, Any]) -> dict[str, Any]:
        found.updated_at = self._now()
        self._changed(found, "customers/update")
        return {"address": address, "userErrors": []}

    def _update_address(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        found, address = self._customer_address(args)
        if found is None:
            return refused(["customerId"], MISSING)
        if address is None:
            return refused(["addressId"], "Address does not exist")
        address.update({name: value for name, value in args["address"].items() if name != "id"})
        if args.get("setAsDefault"):
            found.default_address_id = address["id"]
        return self._with_address(found, address)

    def _delete_address(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        found, address = self._customer_address(args)
        if found is None:
            return refused(["customerId"], MISSING)
        if address is None:
            return refused(["addressId"], "Address does not exist")
        found.addresses.remove(address)
        if found.default_address_id == address["id"]:
            found.default_address_id = found.addresses[0]["id"] if found.addresses else None
        found.updated_at = self._now()
        self._changed(found, "customers/update")
        return {"deletedAddressId": address["id"], "userErrors": []}

    def _default_address(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        found, address = self._customer_address(args)
        if found is None:
            return refused(["customerId"], MISSING)
        if address is None:
            return refused(["addressId"], "Address does not exist")
        found.default_address_id, found.updated_at = address["id"], self._now()
        self._changed(found, "customers/update")
        return {"customer": found, "userErrors": []}

    def _customer_address(self, args: dict[str, Any]) -> tuple[Buyer | None, dict[str, Any] | None]:
        found = self._buyers.known.get(args["customerId"])
        held = found.addresses if found else []
        return found, next((one for one in held if one["id"] == args["addressId"]), None)

    def _email_consent(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        return self._consent(args["input"], "email_consent", "emailMarketingConsent", "email")

    def _sms_consent(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        return self._consent(args["input"], "sms_consent", "smsMarketingConsent", "phone")

    def _consent(self, given: dict[str, Any], attribute: str, name: str, needs: str) -> dict[str, Any]:
        found = self._buyers.known.get(given["customerId"])
        if found is None:
            return refused(["input", "customerId"], "Customer not found", "INVALID")
        if not getattr(found, needs):
            word = "email address" if needs == "email" else "phone number"
            told = f"The customer must have a unique {word} to update their marketing consent"
            return refused(["input", name], told, "INVALID")
        setattr(found, attribute, dict(given[name]))
        found.updated_at = self._now()
        self._changed(found, "customers/update")
        return {"customer": found, "userErrors": []}


def _below_input(path: list[str] | None) -> list[str]:
    return ["input", *(path or [])]


def _code(error: UserError) -> str:
    if "taken" in error.message:
        return "TAKEN"
    return "BLANK" if error.field is None else "INVALID"
