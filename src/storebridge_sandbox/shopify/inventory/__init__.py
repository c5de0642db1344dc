"""Inventory items, levels, and the mutations that change them."""
