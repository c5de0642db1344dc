"""Draft orders: an order that is being edited, or one that does not exist yet."""
