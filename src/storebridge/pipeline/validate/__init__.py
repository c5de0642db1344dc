"""pipeline/validate"""
