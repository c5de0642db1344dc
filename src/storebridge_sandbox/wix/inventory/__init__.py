"""Stock: V3 items with revisions, and the older rows per product."""
