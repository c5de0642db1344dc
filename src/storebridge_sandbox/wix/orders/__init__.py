"""eCommerce orders: what they hold, what they do to stock, and the calls about them."""
