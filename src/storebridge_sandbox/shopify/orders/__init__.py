"""Orders, their refunds and fulfilments."""
