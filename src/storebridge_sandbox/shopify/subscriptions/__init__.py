"""Webhook subscriptions and the notices that they cause."""
