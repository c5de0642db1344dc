"""What every connector can do, and declares that it cannot.

A connector never decides: it encodes what it is given, sends exact bytes, and says what came back. Everything
above this file is the same for every vendor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import msgspec

from storebridge.connectors.call_counts import CallCounts
from storebridge.connectors.drift import DriftWatch
from storebridge.model.catalogue import Location, Variant
from storebridge.model.checkouts import Question, Verdict
from storebridge.model.ids import ConnectionName, IntentId, ItemId, LocationId, OrderId
from storebridge.model.order_writes import OrderWrite
from storebridge.model.orders import ChangeCursor, OrderFacts, OrdersPage, PlacedPage
from storebridge.model.sales import Sale
from storebridge.model.settlement import EntriesPage, PayoutsPage
from storebridge.model.signals import Hint
from storebridge.model.stock import LevelsRead


class WriteStyle(StrEnum):
    """What makes a repeated write safe (design, section 4)."""

    KEYED = "keyed"
    """An idempotency key: resend unchanged until answered (Shopify ``@idempotent``)."""
    REVISION = "revision"
    """A revision: resent as a fence (Wix Catalog V3)."""
    BLIND = "blind"
    """Neither: never resend (Wix Catalog V1)."""
    NONE = "none"
    """This connection does not write stock."""


class Capabilities(msgspec.Struct, frozen=True):
    """What this connection can do now."""

    write_style: WriteStyle
    levels_per_read: int
    """Items in one batched read."""
    rows_per_write: int
    orders_per_read: int
    sales_per_read: int
    """Whole orders in one read."""
    can_activate: bool = False
    """Whether an item can be connected to a location it is not stocked at (Shopify ``inventoryActivate``)."""
    parallel_calls: int = 4
    changes_lag_seconds: float = 30.0
    """Longest known delay until a change shows in changed-since listings."""
    late_landing_seconds: float = 120.0
    """T_max: after this, an unanswered request can no longer take effect (S9, W4)."""
    tells_lost_writes: bool = True
    """Whether a stock write whose answer was lost can be told later without a person: by its key, or by its stamp."""
    one_stale_row_refuses_all: bool = False
    """Whether a stale row refuses the whole call (S2)."""
    refunds_with_cancel: bool = True
    """Whether calling an order off pays it back in the same call; else money takes a call of its own."""
    most_per_counter: int | None = None
    """The most units that one stock counter takes; None: no limit is known."""
    lines_per_order: int = 250
    """Lines that the vendor takes when an order is made."""
    replaces_copies: bool = False
    """Whether a copy's lines, note and tags are changed by bringing it in anew (Wix), not in place."""
    sells_from_default_only: bool = False
    """Whether the store's own checkout takes units from its default location only (Wix)."""
    makes_bundles: bool = False
    """Whether the store makes bundles up itself (Shopify): what it lists and cannot be read may be one."""


class Blame(StrEnum):
    """Whose move it is."""

    NETWORK = "network"
    VENDOR = "vendor"
    CREDENTIALS = "credentials"
    CONFIGURATION = "configuration"
    OURSELVES = "ourselves"


class Remedy(StrEnum):
    """What to do about a call that did not succeed."""

    RETRY = "retry"
    """Nothing was changed; try again after a pause."""
    SLOW_DOWN = "slow_down"
    """Refused for its rate; nothing was changed."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """It may have taken effect, now or later: resend only what is keyed or fenced."""
    RENEW_TOKEN = "renew_token"
    STOP = "stop"
    """It will not work until a person changes something."""


SCHEMA_DRIFT = "SCHEMA_DRIFT"
"""Our code for an answer that its API version does not promise; the connection's ``drift`` knows the path."""
TOKEN_REFRESH = "TOKEN_REFRESH"
"""Our code for a rotating token that the vendor does not renew: only a new installation helps."""


class CallTrouble(Exception):
    """A call did not give an answer that can be used.

    ``remedy`` says what to do, ``blame`` whose fault it is; ``code`` is the vendor's word for it.
    """

    def __init__(
        self,
        remedy: Remedy,
        blame: Blame,
        message: str,
        *,
        code: str = "",
        status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.blame = blame
        self.code = code
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class StockWrite(msgspec.Struct, frozen=True):
    """One row of a stock call. ``to_level`` is absolute; the compare value makes it safe."""

    intent_id: IntentId
    item_id: ItemId
    location_id: LocationId
    from_level: int
    to_level: int
    version: str | None = None
    """The revision to be guarded (Wix)."""
    native_id: str | None = None
    as_adjustment: bool = False
    """Send the difference without a compare value (keyed stores only): for counters that sell too fast to compare."""
    activate: bool = False
    """Connect the item to the location with ``to_level`` units instead of setting a level."""


class EncodedCall(msgspec.Struct, frozen=True):
    """The exact bytes of a call, journaled before they go on the wire and resent unchanged."""

    operation: str
    """The vendor's name of the call; a metric label, so never with an id in it."""
    method: str
    path: str
    body: bytes
    key: str
    """The idempotency key; empty where the vendor takes none."""
    intents: tuple[IntentId, ...]
    """The rows in the order in which they stand in the body."""


class RowOutcome(StrEnum):
    """What became of one row."""

    APPLIED = "applied"
    STALE = "stale"
    """The compare value or revision did not match; this row changed nothing. After a resend of an unanswered call it
    may mean that the first sending had already applied: see ``CallAnswer.resent``."""
    NOT_TRIED = "not_tried"
    """Another row refused the whole call; this one changed nothing."""
    REFUSED = "refused"
    """The vendor will never accept it: unknown item, untracked, derived, out of range."""
    UNCLEAR = "unclear"
    """The answer does not tell whether this row was applied."""


class RowAnswer(msgspec.Struct, frozen=True):
    """The answer to one row."""

    intent_id: IntentId
    outcome: RowOutcome
    code: str = ""
    message: str = ""
    level: int | None = None
    """The level after the write, where the vendor says it."""
    version: str | None = None
    """The version after the write, where the vendor says it."""
    later_than: str | None = None
    """A version that the counter surely has left behind since the write, where only that is known."""


class CallAnswer(msgspec.Struct, frozen=True):
    """A call that was answered, row by row."""

    rows: tuple[RowAnswer, ...]
    status: int
    body: bytes
    """What came back, cut to 64 KiB, for the journal."""


class EncodedOrderCall(msgspec.Struct, frozen=True):
    """The exact bytes of one write to an order, journaled before they go on the wire. Sent once; again only when a read
    has shown that it did nothing."""

    operation: str
    method: str
    path: str
    body: bytes
    key: str
    """The idempotency key; empty where the vendor takes none."""


class OrderOutcome(StrEnum):
    """What became of a write to an order."""

    APPLIED = "applied"
    REFUSED = "refused"
    """The vendor says no, and changed nothing."""


NUMBER_TAKEN = "number_taken"
"""The code of a refusal for which a tracking number stands on another parcel, whatever the vendor's word for it."""


class OrderCallAnswer(msgspec.Struct, frozen=True):
    """A write to an order that was answered."""

    outcome: OrderOutcome
    code: str
    message: str
    made: dict[str, str]
    """Ids that the vendor named: ``parcel_id``, or the ``order_id`` of a copy."""
    status: int
    body: bytes
    """What came back, cut to 64 KiB, for the journal."""


class Precondition(StrEnum):
    """What the stock guarantee rests on (design, section 3)."""

    COUNTED_WHEN_PLACED = "counted_when_placed"
    """The store lowers stock when an order is placed, not when it is paid (Wix ``ON_ORDER_PLACED``)."""
    CATALOGUE_WRITABLE = "catalogue_writable"
    """The catalogue generation can be written (Wix V3)."""
    SCOPES_GRANTED = "scopes_granted"
    CLOCK_AGREES = "clock_agrees"
    STAMPS_KEPT = "stamps_kept"
    """Items keep the stamp of our last write, so that a lost answer can be told from the item (Wix, W34)."""


class Finding(msgspec.Struct, frozen=True):
    """One precondition as read from the store."""

    precondition: Precondition
    holds: bool
    detail: str
    """What was read and, if it does not hold, what a person must change and where."""
    known: bool = True
    """False: nothing shows it yet, either way; it neither opens nor closes a case."""


class StoreFacts(msgspec.Struct, frozen=True):
    """What a store says about itself."""

    account: str
    """The shop domain or site id."""
    name: str
    currency: str
    api_version: str
    """Shopify ``2026-10``; Wix ``V3_CATALOG`` or ``V1_CATALOG``."""
    server_time: datetime | None
    findings: tuple[Finding, ...]
    can_write_stock: bool


class Subscription(msgspec.Struct, frozen=True):
    """A webhook subscription as the vendor lists it."""

    subscription_id: str
    topic: str
    address: str


class SubscriptionReport(msgspec.Struct, frozen=True):
    """What was found and done about webhook subscriptions."""

    present: tuple[Subscription, ...]
    restored: tuple[str, ...]
    """Topics that were missing and were subscribed again; missing still, where nothing was to be mended."""
    manual: tuple[str, ...] = ()
    """Topics that only a person can subscribe (Wix: in the app's dashboard)."""
    kinds: tuple[tuple[str, ...], ...] = ()
    """Of those, by kind: where none of a kind arrives while the store trades, a person has not subscribed it."""

    def missing_kinds(self, arrived: Collection[str]) -> tuple[str, ...]:
        """The topics of the kinds of which nothing arrived."""
        silent = [kind for kind in self.kinds if not set(kind) & set(arrived)]
        return tuple(topic for kind in silent for topic in kind)


class VerifiedDelivery(msgspec.Struct, frozen=True):
    """A delivery whose signature is good. Nothing of its body has been believed yet."""

    delivery_id: str
    """Stable over the vendor's retries; the dedupe key."""
    topic: str
    account: str
    """The shop domain or instance id that the signature binds; must be this connection's."""
    sent_at: datetime | None
    hints: tuple[Hint, ...]
    problem: str = ""
    """Why the body could not be read (too deep, duplicate keys, unknown shape); empty when it was read."""


class BadSignature(Exception):
    """The delivery is not from the vendor: refuse it with 401 and change nothing."""


class UnreadableQuestion(Exception):
    """A checkout's question is signed, but not of a shape that we know: it is refused, and a case says so."""


class CheckoutGuard(Protocol):
    """The pure half of a connector whose checkout asks before it sells."""

    path: str
    """What the vendor appends to the address that it was given."""

    def read(self, body: bytes) -> Question:
        """Check the signature over the raw bytes first, then read within limits. Raises BadSignature,
        UnreadableQuestion."""
        ...

    def write(self, verdict: Verdict) -> bytes:
        """The body of the answer, in the vendor's words."""
        ...


class Webhooks(Protocol):
    """The pure half of a connector that the intake uses."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedDelivery:
        """Check the signature over the raw bytes first, then read the body within limits.

        ``headers`` have lower-case names. Raises BadSignature. A validly signed but unreadable body is returned with
        ``problem`` set and no hints.
        """
        ...


class Budget(Protocol):
    """The vendor's rate limit as far as this process knows it."""

    def wait_seconds(self, operation: str, rows: int) -> float:
        """How long until a call of this kind may be sent; 0.0 when now."""
        ...

    def spend(self, operation: str, rows: int) -> None:
        """Count a call that is being sent."""
        ...

    def ratio(self) -> float:
        """Share of the budget that is free, 0.0 to 1.0; shown as ``storebridge_api_budget_ratio``."""
        ...

    def used_seconds(self) -> float:
        """What all calls so far cost, in seconds that the vendor takes to give so much back. Only grows; the difference
        between two moments over the time between them is the share of the budget that was used."""
        ...


class StoreMark(Protocol):
    """A place in a store that only our app sees. Every coroutine raises CallTrouble."""

    async def read(self) -> str | None:
        """What was written there last; None when nothing was."""
        ...

    async def write(self, mark: str) -> None: ...


class BooksHidden(Exception):
    """The store does not show us its payment provider's books: a scope is missing. The message is the vendor's."""


class ProviderBooks(Protocol):
    """The books of the store's own payment provider. Every coroutine raises CallTrouble, and BooksHidden."""

    async def payouts(self, since: datetime, page: str | None) -> PayoutsPage | None:
        """Payouts issued at or after a moment, oldest first; None where the store has no such provider."""
        ...

    async def entries(self, since: datetime, page: str | None) -> EntriesPage:
        """Entries booked at or after a moment, oldest first. Transfers of payouts are not among them."""
        ...

    async def entries_of(self, payout_id: str, page: str | None) -> EntriesPage:
        """Every entry of one payout."""
        ...


class Connector(Protocol):
    """One store. Every coroutine raises CallTrouble when the vendor gives no usable answer."""

    name: ConnectionName
    kind: str
    webhooks: Webhooks
    budget: Budget
    calls: CallCounts
    drift: DriftWatch
    checkout_guard: CheckoutGuard | None
    """None: this store's checkout asks nobody."""
    mark: StoreMark | None
    """None: this store has no such place."""
    books: ProviderBooks | None
    """None: this store's API tells nothing of fees and payouts."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def probe(self) -> StoreFacts:
        """Who is this store, may we write, and do the preconditions of the guarantee hold?"""
        ...

    async def list_locations(self) -> tuple[Location, ...]: ...

    def list_variants(self) -> AsyncIterator[tuple[Variant, ...]]:
        """Every variant, page by page."""
        ...

    async def read_levels(self, items: Sequence[ItemId]) -> LevelsRead:
        """The levels of up to ``levels_per_read`` items at all their locations, in few calls."""
        ...

    def style_of(self, operation: str) -> WriteStyle:
        """What makes a journaled call of this kind safe to repeat, also when the store has changed since."""
        ...

    def encode_stock_call(self, writes: Sequence[StockWrite], key: str, reference: str) -> EncodedCall:
        """The exact bytes; pure. Activations and levels never share a call. ``reference`` is put where the vendor's
        admin shows it (Shopify ``referenceDocumentUri``)."""
        ...

    async def send_stock_call(self, call: EncodedCall) -> CallAnswer:
        """Send the bytes once. CallTrouble(UNKNOWN_OUTCOME) on timeout, broken connection or 5xx."""
        ...

    async def orders_changed(self, since: ChangeCursor, page: str | None) -> OrdersPage:
        """Orders whose last change is at or after ``since``, oldest change first."""
        ...

    async def orders_placed(self, since: datetime, until: datetime, page: str | None) -> PlacedPage:
        """Orders placed in a period (both ends count), the newest first, ``sales_per_read`` a page."""
        ...

    async def orders_reach(self) -> timedelta | None:
        """How far back this store shows orders to us; None: all that there are."""
        ...

    async def read_orders(self, orders: Sequence[OrderId]) -> tuple[OrderFacts, ...]:
        """The orders that exist, of up to ``orders_per_read`` ids."""
        ...

    async def read_sales(self, orders: Sequence[OrderId]) -> tuple[Sale, ...]:
        """The orders that exist, of up to ``sales_per_read`` ids, whole: goods, money, parcels, refunds, and the label
        that ``read_orders`` gives alone."""
        ...

    def encode_order_call(self, write: OrderWrite, key: str) -> EncodedOrderCall:
        """The exact bytes of a write to an order; pure. ``key`` is used where the vendor takes one."""
        ...

    async def send_order_call(self, call: EncodedOrderCall) -> OrderCallAnswer:
        """Send the bytes once. CallTrouble(UNKNOWN_OUTCOME) on timeout, broken connection or 5xx."""
        ...

    async def find_copy(self, stamp: str) -> OrderId | None:
        """The order that bears this stamp (``CreateCopy``), as far as the store's search knows; it may lag."""
        ...

    async def ensure_subscriptions(self, address: str, *, mend: bool = True) -> SubscriptionReport:
        """Make every topic that the bridge needs point at ``address``; idempotent. Without ``mend`` only look."""
        ...

    async def close(self) -> None: ...
