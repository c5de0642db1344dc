"""The deterministic simulation: one seed, one history, byte for byte.

crashes.py   a process that may die before and after every transaction and every call
theatre.py   both stores and the bridge on virtual time, with a supervisor that restarts what died
operator.py  the person who settles cases, and sees only what a vendor's admin shows
system.py    one seed of the whole product: faults, shoppers, quiet, verdict
core/        one seed of the pure code against stores of four kinds, thousands in minutes
result.py    what one seed showed
figures.py   counts with their bounds
explore.py   every interleaving, for small numbers, in a small_world.py; likeness.py says which worlds behave alike
mutants.py   planted bugs, and who catches each
picture.py   what each policy costs, as SVG
seeds.py     many seeds and their report
"""
