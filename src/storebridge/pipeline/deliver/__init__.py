"""pipeline/deliver"""
