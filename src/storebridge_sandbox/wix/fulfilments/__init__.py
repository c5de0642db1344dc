"""Parcels of orders."""
