"""Requests for the pretend Shopify shop, made up from its schema (roots, arguments, selections), and REST calls."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec
from graphql import (
    GraphQLField,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

GLOBAL_ID = re.compile(r"gid://shopify/(\w+)/[\w?=&-]+")
ODD: tuple[Any, ...] = (
    None, "", " ", "x" * 300, "ä☃\u0000", "null", "gid://shopify/", "gid://shopify/Order/999999999999", 0, -1, 2**31,
    2**70, 1e300, True, [], {}, [None], {"a": 1}, "1e9", "<b>", "'; --", "2026-02-30", "🙂",
)  # fmt: skip
TEXTS = ("MUG", "Mug", "S", "a@example.com", "tag", "sku:MUG", "status:open OR -tag:x", "(id:>1 AND", "created_at:>=x")
SCALARS: dict[str, tuple[Any, ...]] = {
    "Int": (0, 1, 2, 3, 7, -1, 250),
    "Float": (0.0, 1.5, -2.0),
    "Boolean": (True, False),
    "Money": ("0", "12.50", "-1", "99999999999999"),
    "Decimal": ("0.19", "1", "-0.5", "99999999999999"),
    "DateTime": ("2026-11-24T02:16:19Z", "2020-01-01", "0001-01-02T00:00:00+00:00"),
    "Date": ("2026-11-24",),
    "URL": ("https://app.example/hook", "not a url", ""),
    "JSON": ({"a": 1}, "{}", "[1]"),
    "UnsignedInt64": ("7", 7),
    "BigInt": ("7",),
}
REST_PATHS = (
    "products", "products/count", "products/#", "products/#/variants", "products/#/variants/#", "variants/#", "orders",
    "orders/#", "orders/#/cancel", "orders/#/close", "orders/#/open", "orders/#/transactions", "orders/#/refunds",
    "orders/#/fulfillment_orders", "fulfillments", "fulfillments/#/update_tracking", "fulfillments/#/cancel",
    "customers", "customers/#", "customers/search", "customers/#/orders", "inventory_items", "inventory_items/#",
    "inventory_levels", "inventory_levels/set", "inventory_levels/adjust", "inventory_levels/connect", "locations",
    "locations/#/inventory_levels", "shop", "nowhere",
)  # fmt: skip
REST_CALLS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "products", {"product": {"title": "Cap", "tags": "a, b", "options": [{"name": "Size"}],
        "variants": [{"option1": "S", "price": "9", "sku": "CAP"}, {"option1": "M", "grams": 90}]}}),
    ("PUT", "products/#Product", {"product": {"title": "Hat", "status": "draft", "variants": [{"option1": "L"}]}}),
    ("POST", "products/#Product/variants", {"variant": {"option1": "XL", "price": "3", "sku": "XL"}}),
    ("PUT", "variants/#ProductVariant", {"variant": {"price": "4", "barcode": None, "option1": "XS"}}),
    ("DELETE", "products/#Product/variants/#ProductVariant", None),
    ("PUT", "inventory_items/#InventoryItem", {"inventory_item": {"cost": "1.20", "tracked": True}}),
    ("POST", "inventory_levels/set",
        {"inventory_item_id": "#InventoryItem", "location_id": "#Location", "available": 7}),
    ("POST", "inventory_levels/adjust",
        {"inventory_item_id": "#InventoryItem", "location_id": "#Location", "available_adjustment": -1}),
    ("POST", "inventory_levels/connect", {"inventory_item_id": "#InventoryItem", "location_id": "#Location"}),
    ("POST", "orders", {"order": {"line_items": [{"variant_id": "#ProductVariant", "quantity": 1}],
        "email": "a@example.com", "inventory_behaviour": "decrement_ignoring_policy", "tags": "x",
        "transactions": [{"kind": "sale", "amount": "12.50"}], "shipping_lines": [{"title": "Post", "price": "1"}],
        "discount_codes": [{"code": "TEN", "amount": "10", "type": "percentage"}],
        "customer": {"email": "b@example.com"}, "note_attributes": [{"name": "a", "value": 1}]}}),
    ("PUT", "orders/#Order", {"order": {"note": "n", "tags": "y", "shipping_address": {"city": "Ulm"}}}),
    ("POST", "orders/#Order/cancel", {"reason": "customer", "restock": True}),
    ("POST", "orders/#Order/close", {}),
    ("POST", "orders/#Order/open", {}),
    ("DELETE", "orders/#Order", None),
    ("POST", "orders/#Order/transactions", {"transaction": {"kind": "capture", "amount": "1"}}),
    ("POST", "orders/#Order/refunds", {"refund": {"note": "n", "shipping": {"full_refund": True},
        "refund_line_items": [{"line_item_id": "#LineItem", "quantity": 1, "restock_type": "cancel",
            "location_id": "#Location"}],
        "transactions": [{"kind": "refund", "amount": "1", "parent_id": "#OrderTransaction"}]}}),
    ("POST", "fulfillments", {"fulfillment": {"tracking_info": {"number": "T"}, "line_items_by_fulfillment_order": [
        {"fulfillment_order_id": "#FulfillmentOrder",
         "fulfillment_order_line_items": [{"id": "#FulfillmentOrderLineItem", "quantity": 1}]}]}}),
    ("POST", "fulfillments/#Fulfillment/update_tracking", {"fulfillment": {"tracking_info": {"number": "U"}}}),
    ("POST", "fulfillments/#Fulfillment/cancel", {}),
    ("POST", "customers", {"customer": {"first_name": "Ada", "email": "c@example.com", "tags": "vip",
        "addresses": [{"city": "Ulm", "country_code": "DE"}],
        "email_marketing_consent": {"state": "subscribed", "opt_in_level": "single_opt_in"}}}),
    ("PUT", "customers/#Customer", {"customer": {"note": "n", "sms_marketing_consent": {"state": "subscribed"}}}),
    ("DELETE", "customers/#Customer", None),
    ("DELETE", "products/#Product", None),
)  # fmt: skip
PARAMETERS = ("limit", "since_id", "ids", "fields", "page_info", "status", "query", "created_at_min", "location_ids")
KEYED = frozenset(
    ("inventoryActivate", "inventoryAdjustQuantities", "inventoryMoveQuantities", "inventorySetOnHandQuantities",
    "inventorySetQuantities", "locationActivate", "locationDeactivate", "refundCreate"),
)  # fmt: skip
DEEPEST = 3


@dataclass
class Inventor:
    """``told`` are ids that answers held, by kind; a ``wild`` request breaks the rules here and there."""

    schema: GraphQLSchema
    chance: random.Random
    wild: bool = False
    told: dict[str, list[str]] = field(default_factory=dict)
    _variables: dict[str, Any] = field(default_factory=dict)
    _declared: list[str] = field(default_factory=list)

    def roots(self) -> list[tuple[str, str]]:
        found = []
        for word, root in (("query", self.schema.query_type), ("mutation", self.schema.mutation_type)):
            assert root is not None
            found += [(word, name) for name in root.fields]
        return found

    def request(self, word: str, name: str) -> bytes:
        """The body of one GraphQL call."""
        self.wild = self.chance.random() < 0.3
        self._variables, self._declared = {}, []
        root = self.schema.query_type if word == "query" else self.schema.mutation_type
        assert root is not None
        asked = self._field(name, root.fields[name], 0)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        text = f"{word} Fuzz{declared} {{ {asked} }}"
        if self.wild and self.chance.random() < 0.1:
            cut = self.chance.randrange(len(text))
            text = text[:cut] + self.chance.choice(("", "{", '"', "…", "$x", " nothing ")) + text[cut + 1 :]
        return msgspec.json.encode({"query": text, "variables": self._variables})

    def rest(self) -> tuple[str, str, bytes, bytes]:
        """Method, path, query string and body of one REST call."""
        self.wild = self.chance.random() < 0.3
        if self.chance.random() < 0.4:
            path = self._numbered(self.chance.choice(REST_PATHS))
            method = self.chance.choice(("GET", "GET", "GET", "POST", "PUT", "DELETE"))
            value = self.chance.choice((self._number(""), "x", "2", "", "%00"))
            asked = f"{self.chance.choice(PARAMETERS)}={value}" if self.chance.random() < 0.6 else ""
            return method, f"/admin/api/2026-10/{path}.json", asked.encode(), b""
        method, path, body = self.chance.choice(REST_CALLS)
        raw = msgspec.json.encode(self._bent(body))
        if self.wild and self.chance.random() < 0.1:
            raw = self.chance.choice((b"", b"[]", b"{", b"\xff", raw[: len(raw) // 2]))
        return method, f"/admin/api/2026-10/{self._numbered(path)}.json", b"", raw

    def _numbered(self, path: str) -> str:
        return re.sub(r"#(\w*)", lambda found: self._number(found[1]), path)

    def _bent(self, content: Any) -> Any:
        """The same with real numbers, and in a wild request with parts left out or replaced."""
        if self.wild and self.chance.random() < 0.08:
            return self.chance.choice((*ODD, *TEXTS))
        if isinstance(content, dict):
            kept = {name: held for name, held in content.items() if self.chance.random() > 0.06}
            return {name: self._bent(held) for name, held in kept.items()}
        if isinstance(content, list):
            return [self._bent(one) for one in content]
        return self._numbered(content) if isinstance(content, str) and content.startswith("#") else content

    def learn(self, body: bytes) -> None:
        for found in GLOBAL_ID.finditer(body.decode("utf-8", "replace")):
            pool = self.told.setdefault(found[1], [])
            if found[0] not in pool:
                pool.append(found[0])
            if len(pool) > 40:
                pool.pop(self.chance.randrange(len(pool)))

    # -- texts ---------------------------------------------------------------------------------------------------

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        passed = []
        for argument, held in definition.args.items():
            needed = is_non_null_type(held.type)
            paged = argument == "first"
            if needed or paged or (argument not in ("last", "before", "after") and self.chance.random() < 0.4):
                variable = f"v{len(self._variables)}"
                self._declared.append(f"${variable}: {held.type}")
                hint = f"{name} {argument}"
                value = self.chance.randint(1, 4) if paged else self._value(held.type, hint, 0)
                self._variables[variable] = value
                passed.append(f"{argument}: ${variable}")
        arguments = f"({', '.join(passed)})" if passed else ""
        keyed = depth == 0 and name in KEYED and self.chance.random() < 0.95
        key = f'@idempotent(key: "{self.chance.randrange(10**6)}")' if keyed else ""
        return f"{name}{arguments} {key} {self._selection(definition.type, depth)}".strip()

    def _selection(self, kind: Any, depth: int) -> str:
        named = get_named_type(kind)
        if is_leaf_type(named):
            return "{ id }" if self.wild and self.chance.random() < 0.01 else ""
        if is_abstract_type(named):
            inner = self.chance.sample(list(self.schema.get_possible_types(named)), 1)
            parts = [f"... on {one.name} {self._selection(one, depth)}" for one in inner]
            return f"{{ __typename {' '.join(parts)} }}"
        parts = ["id"] if "id" in named.fields else []
        for name, definition in self.chance.sample(sorted(named.fields.items()), min(len(named.fields), 8)):
            leaf = is_leaf_type(get_named_type(definition.type))
            near = leaf or name in ("nodes", "edges", "node", "pageInfo") or depth < DEEPEST
            if near and name != "id" and (leaf or self.chance.random() < 0.6):
                parts.append(self._field(name, definition, depth + 1))
        if self.wild and self.chance.random() < 0.05:
            parts.append(self.chance.choice(("favouriteColour", "id: title", "__typename", "...Nobody")))
        return f"{{ {' '.join(parts or ['__typename'])} }}"

    # -- values --------------------------------------------------------------------------------------------------

    def _value(self, kind: Any, hint: str, depth: int) -> Any:
        if self.wild and self.chance.random() < 0.06:
            return self.chance.choice(ODD)
        if is_non_null_type(kind):
            return self._value(kind.of_type, hint, depth)
        if is_list_type(kind):
            return [self._value(kind.of_type, hint, depth) for _ in range(self.chance.choice((0, 1, 1, 2, 3)))]
        named = get_named_type(kind)
        if is_enum_type(named):
            return self.chance.choice(list(named.values))
        if is_input_object_type(named):
            return self._object(named, depth)
        if named.name == "ID":
            return self._id(hint)
        return self.chance.choice(SCALARS.get(named.name, TEXTS))

    def _object(self, named: Any, depth: int) -> dict[str, Any]:
        fields = list(named.fields.items())
        if getattr(named, "is_one_of", False):
            fields = [self.chance.choice(fields)]
        wish = 0.5 if depth < 2 else 0.2
        return {
            name: self._value(held.type, f"{named.name} {name}", depth + 1)
            for name, held in fields
            if len(fields) == 1 or is_non_null_type(held.type) or self.chance.random() < wish
        }

    def _id(self, hint: str) -> str:
        """An id that the hint seems to ask for, else any."""
        words = hint.lower().replace("ids", "id").removesuffix("id")
        fitting = [kind for kind in self.told if kind.lower() in words]
        kinds = fitting if fitting and self.chance.random() < 0.9 else list(self.told)
        if not kinds or self.chance.random() < 0.05:
            return "gid://shopify/Product/999999999999"
        return self.chance.choice(self.told[self.chance.choice(kinds)])

    def _number(self, kind: str) -> str:
        if not self.told or self.chance.random() < 0.05:
            return self.chance.choice(("1", "0", "99999999999999999999", "x"))
        pool = self.told.get(kind) or self.chance.choice(list(self.told.values()))
        return self.chance.choice(pool).partition("?")[0].rpartition("/")[2] or "1"
