"""Switches for Shopify behaviours that nobody here could verify, with the likelier one as default.

The S-numbers are those of the project's list of assumptions about Shopify.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class ShopifyOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How this store behaves where Shopify's own behaviour is unproven, and where a test needs it otherwise.

    stale_code (S1): the code of a stale compare-and-set; None leaves the userError without a code.
    batch_is_atomic (S2): one bad row refuses a whole inventory call; else the good rows are carried out.
    idempotency_retention_seconds (S3): how long a key is remembered; a later use is a new operation.
    replay_answer (S4): a repeated key is answered from the ``current`` state or with the ``stored`` answer.
    key_trouble (S5): reuse of a key with other parameters or after a failure comes as a ``user_error`` or at
        the ``top_level``.
    user_error_burns_key (S6): a call answered with userErrors uses its key up.
    set_where_unconnected (S10): setting a level that does not exist ``connects`` it, is ``refused``, or
        ``adds_to_on_hand`` without ever showing as available.
    webhook_id_changes (S16): each retry of a delivery carries another X-Shopify-Webhook-Id.
    event_id_is_shared (S17): the topics that one action causes share X-Shopify-Event-Id.
    webhook_retry_delays_seconds (S18): the waits between attempts; the subscription goes after the last one,
        when nothing was accepted meanwhile.
    subscription_deleted (S18): whether it goes at all.
    throttled_status (S22): the HTTP status of THROTTLED (200 or 429).
    bucket_size, restore_rate (S23): the cost bucket; a size of 0 switches budgets off.
    search_lag_seconds (S26): how far search-backed lists lag behind writes, drawn for each change.
    node_reads_lag_seconds (S26): how far reads of levels by id lag.
    token_seconds (S30): life of a client-credentials token.
    new_token_retires_old (S30): issuing a token ends the earlier ones.
    plain_http_webhooks: accept http:// addresses, which real Shopify refuses.
    connects_second_location: every variant has a level at the outlet too.
    """

    stale_code: str | None = "CHANGE_FROM_QUANTITY_STALE"
    batch_is_atomic: bool = True
    idempotency_retention_seconds: float = 86_400.0
    replay_answer: Literal["current", "stored"] = "current"
    key_trouble: Literal["user_error", "top_level"] = "user_error"
    user_error_burns_key: bool = True
    set_where_unconnected: Literal["connects", "refused", "adds_to_on_hand"] = "connects"
    webhook_id_changes: bool = False
    event_id_is_shared: bool = True
    webhook_retry_delays_seconds: tuple[float, ...] = (60, 120, 240, 480, 900, 1800, 3600, 7200)
    subscription_deleted: bool = True
    throttled_status: int = 200
    bucket_size: float = 2000.0
    restore_rate: float = 100.0
    search_lag_seconds: tuple[float, float] = (0.2, 1.5)
    node_reads_lag_seconds: tuple[float, float] = (0.0, 0.0)
    token_seconds: float = 86_399.0
    new_token_retires_old: bool = False
    plain_http_webhooks: bool = True
    connects_second_location: bool = True
