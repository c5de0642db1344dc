"""The deterministic simulation: one seed, one history, byte for byte.

crashes.py   a process that may die before and after every transaction and every call
theatre.py   both stores and the bridge on virtual time, with a supervisor that restarts what died
operator.py  the person who settles cases, and sees only what a vendor's admin shows
system.py    one seed of the whole product: faults, shoppers, quiet, verdict
core.py      one seed of the pure planner against a tiny model of two stores
seeds.py     many seeds and their report
"""
