"""What orders need to know of customers: who an order is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Customers(Protocol):
    """Implemented by the register of customers."""

    def of_order(self, asked: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """Find or make the customer that ``OrderCreateCustomerInput`` names: (id, email, phone and names).

        None when ``toAssociate`` names somebody who is not there.
        """
        ...

    def shown(self, customer_id: str) -> Any | None:
        """The customer as GraphQL's ``Customer`` resolvers take it."""
        ...

    def payload(self, customer_id: str) -> dict[str, Any] | None:
        """The customer inside a webhook's order."""
        ...
