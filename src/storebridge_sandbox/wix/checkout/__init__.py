"""The storefront's checkout, and the app that may refuse it."""
