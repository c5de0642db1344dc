"""pipeline/plan"""
