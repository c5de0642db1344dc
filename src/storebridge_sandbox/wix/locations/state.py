"""The site's stores locations; the first is the default one, which is all that its checkout sells from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from storebridge_sandbox.wix.identities import Guids


@dataclass(frozen=True, slots=True)
class Location:
    """``wix_location_id`` is the same place in Wix's own Locations API."""

    id: str
    wix_location_id: str
    name: str
    is_default: bool
    created_at: datetime


class Locations:
    """All locations of the site."""

    def __init__(self, new_id: Guids, created_at: datetime, default: str, more: Iterable[str]) -> None:
        names = [default, *more]
        self.all = [Location(new_id(), new_id(), name, number == 0, created_at) for number, name in enumerate(names)]
        self.default = self.all[0]
