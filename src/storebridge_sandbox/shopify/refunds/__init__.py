"""Refunds as the Admin API makes and shows them."""
