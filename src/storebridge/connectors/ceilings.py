"""The most units that one stock counter takes, by kind of store; each connector declares the same.

Beside the catalog and light to import: who only looks at stock builds no connector.
"""

from __future__ import annotations

from storebridge.connectors.shopify.limits import MOST_PER_COUNTER as SHOPIFY
from storebridge.connectors.wix.limits import MOST_PER_COUNTER as WIX

MOST_PER_COUNTER = {"shopify": SHOPIFY, "wix": WIX}
