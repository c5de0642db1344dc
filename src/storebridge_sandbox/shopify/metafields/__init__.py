"""Metafields: typed values on products, variants, customers, orders, locations and the shop; their definitions."""
