"""Fulfilment orders (what is to be sent, from where) and fulfilments (what was sent)."""
