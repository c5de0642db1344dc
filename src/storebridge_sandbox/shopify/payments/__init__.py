"""Shopify Payments: what the shop's own payments earned, and when it was paid out."""
