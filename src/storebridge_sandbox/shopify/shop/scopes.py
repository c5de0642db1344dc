"""What an app must be granted to call a root field, and how Shopify words it when it is not.

A writing scope allows reading too. Fields that no rule names need no scope, or one that depends on what they are
about (``metafieldsSet``, ``tagsAdd``, ``node``): those are let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from storebridge_sandbox.shopify.call import Resolver, Resolvers
from storebridge_sandbox.shopify.errors import Refusal

DOCUMENTATION = "https://shopify.dev/api/usage/access-scopes"
FULFILMENT_ORDERS = tuple(f"{kind}_fulfillment_orders" for kind in ("assigned", "merchant_managed", "third_party"))
RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(product|collection).*", ("products",)),
    (r"inventory.*", ("inventory",)),
    (r"location.*", ("locations",)),
    (r"draftOrder.*", ("draft_orders",)),
    (r"orderEdit.*", ("order_edits",)),
    (r"(order(?!RiskAss).*|refund.*|transactionVoid)", ("orders",)),
    (r"customer.*", ("customers",)),
    (r"fulfillmentService.*", ("fulfillments",)),
    (r"fulfillment", ("orders", "fulfillments", *FULFILMENT_ORDERS)),
    (r"(assigned|manualHolds)?[fF]ulfillment.*", FULFILMENT_ORDERS),
    (r"(return(?!ReasonDef).*|removeFromReturn|reverse.*)", ("returns",)),
    (r"shopifyPaymentsAccount", ("shopify_payments_payouts",)),
)
"""Root fields by the beginning of their names, and the resources of which one must be granted."""


def needed(kind: str, name: str) -> tuple[str, ...]:
    """The scopes of which one is enough for a root field; none where no rule names it."""
    verb = "write" if kind == "Mutation" else "read"
    for pattern, resources in RULES:
        if re.fullmatch(pattern, name):
            return tuple(f"{verb}_{one}" for one in resources)
    return ()


def allows(granted: Iterable[str], wanted: tuple[str, ...]) -> bool:
    held = set(granted)
    held |= {f"read_{one.removeprefix('write_')}" for one in held if one.startswith("write_")}
    return not wanted or any(one in held for one in wanted)


def guarded(resolvers: Mapping[tuple[str, str], Resolver], granted: Iterable[str]) -> Resolvers:
    """The same resolvers, but root fields that nobody granted refuse."""
    held = tuple(granted)
    closed = {
        (kind, name): _refusing(name, needed(kind, name))
        for kind, name in resolvers
        if kind in ("QueryRoot", "Mutation") and not allows(held, needed(kind, name))
    }
    return {**resolvers, **closed}


def _refusing(name: str, wanted: tuple[str, ...]) -> Resolver:
    access = f"{' or '.join(f'`{one}`' for one in wanted)} access scope."

    def resolve(_source: Any, _args: dict[str, Any], _call: Any) -> None:
        told = f"Access denied for {name} field. Required access: {access}"
        raise Refusal(told, "ACCESS_DENIED", documentation=DOCUMENTATION, requiredAccess=access)

    return resolve
