"""What a person sees of a store: the shop, where one can buy, and the staff's desk."""
