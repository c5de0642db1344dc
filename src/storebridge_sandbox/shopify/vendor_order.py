"""The order in which Shopify has the values of an enum, where a recorded answer lists them; its texts name them so.

The schema file is sorted by name, as Shopify's published schema is.
"""

from __future__ import annotations

from graphql import GraphQLEnumType, GraphQLSchema

RECORDED = {
    "WeightUnit": ("KILOGRAMS", "GRAMS", "POUNDS", "OUNCES"),
    "ReturnReason": (
        "SIZE_TOO_SMALL", "SIZE_TOO_LARGE", "UNWANTED", "NOT_AS_DESCRIBED", "WRONG_ITEM", "DEFECTIVE", "STYLE", "COLOR",
        "OTHER", "UNKNOWN",
    ),
    "FulfillmentEventStatus": (
        "LABEL_PURCHASED", "LABEL_PRINTED", "READY_FOR_PICKUP", "CONFIRMED", "IN_TRANSIT", "OUT_FOR_DELIVERY",
        "ATTEMPTED_DELIVERY", "DELAYED", "DELIVERED", "FAILURE", "CARRIER_PICKED_UP",
    ),
}  # fmt: skip


def in_vendor_order(schema: GraphQLSchema) -> GraphQLSchema:
    """The same schema, changed in place; a value that no answer lists stands last."""
    for name, order in RECORDED.items():
        kind = schema.type_map.get(name)
        if isinstance(kind, GraphQLEnumType):
            listed = [one for one in order if one in kind.values]
            rest = [one for one in kind.values if one not in order]
            kind.values = {one: kind.values[one] for one in (*listed, *rest)}
    return schema
