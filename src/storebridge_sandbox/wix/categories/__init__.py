"""Categories of a V3 site and collections of a V1 site, over their APIs: the same groups of products."""
