"""What nobody has verified about the live vendor, as switches; the default is the likelier behaviour.

The names begin with the number of the assumption. Both settings of each switch are tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Milliseconds = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class WixQuirks:
    """One setting of every switch."""

    w1_stale_status: int = 409
    """HTTP status of a PATCH with an old revision."""
    w1_stale_code: str = "INVENTORY_ITEM_REVISION_MISMATCH"
    """Application code of a lost race; the vendor's packages declare none."""
    w2_every_change_raises_revision: bool = True
    """False: sales and edits in the dashboard leave the revision alone, only API writes raise it."""
    w3_stale_accepted_within_ms: int = 0
    """A PATCH with the revision before the last one is accepted for so long after the change: no fence."""
    w5_idempotency_key_header: bool = False
    """True: a POST that repeats an ``Idempotency-Key`` header gets the first answer and changes nothing."""
    w6_unrestricted_decrement_clamps: bool = False
    """True: a decrement without ``restrictInventory`` stops at 0 instead of going below."""
    w7_bulk_is_all_or_nothing: bool = False
    """True: one failing item of a bulk call keeps the others from being applied; still status 200."""
    w8_created_orders_take_stock: bool = True
    """False: an order that an app creates leaves stock alone, as an imported one does."""
    w8_unpaid_created_status: Literal["INITIALIZED", "APPROVED"] = "INITIALIZED"
    """What an order is that an app creates without a payment and without a status."""
    w9_imports_take_stock: bool = False
    """True: an import lowers stock as a created order does."""
    w9_import_fires_standard_events: bool = False
    """True: ``order_created`` goes out beside ``order_imported``."""
    w10_imported_restocks_unasked: bool = False
    """True: a cancelled or refunded import puts its units on sale without being asked."""
    w11_failed_payment_restocks: bool = True
    """False: what an order took at placement stays gone when its payment fails."""
    w13_storefront_lag_ms: int = 0
    """The checkout still accepts what was shown so long ago (W12, W13)."""
    w14_calls_per_minute: int | None = 200
    """Calls a minute per instance before 429; None: no limit."""
    w14_retry_after_seconds: int | None = None
    """A ``Retry-After`` header on the 429, when the vendor should have one after all."""
    w15_query_lag_ms: Milliseconds = (0, 0)
    """How far queries of catalogue and inventory lag behind; drawn per call. The true size is not known."""
    w15_search_lag_ms: Milliseconds = (0, 0)
    """The same for searches of orders."""
    w15_get_lags: bool = False
    """True: a GET by id lags like a query."""
    w15_consistent_header: bool = True
    """False: ``X-Wix-Consistent`` is neither sent nor honoured."""
    w16_sales_touch_updated_date: bool = True
    """False: changes of stock by orders leave ``updatedDate`` alone."""
    w17_token_seconds: int = 14_400
    """Lifetime of an access token."""
    w18_wrong_catalog_status: int = 428
    """Status of a call to the catalogue version that the site does not have."""
    w19_missing_status: int = 404
    """Status of a GET or PATCH of an unknown item; 200 answers with an empty object."""
    w20_entities_as_json_strings: bool = False
    """True: entities in webhooks are JSON strings (``entityAsJson``), as the type files call them."""
    w21_created_while_initialized: bool = True
    """False: ``order_created`` is held back until the order is approved."""
    w22_names_the_app: bool = True
    """False: ``inventory_item_updated_with_reason`` carries no ``appId``."""
    w23_retries_keep_the_event_id: bool = True
    """False: every attempt to deliver an event carries another id and sequence."""
    w24_deaf_after_last_retry: bool = False
    """True: when the twelfth retry of an event fails, the app's webhooks are switched off."""
    w25_external_id_lag_ms: int = 0
    """How long an order cannot be found by its ``channelInfo.externalOrderId`` after it was made."""
    w26_handle_can_be_set: bool = True
    """False: ``product.handle`` is the vendor's own, whatever a caller sends."""
    w26_handle_is_unique: bool = True
    """False: two products may have one handle."""
    w27_variant_ids_accepted: bool = True
    """False: the vendor gives every new variant an id of its own."""
    w28_duplicate_contact_status: int = 409
    """Status of the refusal to create a contact whose e-mail or phone another one has."""
    w29_tracking_numbers_unique_in: Literal["order", "site", "nothing"] = "order"
    """Where a second parcel with the same tracking number is refused."""
    w30_external_refund_calls_provider: bool = False
    """True: an external refund is sent to the payment provider as well, and the money goes back twice."""
    w32_v1_clamps_at_zero: bool = False
    """True: a decrement of Inventory V2 stops at 0."""
    w32_v1_delta_sets_tracking: bool = False
    """True: an increment or decrement of Inventory V2 turns tracking on."""
    w34_extended_fields: Literal["kept", "dropped", "refused", "cleared_by_sales"] = "kept"
    """What becomes of apps' own fields of inventory items: kept, ignored, refused with 400 as by a site without the
    extension, or cleared by every change that no API call made."""
    w38_answers_after_ms: int = 0
    """How long after a write of stock its answer is made: it shows the item as it stands then, with what others did."""
    w40_v1_most_units: int = 99_999
    """The most units that a counter of a V1 site takes from the API."""
    w43_membership_tells: Literal["category", "product", "nothing"] = "category"
    """What tells that a product came into a category or left it: the category's own event, a change of the product, or
    nothing."""
    w44_all_products_is_listed: bool = True
    """False: the category of all products is not among those that a V3 site lists, and no product names it."""
    g1_called_at_placement: bool = True
    """False: the guard is not asked once more when the order is placed; its last answer counts."""
    g2_timeout_seconds: float = 5.0
    """How long the checkout waits for the guard."""
    g2_passes_without_answer: bool = True
    """False: an order is refused when the guard does not answer, or answers nonsense."""
    g3_bypass_channels: tuple[str, ...] = ("express", "pos", "manual")
    """Ways to buy that the guard is not asked about; orders that apps create never are."""
    g4_own_stock_check: Literal["before", "after"] = "before"
    """Whether the site looks at its own stock before it asks the guard, or after."""
