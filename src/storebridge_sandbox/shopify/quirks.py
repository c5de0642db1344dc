"""Switches for Shopify behaviours that nobody here could verify, with the likelier one as default.

The S-numbers are those of the project's list of assumptions about Shopify.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Plan = Literal["standard", "advanced", "plus", "enterprise"]
REFILL: dict[Plan, float] = {"standard": 100.0, "advanced": 200.0, "plus": 1000.0, "enterprise": 2000.0}
SECONDS_TO_FILL = 20.0


class ShopifyOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How this store behaves where Shopify's own behaviour is unproven, and where a test needs it otherwise.

    stale_code (S1): the code of a stale compare-and-set; None leaves the userError without a code.
    batch_is_atomic (S2): one bad row refuses a whole inventory call; else the good rows are carried out.
    idempotency_retention_seconds (S3): how long a key is remembered; a later use is a new operation.
    replay_answer (S4): a repeated key is answered from the ``current`` state or with the ``stored`` answer.
    replayed_group (S47): the group of adjustments in that answer is made ``anew``, with another id and the time of
        the repetition, or is the ``first`` one; a ``stored`` answer always has the first.
    group_late_seconds (S47): how much later a group's ``createdAt`` is than the ``updatedAt`` of its levels.
    tells_quantity_after (S4): ``quantityAfterChange`` is told; in every recorded answer it is null.
    key_trouble (S5): reuse of a key with other parameters or after a failure comes as a ``user_error`` or at
        the ``top_level``.
    user_error_burns_key (S6): a call answered with userErrors uses its key up.
    uncoded_key_trouble (S7): where user errors have no code (inventoryActivate, refundCreate), trouble with a key comes
        as a ``user_error`` that a sentence tells, or at the ``top_level``.
    refund_key_pays_once (S8): a refund whose key was used before is answered with the one that was made; else it
        pays again.
    set_where_unconnected (S10): setting a level that does not exist ``connects`` it, is ``refused``, or
        ``adds_to_on_hand`` without ever showing as available.
    oversell_refusal (S11): the code of an orderCreate that obeys the policy and finds too little stock.
    orders_commit (S12): an order's units go from available to committed; False: they are off the books at once.
    fulfilling_bypassed_moves_stock (S13): sending an order that bypassed stock lowers available all the same.
    source_identifier_is_searchable (S14): searches know ``source_identifier``; else they ignore it.
    order_custom_ids_are_unique (S15): a second order with the same value of an ``id`` metafield is refused.
    webhook_id_changes (S16): each retry of a delivery carries another X-Shopify-Webhook-Id.
    event_id_is_shared (S17): the topics that one action causes share X-Shopify-Event-Id.
    webhook_retry_delays_seconds (S18): the waits between attempts; the subscription goes after the last one,
        when nothing was accepted meanwhile.
    subscription_deleted (S18): whether it goes at all.
    own_writes_are_told (S20): stock that an app writes by the API is told to that app, too (inventory_levels/update).
    throttled_status (S22): the HTTP status of THROTTLED (200 or 429).
    plan: what the shop pays for; its bucket of costs refills by 100, 200, 1,000 or 2,000 points a second.
    bucket_size, restore_rate (S23): the bucket where the plan's is not meant: none is the plan's refill and twenty
        seconds of it; a size of 0 switches budgets off.
    search_lag_seconds (S26): how far search-backed lists lag behind writes, drawn for each change.
    total_inventory_lag_seconds: how far a product's totalInventory lags behind its levels.
    node_reads_lag_seconds (S26): how far reads of levels by id lag.
    builds_tracking_links (S46): a parcel of a carrier that Shopify knows by name gets a link where none was given.
    partial_fulfilment (S27): after a part was sent, the rest ``stays`` in its fulfilment order, so that the same
        call again sends more, or it ``splits`` into a new one and the same call again is refused.
    cancel_restocks (S28): orderCancel gives goods back ``as_asked``, or ``always``.
    restocks_at (S28): where they are on sale again: at the location that was ``committed``, or at the
        ``first_location``.
    return_restocks_again (S29): goods that a refund put back are put back again when their return is disposed.
    inactive_levels (S34): a level that is not stocked any more is ``listed`` with its last number for those who
        ask for inactive ones, or it is ``hidden`` from everybody.
    recorded_payments_are_refundable (S35): a refund against a payment that orderCreate recorded is taken down
        without calling a provider; else it is refused.
    refunds_without_money (S45): units of an order are refunded without a payment; else at least one is asked for.
    prepared_is_in_progress (S44): what is ready to be collected is in progress; else nothing shows it.
    editing_bypassed_moves_stock (S36): units that an edit adds to an order that bypassed stock are taken all the same.
    exchange_notes_refund (S39): what a processed exchange takes back stands in the order as a refund without money;
        else the order's line stays as it was.
    bundle_lines (S40): the lines of an order with a bundle are its ``components``, or the ``bundle`` itself.
    bundle_seconds (S40): how long making or changing a bundle of products takes, while its operation is polled.
    membership_tells (S41): what is told when a product comes into a collection or leaves it: the ``collection``
        (collections/update), the ``product`` (products/update), or ``nothing``.
    shop_bears_metafields (S37): an app may keep a metafield of its own on the shop; else there is no such owner.
    token_seconds (S30): life of a client-credentials token.
    new_token_retires_old (S30): issuing a token ends the earlier ones.
    orders_per_minute (S31): how many orders orderCreate makes in a minute; None: as many as are asked for.
    job_seconds: how long a cancellation is under way.
    archive_seconds: how long after an order is paid and sent it is closed; None: never by itself.
    pays_with: the gateway of the storefront's checkouts; only ``shopify_payments`` earns payouts.
    books_lag_seconds (S38): how long after a transaction Shopify Payments has booked it.
    payout_days: how long Shopify Payments keeps money back.
    bulk_seconds: how long a bulk operation runs.
    oldest_version: the oldest API version served; calls of older ones are answered by it.
    plain_http_webhooks: accept http:// addresses, which real Shopify refuses.
    granted_scopes: what the app was granted, such as ``read_products``; None: all that it asks for, and nothing is
        denied. Without ``read_all_orders`` only orders of the last 60 days are shown.
    connects_second_location: every variant has a level at the outlet too.
    """

    stale_code: str | None = "CHANGE_FROM_QUANTITY_STALE"
    batch_is_atomic: bool = True
    idempotency_retention_seconds: float = 86_400.0
    replay_answer: Literal["current", "stored"] = "current"
    replayed_group: Literal["anew", "first"] = "anew"
    group_late_seconds: float = 0.0
    tells_quantity_after: bool = False
    key_trouble: Literal["user_error", "top_level"] = "user_error"
    user_error_burns_key: bool = True
    uncoded_key_trouble: Literal["user_error", "top_level"] = "user_error"
    refund_key_pays_once: bool = True
    set_where_unconnected: Literal["connects", "refused", "adds_to_on_hand"] = "connects"
    oversell_refusal: Literal["INVALID", "INVENTORY_CLAIM_FAILED"] = "INVALID"
    orders_commit: bool = True
    fulfilling_bypassed_moves_stock: bool = False
    source_identifier_is_searchable: bool = True
    order_custom_ids_are_unique: bool = True
    webhook_id_changes: bool = False
    event_id_is_shared: bool = True
    webhook_retry_delays_seconds: tuple[float, ...] = (60, 120, 240, 480, 900, 1800, 3600, 7200)
    subscription_deleted: bool = True
    own_writes_are_told: bool = True
    throttled_status: int = 200
    plan: Plan = "standard"
    bucket_size: float | None = None
    restore_rate: float | None = None
    search_lag_seconds: tuple[float, float] = (0.2, 1.5)
    total_inventory_lag_seconds: float = 5.0
    node_reads_lag_seconds: tuple[float, float] = (0.0, 0.0)
    builds_tracking_links: bool = True
    partial_fulfilment: Literal["stays", "splits"] = "stays"
    cancel_restocks: Literal["as_asked", "always"] = "as_asked"
    restocks_at: Literal["committed", "first_location"] = "committed"
    return_restocks_again: bool = False
    inactive_levels: Literal["listed", "hidden"] = "listed"
    recorded_payments_are_refundable: bool = True
    refunds_without_money: bool = True
    prepared_is_in_progress: bool = True
    editing_bypassed_moves_stock: bool = False
    exchange_notes_refund: bool = True
    membership_tells: Literal["collection", "product", "nothing"] = "collection"
    shop_bears_metafields: bool = True
    token_seconds: float = 86_399.0
    new_token_retires_old: bool = False
    orders_per_minute: int | None = None
    job_seconds: float = 0.5
    archive_seconds: float | None = 1.5
    pays_with: str = "shopify_payments"
    books_lag_seconds: float = 0.0
    payout_days: int = 2
    bulk_seconds: float = 5.0
    bundle_lines: Literal["components", "bundle"] = "components"
    bundle_seconds: float = 2.0
    oldest_version: str = "2026-01"
    plain_http_webhooks: bool = True
    granted_scopes: tuple[str, ...] | None = None
    connects_second_location: bool = True

    @property
    def cost_refill(self) -> float:
        """Points a second."""
        return REFILL[self.plan] if self.restore_rate is None else self.restore_rate

    @property
    def cost_bucket(self) -> float:
        """Points at most; 0 where nothing is limited (S23)."""
        return self.cost_refill * SECONDS_TO_FILL if self.bucket_size is None else self.bucket_size
