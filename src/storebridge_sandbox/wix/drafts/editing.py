"""``/ecom/v1/draft-orders``: begin, find, fill and change drafts. Each answer holds the draft with its sums."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.drafts.desk import DraftDesk
from storebridge_sandbox.wix.drafts.state import (
    Draft,
    DraftDiscount,
    DraftFee,
    DraftLine,
    Part,
    goods_total,
    shipping_cost,
)
from storebridge_sandbox.wix.orders.office import MANAGE, READ, declared, texts_in
from storebridge_sandbox.wix.orders.reading import (
    KEPT_OF_LINES,
    MOST_LINES,
    amount_in,
    guid_in,
    object_in,
    one_of,
    quantity_in,
    sellable_of,
    text_in,
)
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.query import EQUALITY, ORDERING, Field, Language
from storebridge_sandbox.wix.wire import millis, money, validation_error

BASE = "/ecom/v1/draft-orders"
ONE = BASE + "/{draftOrderId}"
KINDS = frozenset(("GLOBAL", "SPECIFIC_ITEMS", "SHIPPING"))
TOO_MUCH = {
    "GLOBAL": "DISCOUNTS_AMOUNT_EXCEED_ORDER_TOTALS",
    "SPECIFIC_ITEMS": "DISCOUNTS_AMOUNT_EXCEED_ITEM_TOTALS",
    "SHIPPING": "DISCOUNTS_AMOUNT_EXCEED_SHIPPING_TOTAL",
}
CENT = Decimal("0.01")
LANGUAGE = Language(
    {
        "id": Field(lambda draft: draft.id),
        "orderId": Field(lambda draft: draft.order_id),
        "status": Field(lambda draft: "COMMITTED" if draft.committed else "DRAFT", "text", EQUALITY, sortable=True),
        "createdDate": Field(lambda draft: millis(draft.created_at), "moment", ORDERING, sortable=True),
        "updatedDate": Field(lambda draft: millis(draft.updated_at), "moment", ORDERING, sortable=True),
    },
    tie=lambda draft: draft.id,
    default_limit=50,
    most=100,
    default_sort=(("createdDate", True),),
)
Verb = Callable[[Draft, Call], None]


class DraftAnswers:
    """Answers about drafts that are being edited."""

    def __init__(self, desk: DraftDesk) -> None:
        self._desk = desk

    def operations(self) -> list[Operation]:
        call = declared("ecom_draft-orders")
        changes: dict[tuple[str, str, str], Verb] = {
            ("POST", f"{ONE}/add-line-items", "addLineItemsToDraftOrder"): self._add_lines,
            ("POST", f"{ONE}/line-items", "updateLineItems"): self._change_lines,
            ("POST", f"{ONE}/create-custom-discounts", "createCustomDiscounts"): self._add_discounts,
            ("POST", f"{ONE}/set-discounts", "setDiscounts"): self._set_discounts,
            ("POST", f"{ONE}/delete-custom-discounts", "deleteCustomDiscounts"): self._delete_discounts,
            ("POST", f"{ONE}/create-additional-fees", "createCustomAdditionalFees"): self._add_fees,
            ("POST", f"{ONE}/set-additional-fees", "setAdditionalFees"): self._set_fees,
            ("POST", f"{ONE}/delete-custom-additional-fees", "deleteCustomAdditionalFees"): self._delete_fees,
            ("PUT", f"{BASE}/set-shipping-info", "setShippingInfo"): _setter("shipping", "shippingInfo"),
            ("PUT", f"{BASE}/set-buyer-info", "setBuyerInfo"): _setter("buyer", "buyerInfo"),
            ("PUT", f"{BASE}/set-billing-info", "setBillingInfo"): _setter("billing", "billingInfo"),
            ("PUT", f"{BASE}/set-recipient-info", "setRecipientInfo"): _setter("recipient", "recipientInfo"),
            ("PUT", f"{BASE}/set-business-location", "setBusinessLocation"): self._set_location,
            ("PUT", f"{BASE}/set-tax-exemption", "setTaxExemption"): self._set_exemption,
        }
        own = [
            call("createDraftOrder", "POST", BASE, self.create, MANAGE),
            call("createEmptyDraftOrder", "POST", f"{BASE}/create-empty-draft-order", self.create_empty, MANAGE),
            call("queryDraftOrders", "POST", f"{BASE}/query", self.query, READ),
            call("getOrderDraftabilityStatus", "GET", BASE + "/{orderId}/draftability", self.draftability, READ),
            call("getDraftOrder", "GET POST", ONE, self.get, READ),
            call("deleteDraftOrder", "DELETE", ONE, self.delete, MANAGE),
            call("updateExtendedFields", "POST", BASE + "/{id}/update-extended-fields", self.extend, MANAGE),
        ]
        return [
            *own,
            *(call(name, verb, path, self._changing(do), MANAGE) for (verb, path, name), do in changes.items()),
        ]

    def create(self, call: Call) -> dict[str, Any]:
        """From an order, or with first values."""
        order_id = call.arguments.get("sourceOrderId") or call.arguments.get("orderId")
        if order_id:
            draft, was_there = self._desk.of_order(self._desk.office.find(order_id), call.actor)
        else:
            draft, was_there = self._desk.begin(call.actor), False
            try:
                self._fill(draft, call.part("draftOrder"), call)
            except Exception:
                del self._desk.drafts[draft.id]
                raise
        if not was_there:
            self._desk.created(draft, call)
        return {**self._desk.calculated(draft), "preexistingDraftOrder": was_there}

    def create_empty(self, call: Call) -> dict[str, Any]:
        draft = self._desk.begin(call.actor)
        self._desk.created(draft, call)
        return self._desk.calculated(draft)

    def get(self, call: Call) -> dict[str, Any]:
        return self._desk.calculated(self._desk.find(call, open_only=False))

    def query(self, call: Call) -> dict[str, Any]:
        page = LANGUAGE.page(LANGUAGE.read(call.part("query")), list(self._desk.drafts.values()))
        return {"draftOrders": [self._desk.payload(draft) for draft in page.rows], "pagingMetadata": page.metadata()}

    def draftability(self, call: Call) -> dict[str, Any]:
        order = self._desk.office.orders.orders.get(call.params["orderId"])
        reasons = ["ORDER_NOT_FOUND"] if order is None else self._desk.why_not(order)
        return {"orderId": call.params["orderId"], "orderDraftable": not reasons, "nonDraftableReasons": reasons}

    def delete(self, call: Call) -> dict[str, Any]:
        draft = self._desk.find(call, open_only=False)
        if draft.committed:
            raise refusal("DRAFT_ORDER_CANNOT_BE_DELETED", "The draft is committed")
        self._desk.deleted(draft, call)
        return {}

    def extend(self, call: Call) -> dict[str, Any]:
        call.params["draftOrderId"] = call.params["id"]
        draft = self._desk.find(call)
        namespace = text_in(call.arguments.get("namespace"), "namespace", 100)
        draft.extended_fields = {**draft.extended_fields, namespace: call.part("namespaceData")}
        self._desk.changed(draft, call)
        return {"draftOrder": self._desk.payload(draft)}

    def _changing(self, verb: Verb) -> Callable[[Call], dict[str, Any]]:
        def answer(call: Call) -> dict[str, Any]:
            draft = self._desk.find(call)
            verb(draft, call)
            return self._desk.changed(draft, call)

        return answer

    def _fill(self, draft: Draft, values: dict[str, Any], call: Call) -> None:
        part = Call(values, call.params, call.actor, call.request_id)
        self._add_lines(draft, part)
        for attribute, name in (
            ("shipping", "shippingInfo"),
            ("buyer", "buyerInfo"),
            ("billing", "billingInfo"),
            ("recipient", "recipientInfo"),
        ):
            _setter(attribute, name)(draft, part)
        if values.get("discounts"):
            self._add_discounts(draft, part)
        if values.get("additionalFees"):
            renamed = Call({"customAdditionalFees": values["additionalFees"]}, call.params, call.actor, call.request_id)
            self._add_fees(draft, renamed)
        draft.tax_exempt = bool(values.get("taxExempt"))
        draft.location = values.get("businessLocation")

    # -- lines ---------------------------------------------------------------------------------------------

    def _add_lines(self, draft: Draft, call: Call) -> None:
        """Everything is read before anything is added."""
        made = [self._catalogue_line(row, n) for n, row in enumerate(call.arguments.get("catalogLineItems") or [])]
        made += [self._custom_line(row, n) for n, row in enumerate(call.arguments.get("customLineItems") or [])]
        if len(draft.lines) + len(made) > MOST_LINES:
            raise refusal("MAX_ITEMS_REACHED", f"A draft holds at most {MOST_LINES} lines")
        ids = [line.id for line in [*draft.lines, *made]]
        if len(set(ids)) < len(ids):
            raise refusal("DUPLICATED_LINE_ITEM_IDS", "Line item ids must be unique")
        items = [line.sellable.item_id for line in [*draft.lines, *made] if line.sellable.item_id]
        if len(set(items)) < len(items):
            raise refusal("CATALOG_ITEM_ALREADY_EXIST", "The draft holds this catalog item already")
        draft.lines.extend(made)

    def _catalogue_line(self, row: Any, number: int) -> DraftLine:
        field = f"catalogLineItems[{number}]"
        row = object_in(row, field)
        reference = object_in(row.get("catalogReference"), f"{field}.catalogReference")
        sellable = sellable_of(reference, self._desk.office.orders.goods, f"{field}.catalogReference")
        if sellable is None:
            raise refusal("CATALOG_ITEM_NOT_FOUND", f"No catalog item {reference.get('catalogItemId')!r}")
        price = sellable.price if row.get("price") is None else amount_in(row["price"], f"{field}.price")
        quantity = quantity_in(row.get("quantity", 1), f"{field}.quantity")
        return DraftLine(self._id_in(row, field), sellable, quantity, price)

    def _custom_line(self, row: Any, number: int) -> DraftLine:
        field = f"customLineItems[{number}]"
        row = object_in(row, field)
        name = object_in(row.get("productName"), f"{field}.productName").get("original")
        price = amount_in(object_in(row.get("price"), f"{field}.price"), f"{field}.price")
        sku = str((row.get("physicalProperties") or {}).get("sku") or "")
        title = text_in(name, f"{field}.productName.original", 200)
        sellable = Sellable("", "", "", sku, title, price, tracked=False)
        quantity = quantity_in(row.get("quantity", 1), f"{field}.quantity")
        line = DraftLine(self._id_in(row, field), sellable, quantity, price)
        line.told = {name: row[name] for name in KEPT_OF_LINES if row.get(name) is not None}
        return line

    def _id_in(self, row: dict[str, Any], field: str) -> str:
        return guid_in(row["id"], f"{field}.id") if row.get("id") else self._desk.office.orders.new_id()

    def _change_lines(self, draft: Draft, call: Call) -> None:
        rows = call.rows("lineItemChanges", MOST_LINES)
        ids = [row.get("lineItemId") for row in rows]
        if len(set(map(str, ids))) < len(ids):
            raise refusal("MULTIPLE_CHANGES_FOR_SAME_LINE_ITEM", "One change per line item")
        changes = [self._read_change(draft, row, f"lineItemChanges[{n}]") for n, row in enumerate(rows)]
        for line, quantity, price, told in changes:
            line.quantity = line.quantity if quantity is None else quantity
            if price is not None:
                line.price, line.full_price = price, None
            line.told = {**line.told, **told}
        draft.lines = [line for line in draft.lines if line.quantity or not line.added]

    def _read_change(
        self, draft: Draft, row: dict[str, Any], field: str
    ) -> tuple[DraftLine, int | None, Decimal | None, dict[str, Any]]:
        line = draft.line(row.get("lineItemId"))
        if line is None:
            raise refusal("LINE_ITEM_DOES_NOT_EXIST", f"The draft has no line item {row.get('lineItemId')!r}")
        told = {"productName": row["newProductName"]} if row.get("newProductName") else {}
        asked, price = row.get("newQuantity"), row.get("newPrice")
        if asked is None and price is None and not told:
            raise refusal("EMPTY_CHANGE_REQUEST", "Nothing to change")
        quantity = None if asked is None else 0 if asked == 0 else quantity_in(asked, f"{field}.newQuantity", 1_000_000)
        if quantity == 0 and price is not None:
            raise refusal("UPDATING_PRICE_OF_REMOVED_ITEM_IS_FORBIDDEN", "The line item is taken out")
        return line, quantity, None if price is None else amount_in(price, f"{field}.newPrice"), told

    # -- discounts and fees --------------------------------------------------------------------------------

    def _add_discounts(self, draft: Draft, call: Call) -> None:
        made = [self._discount(draft, row, f"discounts[{n}]") for n, row in enumerate(call.rows("discounts", 100))]
        for one in made:
            if one.applied:
                self._check_room(draft, [*draft.discounts, *made])
        draft.discounts.extend(made)

    def _discount(self, draft: Draft, row: dict[str, Any], field: str) -> DraftDiscount:
        kind: Any = one_of(row.get("discountType", "GLOBAL"), KINDS, f"{field}.discountType")
        rows = (
            row.get("lineItemDiscounts") or [{"id": row["lineItemId"]}]
            if row.get("lineItemId")
            else row.get("lineItemDiscounts")
        )
        line_id = rows[0].get("id") if rows else None
        if kind == "SPECIFIC_ITEMS" and draft.line(line_id) is None:
            raise refusal("LINE_ITEM_NOT_FOUND", f"The draft has no line item {line_id!r}")
        base = self._base(draft, kind, line_id)
        percentage, given = row.get("percentage"), row.get("priceAmount") or row.get("amount")
        if percentage is not None:
            amount = (base * _percent(percentage, field) / 100).quantize(CENT)
        else:
            amount = amount_in(object_in(given, f"{field}.priceAmount"), f"{field}.priceAmount")
        made = DraftDiscount(
            self._desk.office.orders.new_id(), kind, amount, bool(row.get("applyToDraftOrder")), "CUSTOM"
        )
        made.description = text_in(row["description"], f"{field}.description", 200) if row.get("description") else None
        made.line_id = line_id if kind == "SPECIFIC_ITEMS" else None
        return made

    def _base(self, draft: Draft, kind: str, line_id: object) -> Decimal:
        if kind == "SHIPPING":
            return shipping_cost(draft.shipping.now)
        line = draft.line(line_id)
        if kind == "SPECIFIC_ITEMS" and line is not None:
            return line.price * line.quantity
        return goods_total(draft)

    def _check_room(self, draft: Draft, discounts: list[DraftDiscount]) -> None:
        """Applied discounts may not be more than what they are taken off."""
        for one in discounts:
            same = [
                other for other in discounts if other.applied and (other.kind, other.line_id) == (one.kind, one.line_id)
            ]
            if sum((other.amount for other in same), Decimal(0)) > self._base(draft, one.kind, one.line_id):
                raise refusal(TOO_MUCH[one.kind], "The discounts are more than what they are taken off")

    def _set_discounts(self, draft: Draft, call: Call) -> None:
        wanted = _applied_in(call, "discounts", 320)
        known = {one.id: one for one in draft.discounts}
        if wanted.keys() - known.keys():
            raise refusal("DISCOUNT_NOT_FOUND", "The draft has no such discount")
        before = {one.id: one.applied for one in draft.discounts}
        for one in draft.discounts:
            one.applied = wanted.get(one.id, one.applied)
        try:
            self._check_room(draft, draft.discounts)
        except Exception:
            for one in draft.discounts:
                one.applied = before[one.id]
            raise

    def _delete_discounts(self, draft: Draft, call: Call) -> None:
        ids = texts_in(call, "discountIds", 100)
        for wanted in ids:
            found = next((one for one in draft.discounts if one.id == wanted), None)
            if found is None:
                raise refusal("DISCOUNT_NOT_FOUND", f"The draft has no discount {wanted!r}")
            if found.source != "CUSTOM":
                raise refusal("DISCOUNT_REMOVE_NOT_SUPPORTED", "Only custom discounts can be deleted")
        draft.discounts = [one for one in draft.discounts if one.id not in ids]

    def _add_fees(self, draft: Draft, call: Call) -> None:
        rows = call.rows("customAdditionalFees", 100)
        draft.fees.extend([self._fee(draft, row, f"customAdditionalFees[{n}]") for n, row in enumerate(rows)])

    def _fee(self, draft: Draft, row: dict[str, Any], field: str) -> DraftFee:
        name = text_in(row.get("name"), f"{field}.name", 50)
        amount = amount_in(object_in(row.get("price"), f"{field}.price"), f"{field}.price")
        ids = row.get("lineItemIds") or []
        if any(draft.line(line_id) is None for line_id in ids):
            raise refusal("LINE_ITEM_NOT_FOUND", "The draft has no such line item")
        price = money(amount, draft.currency)
        fee_id = self._desk.office.orders.new_id()
        message = {"id": fee_id, "name": name, "price": price, "priceBeforeTax": price, "priceAfterTax": price}
        message |= {"lineItemIds": ids, "source": "MANUAL"}
        if row.get("code"):
            message["code"] = text_in(row["code"], f"{field}.code", 100)
        return DraftFee(fee_id, amount, bool(row.get("applyToDraftOrder")), "CUSTOM", message)

    def _set_fees(self, draft: Draft, call: Call) -> None:
        wanted = _applied_in(call, "additionalFees", 100)
        if wanted.keys() - {fee.id for fee in draft.fees}:
            raise refusal("ADDITIONAL_FEE_NOT_FOUND", "The draft has no such additional fee")
        for fee in draft.fees:
            fee.applied = wanted.get(fee.id, fee.applied)

    def _delete_fees(self, draft: Draft, call: Call) -> None:
        ids = texts_in(call, "customAdditionalFees", 100)
        for wanted in ids:
            found = next((fee for fee in draft.fees if fee.id == wanted), None)
            if found is None:
                raise refusal("ADDITIONAL_FEE_NOT_FOUND", f"The draft has no additional fee {wanted!r}")
            if found.source != "CUSTOM":
                raise refusal("ADDITIONAL_FEE_REMOVE_NOT_SUPPORTED", "Only custom fees can be deleted")
        draft.fees = [fee for fee in draft.fees if fee.id not in ids]

    def _set_location(self, draft: Draft, call: Call) -> None:
        draft.location = call.part("businessLocation") or None

    def _set_exemption(self, draft: Draft, call: Call) -> None:
        draft.tax_exempt = call.flag("taxExempt")


def _setter(attribute: str, name: str) -> Verb:
    """Puts a part of the order in; an empty object takes it out, an absent one leaves it."""

    def put(draft: Draft, call: Call) -> None:
        if name not in call.arguments:
            return
        part: Part = getattr(draft, attribute)
        part.now = call.part(name) or None
        if attribute == "shipping" and part.now is not None:
            cost = (part.now.get("cost") or {}).get("price")
            amount_in(object_in(cost or {"amount": "0"}, "shippingInfo.cost.price"), "shippingInfo.cost.price")

    return put


def _applied_in(call: Call, name: str, most: int) -> dict[str, bool]:
    return {str(row.get("id")): bool(row.get("applied")) for row in call.rows(name, most)}


def _percent(text: Any, field: str) -> Decimal:
    try:
        percent = Decimal(str(text))
    except InvalidOperation:
        percent = Decimal(-1)
    if not Decimal("0.01") <= percent <= 100:
        raise validation_error(f"{field}.percentage", "must be between 0.01 and 100", "DECIMAL_GTE")
    return percent
