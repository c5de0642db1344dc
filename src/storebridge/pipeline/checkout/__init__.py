"""pipeline/checkout: a checkout asks before it sells (policy guarded)."""
