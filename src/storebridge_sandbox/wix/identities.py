"""Who did it: the ``identity`` of a webhook and the ``actor`` of a movement."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import Literal

from storebridge_sandbox.wix.settings import STORES_APP_ID

Reason = Literal["ORDER", "MANUAL", "REVERT_INVENTORY_CHANGE"]


class Guids:
    """GUIDs from a seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def __call__(self, _kind: str = "") -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


@dataclass(frozen=True, slots=True)
class Actor:
    """``app_id`` is what ``inventory_item_updated_with_reason`` names: the app that made the change."""

    name: str
    identity: dict[str, str]
    app_id: str | None


def visitor(guid: str) -> Actor:
    """A shopper; Wix Stores makes the changes that follow."""
    return Actor("shopper", {"identityType": "ANONYMOUS_VISITOR", "anonymousVisitorId": guid}, STORES_APP_ID)


def staff(guid: str) -> Actor:
    """The site's owner in the dashboard."""
    return Actor("staff", {"identityType": "WIX_USER", "wixUserId": guid}, STORES_APP_ID)


def app(app_id: str) -> Actor:
    """Our app with its own token."""
    return Actor("app", {"identityType": "APP", "appId": app_id}, app_id)


def key_holder(guid: str) -> Actor:
    """A caller with an API key acts as the account that made the key; no app is named."""
    return Actor("api_key", {"identityType": "WIX_USER", "wixUserId": guid}, None)
