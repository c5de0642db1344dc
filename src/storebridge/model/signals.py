"""A signal says where to look: some entity may have changed (design, section 1)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """How far a waiting signal has come."""

    INGEST = "ingest"
    NORMALIZE = "normalize"
    VALIDATE = "validate"
    PLAN = "plan"
    DELIVER = "deliver"
    CONFIRM = "confirm"


class SignalState(StrEnum):
    """Conservation: every accepted signal is in exactly one of these."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    SUPERSEDED = "superseded"
    EXCEPTION = "exception"
    RESOLVED = "resolved"


class Source(StrEnum):
    """Who said it."""

    WEBHOOK = "webhook"
    POLL = "poll"
    SWEEP = "sweep"
    PERSON = "person"


class Flow(StrEnum):
    """Which planner it concerns."""

    STOCK = "stock"
    ORDERS = "orders"
    PRODUCTS = "products"
    STORE = "store"
    """The store itself: settings, locations, subscriptions, the app's removal."""
    PRIVACY = "privacy"
    """What is kept of a buyer or of a whole store: to be forgotten or told (reconcile/privacy.py)."""


class Hint(msgspec.Struct, frozen=True):
    """What a delivery points at. Never a value, only a place to look."""

    flow: Flow
    entity: str
    """The vendor's id: ItemId for stock, OrderId for orders, product id for products, ``store`` for the store, the
    customer's or an order's for privacy."""
    seen_version: str | None = None
    ours: bool | None = None
    """Whether the vendor says that our own app made that version; None when it does not say. Only ever used as evidence
    about a write of ours whose answer was lost, never as a value."""
    """The version that the delivery speaks of; a read that shows an older one has not seen the change yet."""
