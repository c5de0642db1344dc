"""Who did it: the ``identity`` of a webhook and the ``actor`` of a movement."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from storebridge_sandbox.wix.settings import STORES_APP_ID

Reason = Literal["ORDER", "MANUAL", "REVERT_INVENTORY_CHANGE"]


VERSION_AND_VARIANT = 0xF000 << 64 | 0xC000 << 48
RANDOM_UUID = 0x4000 << 64 | 0x8000 << 48


class Guids:
    """GUIDs from a seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def __call__(self, _kind: str = "") -> str:
        # Written out because a simulation makes millions: uuid.UUID and back costs three times as much.
        number = self._rng.getrandbits(128) & ~VERSION_AND_VARIANT | RANDOM_UUID
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


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
