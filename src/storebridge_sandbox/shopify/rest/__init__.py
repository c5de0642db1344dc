"""The small REST surface that older clients still expect: reads and writes."""
