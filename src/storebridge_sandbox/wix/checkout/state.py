"""A checkout that a shopper has open. ``purchase_flow_id`` stays the same from cart to order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.wix.identities import Actor

Channel = Literal["web", "express", "pos", "manual"]
"""Ways to buy: the checkout page, an express wallet, the till, staff in the dashboard."""
CHANNEL_TYPES = {"web": "WEB", "express": "WEB", "pos": "POS", "manual": "BACKOFFICE_MERCHANT"}


@dataclass(slots=True)
class CheckoutLine:
    """So many of one thing; the line keeps its id in the order."""

    id: str
    sellable: Sellable
    quantity: int


@dataclass(slots=True)
class Checkout:
    """``touched_at`` is when the shopper last did something about it."""

    id: str
    purchase_flow_id: str
    channel: Channel
    buyer: Actor
    customer: dict[str, Any]
    lines: list[CheckoutLine]
    opened_at: datetime
    touched_at: datetime
    violations: list[dict[str, Any]] = field(default_factory=list)
    answered: bool = False
    """Whether the guard answered the latest question."""
