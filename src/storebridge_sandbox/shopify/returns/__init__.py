"""Returns: asked for, approved, received, disposed of."""
