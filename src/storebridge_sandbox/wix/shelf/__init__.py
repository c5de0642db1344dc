"""What the site sells: products, variants, choices, as the owner keeps them."""
