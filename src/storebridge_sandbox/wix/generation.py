"""Which catalogue version the site has now; it may move from V1 to V3 while it is open, and never back."""

from __future__ import annotations

from dataclasses import dataclass

from storebridge_sandbox.wix.settings import CatalogVersion


@dataclass(slots=True)
class CatalogGeneration:
    """Shared by whoever answers or announces; ``migrations`` says how often it moved."""

    now: CatalogVersion
    migrations: int = 0

    def migrate(self) -> None:
        """From V1 to V3; a V3 site stays as it is."""
        if self.now == "v1":
            self.now = "v3"
            self.migrations += 1
