"""What proves the product, from outside of it.

virtual_time.py     an event loop that jumps instead of waiting
asgi_transport.py   HTTP in one process, without sockets, in both directions
store_client.py     the control calls of a pretend store
shoppers.py         simulated shoppers and staff
checker/            the report, from the stores' own records; shares no code with what it checks
bridge_records.py   what the bridge's own tables say, read as an auditor would
stage.py            both stores and the bridge on loopback ports of one process
live.py             the panel that a person watches
demo.py             the demo: baseline, shoppers, quiet, report
simulate/           the whole product on virtual time, seed by seed
"""
