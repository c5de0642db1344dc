"""Where goods lie."""
