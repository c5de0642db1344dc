"""connectors/shopify"""
