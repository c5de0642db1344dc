"""inventory/policies: how much of a pool each store may show. One file per policy; all are pure."""
