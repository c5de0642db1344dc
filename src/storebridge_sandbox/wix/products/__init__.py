"""The catalogue, V3 and V1."""
