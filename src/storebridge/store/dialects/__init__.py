"""store/dialects"""
