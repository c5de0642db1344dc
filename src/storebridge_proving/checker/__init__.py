"""The judge: what the two stores' own records say about stock, and nothing else.

Pure functions over plain dictionaries as ``/_sandbox/truth`` gives them and the list of goods booked in.
Nothing here imports the product or the pretend stores, so a wrong belief of theirs cannot hide here too.

    records.py      the stores' records put on one timeline
    pools.py        what was left of each pool at every moment; units oversold
    agreement.py    which SKUs the stores show wrongly, policy by policy
    propagation.py  from a change in one store to its effect in another
    losses.py       deliveries and movements that the bridge does not know
    report.py       the demo's report
"""
