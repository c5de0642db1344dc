"""pipeline/normalize"""
