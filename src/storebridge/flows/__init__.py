"""flows: the pure planners beside stock's. Each compares what the stores say and names the writes that are missing."""
