"""The log of an order: what the site writes into it by itself, and what apps and merchants add.

The packages declare no content for custom activities in the answer, so they are told by their type alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storebridge_sandbox.wix.orders.state import WixOrder
from storebridge_sandbox.wix.wire import wix_date

MOST = 1000


def note(order: WixOrder, kind: str, at: datetime, activity_id: str, **content: Any) -> None:
    """Write an activity; the oldest goes when there are too many. ``type`` is the older name of ``activityType``."""
    activity = {"id": activity_id, "createdDate": wix_date(at), "type": kind, "activityType": kind, **content}
    order.activities.append(activity)
    del order.activities[:-MOST]
