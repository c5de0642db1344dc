"""web/intake"""
