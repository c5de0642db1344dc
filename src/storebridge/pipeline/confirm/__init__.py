"""pipeline/confirm"""
