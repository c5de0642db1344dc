"""Collections of products: state, reads, and the mutations that make and fill them."""
