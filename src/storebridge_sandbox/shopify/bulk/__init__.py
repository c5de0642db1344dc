"""Bulk operations: queries and mutations that run on their own over JSONL, and the uploads they read."""
