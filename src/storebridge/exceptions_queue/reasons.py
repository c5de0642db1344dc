"""The closed catalogue of reasons: everything that a person must see has one, and each says whose move it is.

reason            the name that stays put; ``exceptions list --reason`` and the metric use it
sentence          what happened, filled in from the case
whose move        merchant | agency | vendor | storebridge
closes when       the proof that closes the case by itself, or the decision that a person must take
advice            what to do, in the order in which to try it
retried           whether storebridge looks again by itself
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class Reason(StrEnum):
    """Why a case is open."""

    SKU_ONLY_ON_ONE_SIDE = "sku_only_on_one_side"
    SKU_DUPLICATE_IN_STORE = "sku_duplicate_in_store"
    SKU_BLANK = "sku_blank"
    ITEM_UNTRACKED = "item_untracked"
    ITEM_NOT_ADJUSTABLE = "item_not_adjustable"
    ITEM_GONE = "item_gone"
    LEVEL_MISSING_AT_LOCATION = "level_missing_at_location"
    LEVEL_NEGATIVE = "level_negative"
    LOCATION_GONE = "location_gone"
    NOT_DENYING_OVERSELL = "not_denying_oversell"
    COUNTED_WHEN_PAID = "counted_when_paid"
    CATALOGUE_READ_ONLY = "catalogue_read_only"
    DELIVERY_UNREADABLE = "delivery_unreadable"
    BUYER_ASKS_FOR_DATA = "buyer_asks_for_data"
    SCHEMA_DRIFT = "schema_drift"
    WRITE_REFUSED = "write_refused"
    WRITE_OUTCOME_UNCLEAR = "write_outcome_unclear"
    ORDER_WRITE_REFUSED = "order_write_refused"
    ORDERS_HIDDEN = "orders_hidden"
    ORDER_NOT_MAPPED = "order_not_mapped"
    ORDER_NOT_COPIED = "order_not_copied"
    COPY_DIFFERS = "copy_differs"
    COPY_MOVED_STOCK = "copy_moved_stock"
    CHANGE_HELD = "change_held"
    MASS_ZERO_HELD = "mass_zero_held"
    OVERSOLD = "oversold"
    CREDENTIALS_REFUSED = "credentials_refused"
    SCOPE_MISSING = "scope_missing"
    TOKEN_REFRESH_FAILED = "token_refresh_failed"
    SUBSCRIPTION_REMOVED = "subscription_removed"
    SUBSCRIPTION_MANUAL = "subscription_manual"
    STORE_UNREACHABLE = "store_unreachable"
    CLOCK_SKEWED = "clock_skewed"
    STAMPS_NOT_KEPT = "stamps_not_kept"
    CALLS_REFUSED = "calls_refused"
    SELLS_FROM_SEVERAL_GROUPS = "sells_from_several_groups"
    WORK_FAILED = "work_failed"


class WhoseMove(StrEnum):
    """Who has to act next."""

    MERCHANT = "merchant"
    AGENCY = "agency"
    VENDOR = "vendor"
    STOREBRIDGE = "storebridge"


class CaseFacts(Protocol):
    """What a sentence may speak of."""

    @property
    def subject(self) -> str: ...

    @property
    def connection(self) -> str | None: ...

    @property
    def sku(self) -> str | None: ...

    @property
    def field(self) -> str: ...

    @property
    def details(self) -> Mapping[str, Any]: ...


class CatalogueEntry(msgspec.Struct, frozen=True):
    """What is said and done about one reason."""

    sentence: str
    """Filled in with ``sku``, ``store``, ``subject``, ``field`` and ``details``."""
    whose_move: str
    closes_when: str
    advice: str
    retried: bool = True

    def sentence_for(self, case: CaseFacts) -> str:
        """What happened and to what, then what to do."""
        details = ", ".join(
            f"{name} {_shown(value)}" for name, value in case.details.items() if value not in ("", None)
        )
        words = {
            "sku": case.sku or case.subject,
            "store": case.connection or "a store",
            "subject": case.subject,
            "field": case.field,
            "details": details or "no details",
        }
        return f"{self.sentence.format_map(words)} {self.advice}"


def _shown(value: object) -> str:
    """A detail as a person reads it; lists as words, long text cut."""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


def catalogue_entry(reason: Reason) -> CatalogueEntry:
    """What is said and done about ``reason``."""
    return CATALOGUE[reason]


def _entry(
    sentence: str, whose_move: WhoseMove, *, closes_when: str, advice: str, retried: bool = True
) -> CatalogueEntry:
    return CatalogueEntry(sentence, whose_move.value, closes_when, advice, retried)


CATALOGUE: Mapping[Reason, CatalogueEntry] = {
    Reason.SKU_ONLY_ON_ONE_SIDE: _entry(
        "{sku} is sold in {store} only, so there is nothing to keep it in step with.",
        WhoseMove.MERCHANT,
        closes_when="a listing shows the SKU in both stores, or it is gone",
        advice=("Give the matching variant in the other store the same SKU, or leave it: nothing is written for it."),
    ),
    Reason.SKU_DUPLICATE_IN_STORE: _entry(
        "Several variants of {store} share the SKU {sku}: it cannot be known which goods are meant.",
        WhoseMove.MERCHANT,
        closes_when="a listing shows the SKU once",
        advice="Give every variant its own SKU; none of them is kept in step until then.",
    ),
    Reason.SKU_BLANK: _entry(
        "A variant of {store} has no SKU ({details}).",
        WhoseMove.MERCHANT,
        closes_when="a listing shows a SKU, or the variant is gone",
        advice="Type the SKU that the other store uses for the same goods.",
    ),
    Reason.ITEM_UNTRACKED: _entry(
        "{store} does not count {sku}, so it sells it without end.",
        WhoseMove.MERCHANT,
        closes_when="a read shows a counted level",
        advice="Switch stock tracking on for this variant; until then the SKU is not guaranteed.",
    ),
    Reason.ITEM_NOT_ADJUSTABLE: _entry(
        "{store} works out the level of {sku} by itself (a bundle), so it cannot be written.",
        WhoseMove.AGENCY,
        closes_when="a listing shows an ordinary variant",
        advice="Keep its components in step instead, or turn the bundle into an ordinary variant.",
    ),
    Reason.ITEM_GONE: _entry(
        "{sku} no longer exists in {store}; its units stay booked in the pool.",
        WhoseMove.MERCHANT,
        closes_when=(
            "a read shows the item again, or a listing a new item with its SKU; closed by a person it opens again "
            "while the item is missing"
        ),
        advice=(
            "Nothing is written there any more. Bring the item back, make it anew with the same SKU, or count the "
            "goods (storebridge count)."
        ),
    ),
    Reason.LEVEL_MISSING_AT_LOCATION: _entry(
        ("{store} gave no level for {sku} at a location where it had one ({details}). A missing level is not zero."),
        WhoseMove.MERCHANT,
        closes_when="a later read shows a level there",
        advice="Stock the item at this location again, or take the location out of the group.",
    ),
    Reason.LEVEL_NEGATIVE: _entry(
        "{store} shows {sku} below zero ({details}): more was sold there than it had.",
        WhoseMove.MERCHANT,
        closes_when="a later read shows zero or more",
        advice="Look at the newest orders of this SKU; receive goods or cancel an order.",
    ),
    Reason.LOCATION_GONE: _entry(
        "A location of {store} that holds stock is gone or no longer active ({details}).",
        WhoseMove.MERCHANT,
        closes_when="the location is listed as active, or the configuration no longer names it",
        advice="Activate it again, or change the group in the configuration.",
    ),
    Reason.NOT_DENYING_OVERSELL: _entry(
        "{store} goes on selling {sku} when it is out of stock, so no policy can prevent an oversell there.",
        WhoseMove.MERCHANT,
        closes_when="a read shows that the store refuses",
        advice="Switch off 'continue selling when out of stock' for this variant.",
    ),
    Reason.COUNTED_WHEN_PAID: _entry(
        ("{store} lowers stock when an order is paid, not when it is placed: two shoppers can buy the last unit."),
        WhoseMove.MERCHANT,
        closes_when="a probe shows that stock is counted when the order is placed",
        advice="Change the store's inventory setting to count when the order is placed.",
    ),
    Reason.CATALOGUE_READ_ONLY: _entry(
        "{store} has no catalogue whose stock can be written ({details}).",
        WhoseMove.AGENCY,
        closes_when="a probe shows a catalogue that can be written",
        advice=("Install Wix Stores on the site, or move it to Catalog V1 or V3; until then nothing is written there."),
    ),
    Reason.DELIVERY_UNREADABLE: _entry(
        ("A validly signed delivery of {store} could not be read ({field}). It is stored, and the store was swept."),
        WhoseMove.STOREBRIDGE,
        closes_when="a person has looked",
        advice="Nothing is lost. Report it if it comes again: the vendor may have changed its format.",
        retried=False,
    ),
    Reason.BUYER_ASKS_FOR_DATA: _entry(
        "A buyer of {store} asks what is kept of them ({details}).",
        WhoseMove.MERCHANT,
        closes_when="a person has handed the data out",
        advice=(
            "Hand out these orders (storebridge orders show ORDER --json) within 30 days; the delivery names the buyer."
        ),
        retried=False,
    ),
    Reason.SCHEMA_DRIFT: _entry(
        "{store} answered with something that its API version does not promise, at {field} ({details}).",
        WhoseMove.STOREBRIDGE,
        closes_when="a person has looked",
        advice="What could be read goes on; nothing is guessed. Report it with the call and the field.",
        retried=False,
    ),
    Reason.WRITE_REFUSED: _entry(
        "{store} refused to set the level of {sku} ({details}).",
        WhoseMove.MERCHANT,
        closes_when="a later write of this item is accepted, or a person has looked",
        advice="The vendor's words say why. Mend it there, then retry the case.",
    ),
    Reason.ORDERS_HIDDEN: _entry(
        "{store} does not show whole orders to storebridge ({details}). Stock is kept in step; the fulfilment queue "
        "does not know the orders of this store.",
        WhoseMove.MERCHANT,
        closes_when="whole orders are read again",
        advice=(
            "Grant the scope that the message names (Shopify: read_orders, read_fulfillments, read_returns, and "
            "protected customer data), or switch the queue off with orders.keep = false."
        ),
    ),
    Reason.ORDER_WRITE_REFUSED: _entry(
        "{store} refused a change of an order ({details}).",
        WhoseMove.MERCHANT,
        closes_when="the store takes it, or a person has looked",
        advice=(
            "The vendor's words say why; often somebody was faster in the store's admin. Look at the order there, mend "
            "what stands in the way, then retry the case."
        ),
    ),
    Reason.ORDER_NOT_MAPPED: _entry(
        "An order names goods that {store} does not know ({details}), so nothing of it is copied there.",
        WhoseMove.MERCHANT,
        closes_when="it is copied, or needs no copy any more (shipped, cancelled, refunded)",
        advice=(
            "Give the matching variants the same SKU in both stores: then it is copied by itself. Or ship the order "
            "where it was sold."
        ),
    ),
    Reason.ORDER_NOT_COPIED: _entry(
        "An order cannot be repeated in {store} as it is ({details}), so nothing of it is copied there.",
        WhoseMove.MERCHANT,
        closes_when="it is copied, or needs no copy any more (shipped, cancelled, refunded)",
        advice="Ship it where it was sold.",
    ),
    Reason.COPY_DIFFERS: _entry(
        "An order and its copy in {store} do not come to the same ({details}).",
        WhoseMove.MERCHANT,
        closes_when="both come to the same",
        advice="Compare them line by line; change the copy until it says what the original says.",
    ),
    Reason.COPY_MOVED_STOCK: _entry(
        "{store} moved its stock of {sku} while a copied order named it ({details}), and no order that was sold there "
        "explains it. If the copy moved it, what is left is wrong by that.",
        WhoseMove.AGENCY,
        closes_when="a person has looked",
        advice=(
            "Compare with the shelf, and put it right with storebridge count. If copies move stock in this store again "
            "and again, switch orders.copy_to off and report it."
        ),
        retried=False,
    ),
    Reason.WRITE_OUTCOME_UNCLEAR: _entry(
        "It cannot be told whether a write for {sku} reached {store} ({details}).",
        WhoseMove.MERCHANT,
        closes_when="a person says 'applied' or 'not_applied', or a later read can only mean one of them",
        advice=(
            "Compare the level in the store's admin with both explanations, then resolve the case with what you see."
        ),
        retried=False,
    ),
    Reason.CHANGE_HELD: _entry(
        "Somebody changed {sku} in {store} by more than is taken over unseen ({details}).",
        WhoseMove.MERCHANT,
        closes_when="a person accepts or rejects the change, or a complete order poll explains every unit of it",
        advice=(
            "Accept it if the goods are really there; reject it if it was a slip. Book goods with storebridge receive. "
            "A return needs nobody: it is let go once the orders of the next poll explain it, usually within a minute "
            "or two."
        ),
        retried=False,
    ),
    Reason.MASS_ZERO_HELD: _entry(
        "Unusually many counters of {store} fell to zero at once ({details}); nothing of it is passed on.",
        WhoseMove.MERCHANT,
        closes_when="a person releases it",
        advice=(
            "Find out whether an import or an app emptied them. Put the levels back, or release if they are right."
        ),
        retried=False,
    ),
    Reason.OVERSOLD: _entry(
        "More units of {sku} were sold than exist ({details}).",
        WhoseMove.MERCHANT,
        closes_when="the pool is zero or more again",
        advice="Receive goods, or cancel the newest of the orders that cannot be met.",
    ),
    Reason.CREDENTIALS_REFUSED: _entry(
        ("{store} refuses our credentials ({field}). Nothing is lost: changes are caught up once it accepts them."),
        WhoseMove.AGENCY,
        closes_when="a call is answered",
        advice="Install the app again or give a new secret, then run storebridge check.",
    ),
    Reason.SCOPE_MISSING: _entry(
        "The app lacks a permission in {store} ({details}).",
        WhoseMove.AGENCY,
        closes_when="a probe shows every scope that is needed",
        advice="Grant the scope in the app's settings and let the merchant approve it.",
    ),
    Reason.TOKEN_REFRESH_FAILED: _entry(
        "The access token of {store} could not be renewed ({details}).",
        WhoseMove.AGENCY,
        closes_when="a token is granted",
        advice="Install the app again to get a new refresh token; then run storebridge check.",
    ),
    Reason.SUBSCRIPTION_REMOVED: _entry(
        "{store} had dropped webhook subscriptions ({details}); they were restored and everything was swept.",
        WhoseMove.STOREBRIDGE,
        closes_when="a check finds every topic subscribed",
        advice="If it happens again, see whether the intake's address answers in time.",
    ),
    Reason.SUBSCRIPTION_MANUAL: _entry(
        "{store} does not tell us about some changes, and only a person can subscribe them ({details}).",
        WhoseMove.AGENCY,
        closes_when="a check finds every topic subscribed",
        advice="Subscribe the topics in the app's dashboard. Until then sweeps find the changes, later.",
    ),
    Reason.STORE_UNREACHABLE: _entry(
        "{store} does not answer ({field}).",
        WhoseMove.VENDOR,
        closes_when="a call is answered",
        advice="Look at the vendor's status page. Changes are caught up by themselves afterwards.",
    ),
    Reason.SELLS_FROM_SEVERAL_GROUPS: _entry(
        "{store} sells online from several groups of locations ({details}); its own routing ignores them, so no policy "
        "can promise that nothing is oversold.",
        WhoseMove.AGENCY,
        closes_when="all its locations that sell online are in one group",
        advice="Put them in one group, switch off online sales at the others, or use mirror.",
    ),
    Reason.CALLS_REFUSED: _entry(
        "{store} does not take our calls ({details}). Nothing is lost: changes are caught up once it does.",
        WhoseMove.AGENCY,
        closes_when="a call is answered",
        advice="The words say why: a frozen or locked shop, a wrong address, an app that was removed. Then retry.",
    ),
    Reason.WORK_FAILED: _entry(
        "storebridge could not work on {subject} ({details}). Everything else goes on, and it is tried again.",
        WhoseMove.STOREBRIDGE,
        closes_when="it succeeds",
        advice="Report it with these words, unless they name a setting to change.",
    ),
    Reason.CLOCK_SKEWED: _entry(
        "This machine's clock and that of {store} differ ({details}).",
        WhoseMove.AGENCY,
        closes_when="a probe shows that the clocks agree",
        advice="Switch on time synchronisation on this machine.",
    ),
    Reason.STAMPS_NOT_KEPT: _entry(
        "{store} does not keep the stamps on our stock writes ({details}).",
        WhoseMove.AGENCY,
        closes_when="a stock write's answer shows its stamp",
        advice="Add the app's extension for inventory items and compare its namespace with stamp_namespace, "
        "or remove the setting. Stock is kept in step meanwhile.",
    ),
}
"""Every reason has an entry; a test sees to it."""
