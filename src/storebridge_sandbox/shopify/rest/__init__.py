"""The small REST surface that older clients still expect: reads, and the writes of stock levels."""
