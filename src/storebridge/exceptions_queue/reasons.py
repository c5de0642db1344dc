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
    SKU_CHANGED = "sku_changed"
    ITEM_UNTRACKED = "item_untracked"
    ITEM_NOT_ADJUSTABLE = "item_not_adjustable"
    BUNDLE_NOT_KEPT = "bundle_not_kept"
    BUNDLE_EDITED = "bundle_edited"
    BUNDLE_GIVEN_UP = "bundle_given_up"
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
    ORDER_WRITE_UNDONE = "order_write_undone"
    PARCEL_NOT_TOLD = "parcel_not_told"
    ORDERS_HIDDEN = "orders_hidden"
    ORDER_NOT_MAPPED = "order_not_mapped"
    ORDER_NOT_COPIED = "order_not_copied"
    COPY_DIFFERS = "copy_differs"
    COPY_MOVED_STOCK = "copy_moved_stock"
    COPY_RETURN_UNCLEAR = "copy_return_unclear"
    SETTLEMENT_DIFFERS = "settlement_differs"
    MONEY_NOT_BOOKED = "money_not_booked"
    MONEY_UNEXPLAINED = "money_unexplained"
    PAYOUT_FAILED = "payout_failed"
    BOOKS_HIDDEN = "books_hidden"
    CHANGE_HELD = "change_held"
    MASS_ZERO_HELD = "mass_zero_held"
    DATABASE_RESTORED = "database_restored"
    STORE_CLAIMED = "store_claimed"
    MARK_NOT_KEPT = "mark_not_kept"
    WRITES_HELD = "writes_held"
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
    CHECKOUT_UNGUARDED = "checkout_unguarded"
    CHECKOUT_BYPASSED = "checkout_bypassed"
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
        """What happened and to what, then what to do. An order is named by its name; its key is for links."""
        details = ", ".join(
            f"{name.replace('_', ' ')} {_shown(value)}"
            for name, value in case.details.items()
            if name != "order_key" and value is not None and value != "" and value != [] and value != ()
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
        closes_when="a whole listing of the store shows the SKU in both stores, or not at all",
        advice=("Give the matching variant in the other store the same SKU, or leave it: nothing is written for it."),
    ),
    Reason.SKU_DUPLICATE_IN_STORE: _entry(
        "Several variants of {store} share the SKU {sku}: it cannot be known which goods are meant.",
        WhoseMove.MERCHANT,
        closes_when="a whole listing shows the SKU once, or not at all",
        advice="Give every variant its own SKU; none of them is kept in step until then.",
    ),
    Reason.SKU_BLANK: _entry(
        "A variant of {store} has no SKU ({details}).",
        WhoseMove.MERCHANT,
        closes_when="a whole listing shows a SKU, or the variant is gone",
        advice="Type the SKU that the other store uses for the same goods.",
    ),
    Reason.SKU_CHANGED: _entry(
        "{sku} has another SKU in {store} now ({details}). It is kept in step as {sku}, with the same items of the "
        "other stores as before; nothing is written differently.",
        WhoseMove.MERCHANT,
        closes_when="a listing shows its former SKU, or the new one in every store",
        advice=(
            "Put the SKU back, or type the new one in every other store, too: the goods are then called by it. If "
            "these are other goods now, make a new product for them."
        ),
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
        closes_when="its recipe is known, or a listing shows an ordinary variant",
        advice="Name its components under [[workspaces.NAME.bundles]], or turn it into an ordinary variant.",
    ),
    Reason.BUNDLE_NOT_KEPT: _entry(
        "The bundle {sku} is not kept in step with its components ({details}).",
        WhoseMove.AGENCY,
        closes_when="a listing shows nothing in its way, or nobody calls it a bundle any more",
        advice=(
            "Mend what is named, in the store or under [[workspaces.NAME.bundles]]; until then its sales take no "
            "components."
        ),
    ),
    Reason.BUNDLE_EDITED: _entry(
        "Units of the bundle {sku} left {store} and no order says why ({details}). Its components were lowered.",
        WhoseMove.MERCHANT,
        closes_when="an order explains them after all; otherwise a person closes it",
        advice=(
            "If no bundle was sold or lost, count the components (storebridge count). Levels of bundles follow from "
            "their components and need no editing."
        ),
    ),
    Reason.BUNDLE_GIVEN_UP: _entry(
        "Neither the configuration nor a store says any more what the bundle {sku} is made of, but {store} sells it "
        "({details}). That number followed from its components and stands for no goods, so it is set to zero there; "
        "what it sells until then takes components.",
        WhoseMove.MERCHANT,
        closes_when="it is called a bundle again; otherwise a person closes it",
        advice=(
            "Name it again under [[workspaces.NAME.bundles]], or take it off sale. If sets lie packed, count their "
            "components without them (storebridge count); once the store shows zero, type the number of sets there: "
            "it is an ordinary SKU by then."
        ),
        retried=False,
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
        WhoseMove.AGENCY,
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
    Reason.ORDER_WRITE_UNDONE: _entry(
        "{store} took a change of an order, and a later read does not show it ({details}).",
        WhoseMove.MERCHANT,
        closes_when="a read shows it after all, or a person has looked",
        advice=(
            "Somebody changed it again in the store's admin, or the store did not carry it out. Look at the order "
            "there: if the change is still wanted, retry the case, and it is sent once more; else close it."
        ),
    ),
    Reason.PARCEL_NOT_TOLD: _entry(
        "A parcel left with units that {store} has nowhere to book ({details}).",
        WhoseMove.MERCHANT,
        closes_when="all of the parcel was told, or a person has looked",
        advice=(
            "They were refunded, taken out of the order or put on hold there before it was told; the rest of the "
            "parcel was told. Release a hold there and the rest follows; settle with the buyer what was refunded."
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
    Reason.SETTLEMENT_DIFFERS: _entry(
        "Two figures of {store} that must be the same are not ({details}).",
        WhoseMove.MERCHANT,
        closes_when="both figures agree",
        advice=(
            "storebridge settlement --day shows the day line by line. Compare with the order or the payout in the "
            "store's admin; what is mended there is read by itself."
        ),
    ),
    Reason.MONEY_NOT_BOOKED: _entry(
        "An order of {store} shows money that its payment provider has not booked ({details}).",
        WhoseMove.MERCHANT,
        closes_when="the provider has booked it",
        advice=(
            "Look for the transaction in the payouts of the store's admin. If it is not there, ask the provider: the "
            "order says that it was paid, or paid back."
        ),
    ),
    Reason.MONEY_UNEXPLAINED: _entry(
        "The payment provider of {store} booked money that no order here shows ({details}).",
        WhoseMove.MERCHANT,
        closes_when="the order that it belongs to is known and shows it",
        advice=(
            "The order may be older than what was read (Shopify gives 60 days without read_all_orders), deleted, or of "
            "another app. Find it by the name in the store's admin and note it for the books."
        ),
    ),
    Reason.PAYOUT_FAILED: _entry(
        "A payout of {store} did not reach the bank ({details}).",
        WhoseMove.MERCHANT,
        closes_when="it is paid, or its money is in another payout",
        advice="Check the bank account in the store's payment settings; the provider says there what it needs.",
    ),
    Reason.BOOKS_HIDDEN: _entry(
        "{store} does not show storebridge what its payment provider booked ({details}). Orders, payments and refunds "
        "are reconciled; fees and payouts are not.",
        WhoseMove.MERCHANT,
        closes_when="they are read",
        advice=(
            "Grant the scope read_shopify_payments_payouts to the app, or leave it out: then statements stay open "
            "where the provider's side is missing."
        ),
    ),
    Reason.COPY_MOVED_STOCK: _entry(
        "{store} moved its stock of {sku} while a copied order named it ({details}), and no order that was sold there "
        "explains it. If the copy moved it, what is left is wrong by that.",
        WhoseMove.AGENCY,
        closes_when="later copies, or an order read later, prove that it was not the copy, or a person has looked",
        advice=(
            "Compare with the shelf, and put it right with storebridge count. If copies move stock in this store again "
            "and again, say when with copies_take_stock: such movements are then booked without changing what is left."
        ),
        retried=False,
    ),
    Reason.COPY_RETURN_UNCLEAR: _entry(
        "{store} raised its stock of {sku} ({details}). The copied order says that goods of it were put back, and the "
        "counter changed again long after that. It is taken for the copy's doing, so that nothing is sold that does "
        "not exist; if staff put goods there, so many are left unsold.",
        WhoseMove.MERCHANT,
        closes_when="a person accepts the units as goods, or rejects them as the copy's doing",
        advice=(
            "Look at the item's inventory history in the store's admin: accept if staff raised it, and the units are "
            "booked; reject if the order did. Where the shelf was counted since, reject: the count has them."
        ),
        retried=False,
    ),
    Reason.WRITE_OUTCOME_UNCLEAR: _entry(
        "It cannot be told whether a write for {sku} reached {store} ({details}).",
        WhoseMove.MERCHANT,
        closes_when="a person says 'applied' or 'not_applied', or a later read can only mean one of them",
        advice=(
            "Compare the level in the store's admin with both explanations, then resolve the case with what you see. "
            "While the write may still land, only 'applied' is taken."
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
            "Find out whether an import or an app emptied them. If it was a mistake, take the edits back (storebridge "
            "undo) or type the levels in again, and then release; if it is right, release."
        ),
        retried=False,
    ),
    Reason.DATABASE_RESTORED: _entry(
        "The database is an older copy: {store} bears a mark that we wrote later ({details}). What was written, sold "
        "and decided since is missing, so no store is written.",
        WhoseMove.AGENCY,
        closes_when="a person signs a new baseline off",
        advice=(
            "Look at what every store shows (storebridge baseline), put wrong levels right in the stores, then begin "
            "anew: storebridge baseline --sign-off."
        ),
        retried=False,
    ),
    Reason.STORE_CLAIMED: _entry(
        "Another bridge keeps {store} in step ({details}). Two of them would undo each other, so we write nothing.",
        WhoseMove.AGENCY,
        closes_when="a person signs a new baseline off",
        advice=(
            "Find the other installation and stop it, or take this store out of this configuration. If the other one "
            "is gone for good, begin anew: storebridge baseline --sign-off."
        ),
        retried=False,
    ),
    Reason.MARK_NOT_KEPT: _entry(
        "{store} does not keep our mark ({details}): an old copy of the database and a second bridge would go "
        "unnoticed.",
        WhoseMove.AGENCY,
        closes_when="the mark is read",
        advice="The vendor's words say why. Stock is kept in step all the same; never restore a backup meanwhile.",
    ),
    Reason.WRITES_HELD: _entry(
        "More stock would be written than an hour may see ({details}). No store is written until a person looks.",
        WhoseMove.MERCHANT,
        closes_when="a person releases it",
        advice=(
            "Look at what moved last (storebridge stock SKU, the audit). If it is right, release: the count begins "
            "anew. If it is not, take it back with storebridge undo first, then release. Raise most_units_per_hour or "
            "most_skus_per_hour if this is an ordinary hour of yours."
        ),
        retried=False,
    ),
    Reason.OVERSOLD: _entry(
        "More units of {sku} were sold than exist ({details}).",
        WhoseMove.MERCHANT,
        closes_when="the pool is zero or more again",
        advice=(
            "The orders named cannot be met. Receive goods, or resolve the case: wait (goods are on their way), "
            "substitute (you exchange them in the store's admin), split (another group of locations has them) or "
            "cancel (the missing units are taken off and paid back, or the order whole), for all of them or order by "
            "order."
        ),
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
        closes_when="deliveries about orders and about stock arrive",
        advice=(
            "Subscribe the topics in the app's dashboard, with the address named. Until then sweeps find the changes, "
            "later."
        ),
    ),
    Reason.STORE_UNREACHABLE: _entry(
        "{store} does not answer ({field}).",
        WhoseMove.VENDOR,
        closes_when="a call is answered",
        advice="Look at the vendor's status page. Changes are caught up by themselves afterwards.",
    ),
    Reason.CHECKOUT_UNGUARDED: _entry(
        "The checkout of {store} is not guarded now ({details}). Goods under guarded are divided among the stores "
        "meanwhile, so that no unit is shown twice.",
        WhoseMove.AGENCY,
        closes_when="the store has asked, three probes in a row are answered in time, and every store can be reached",
        advice=(
            "storebridge check prints the address that the store must be given; open a checkout there once. Then see "
            "whether that address answers from outside, and how long it takes."
        ),
    ),
    Reason.CHECKOUT_BYPASSED: _entry(
        "Orders of {store} went past the guard of its checkout ({details}). Until none did for a day, stores are kept "
        "apart by what could be sold that way, as under hybrid, and nothing is guaranteed.",
        WhoseMove.MERCHANT,
        closes_when="no order went past it for a day",
        advice=(
            "Look how these orders were made: an express wallet, the till, staff, another app, or a question that was "
            "not answered in time. Switch that way off, or set checkout_guard.bypass_channels = true."
        ),
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
