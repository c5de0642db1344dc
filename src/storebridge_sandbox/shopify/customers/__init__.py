"""Customers: reads, writes, addresses, consent and merging."""
