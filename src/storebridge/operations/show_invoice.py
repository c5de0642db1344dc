"""The invoice of an order: what was charged, what was paid of it, and whether the store's own sums say the same."""

from __future__ import annotations

from storebridge.flows.invoices import invoice_of
from storebridge.model.ids import Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.settlement import Invoice
from storebridge.operations.list_orders import refuse_unkept
from storebridge.operations.show_order import find_order
from storebridge.store.database import Store, Tx
from storebridge.store.sales import known_orders


async def show_invoice(store: Store, terms: WorkspaceTerms, name: str) -> Invoice:
    """``name`` is our key, the store's id, or what people call it. Raises NotFoundError, RefusedError (two orders of
    that name), ConfigurationError (orders are not kept)."""
    refuse_unkept(terms)
    return await store.read(_invoice, terms.workspace, name)


def _invoice(tx: Tx, workspace: Workspace, name: str) -> Invoice:
    key = find_order(tx, workspace, name)
    return invoice_of(key, known_orders(tx, workspace, [key])[key].order)
