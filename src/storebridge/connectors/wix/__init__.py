"""connectors/wix"""
