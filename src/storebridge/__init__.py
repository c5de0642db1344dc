"""storebridge keeps stores in step on one pool of stock, and can prove it.

The map: the folders in the order data flows.

    model/             the nouns, frozen, no I/O
    connectors/        the edge: all that is known about a vendor lives in its folder
    store/             the only SQL
    work/              leases, looks, retry, schedule: knows nothing of stores
    audit/             append-only, digested in the transaction, chained shortly after
    inventory/         the core: pools, positions, policies; pure
    flows/             the pure planners of orders: queue, parcels, what changed, what a read proves
    mappings/          which external ids are the same entity; which location belongs to which group
    exceptions_queue/  the closed catalogue of reasons, and cases
    pipeline/          ingest, normalize, validate, plan, deliver, confirm; start reading at flow.py
    reconcile/         sweeps, order polling, subscription health, differences
    observe/           what judges: health, conservation, preconditions
    operations/        every verb a person can do, one file each
    web/ cli/          thin
    telemetry/         counters, logs: what emits
    bootstrap.py environment.py config.py clock.py errors.py
"""

__version__ = "0.1.0"
