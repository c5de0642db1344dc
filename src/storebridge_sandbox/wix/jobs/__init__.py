"""Work that an answer only promises: calls by filter."""
