"""Tables as files: what a browser or a script is told beside the rows."""

from __future__ import annotations

from storebridge.operations import export_orders
from storebridge.operations.export_orders import OrderTable


def csv_headers(table: OrderTable) -> dict[str, str]:
    """The name of the file says when not all orders fitted, and so does a header for scripts."""
    name = f"orders-first-{export_orders.MOST_ORDERS}.csv" if table.more else "orders.csv"
    return {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": f'attachment; filename="{name}"',
        "x-storebridge-more": "true" if table.more else "false",
    }
