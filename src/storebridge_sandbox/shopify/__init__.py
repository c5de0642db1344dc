"""A pretend Shopify store: the Admin GraphQL API on Shopify's own (pruned) schema, OAuth, signed webhooks.

``engine.py`` runs GraphQL; each resource folder holds a state file (what the store knows) and a responses file
(how the API words it); ``quirks.py`` names every unverified vendor behaviour as a switch.
"""
