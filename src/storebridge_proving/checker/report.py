"""The report: the figures that the interface promises, and the sentences behind each that is not zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from storebridge_proving.checker.agreement import bundles_off, disagrees
from storebridge_proving.checker.losses import unexplained_units, unknown_deliveries
from storebridge_proving.checker.pools import follow
from storebridge_proving.checker.propagation import delays_of, spread_of
from storebridge_proving.checker.records import Pool, Records, own_orders, pools_of

PAST_THE_GUARD = "oversold past the guard"
"""Ends the sentence on units that nothing was promised of: an order of that SKU had gone past the checkout's guard."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the bridge says of itself; only ``lost`` and ``held`` are measured against it.

    ``held``: SKUs on hold with an open case. ``known``: delivery ids and body digests that it stored.
    ``explained``: (store, sku) to the units that its ledger explains; None when the ledger is not looked at.
    """

    held: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    explained: Mapping[tuple[str, str], int] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The checker's figures; ``findings`` says each fault in a sentence."""

    skus: int
    orders: Mapping[str, int]
    units_sold: int
    units_oversold: int
    skus_disagreeing: int
    held: int
    lost: int
    propagation_ms: Mapping[str, Any]
    findings: Sequence[str] = field(default=())


def judge(
    records: Records,
    policy: str,
    *,
    claims: Claims | None = None,
    attempts: Mapping[str, Iterable[Mapping[str, Any]]] | None = None,
    settled_at: datetime | None = None,
) -> Verdict:
    """Judge a run after quiet.

    ``attempts``: each store's log of webhook deliveries; ``settled_at``: when the baseline was in force,
    before which propagation is not measured.
    """
    said = claims or Claims()
    pools = pools_of(records)
    findings: list[str] = []
    oversold = _oversold(pools, findings)
    disagreeing, held = _out_of_step(pools, records, policy, said, findings)
    if policy == "mirror":
        off = bundles_off(records, {pool.sku: pool for pool in pools})
        findings += [f"{sku}: {why}" for sku, why in off.items() if sku not in said.held]
        disagreeing += len(off.keys() - said.held)
    lost = _lost(pools, said, attempts or {}, findings)
    delays = [delay for pool in pools for delay in delays_of(pool, policy, records.safety_stock, settled_at)]
    sold = [line["quantity"] for t in records.truths.values() for o in own_orders(t) for line in o["lines"]]
    return Verdict(
        skus=len(pools),
        orders={store: len(own_orders(truth)) for store, truth in records.truths.items()},
        units_sold=sum(sold),
        units_oversold=oversold,
        skus_disagreeing=disagreeing,
        held=held,
        lost=lost,
        propagation_ms=spread_of(delays),
        findings=findings,
    )


def _oversold(pools: Sequence[Pool], findings: list[str]) -> int:
    total = 0
    for pool in pools:
        units = follow(pool).oversold
        honest = units if pool.exposed_since is None else follow(_until(pool, pool.exposed_since)).oversold
        if honest:
            findings.append(f"{pool.sku}: {honest} oversold")
        if units > honest:
            findings.append(f"{pool.sku}: {units - honest} {PAST_THE_GUARD}")
        total += units
    return total


def _until(pool: Pool, moment: datetime) -> Pool:
    return replace(pool, moves=[move for move in pool.moves if move.at < moment])


def _out_of_step(
    pools: Sequence[Pool], records: Records, policy: str, said: Claims, findings: list[str]
) -> tuple[int, int]:
    """How many SKUs disagree, and how many of those that are on hold."""
    on_hold = said.held | {part for sku in said.held for part in records.bundles.get(sku, ())}
    disagreeing = 0
    for pool in pools:
        why = disagrees(pool, policy, records.safety_stock)
        if why and pool.sku not in on_hold:
            findings.append(f"{pool.sku}: {why}")
            disagreeing += 1
    return disagreeing, sum(pool.sku in on_hold for pool in pools)


def _lost(
    pools: Sequence[Pool],
    said: Claims,
    attempts: Mapping[str, Iterable[Mapping[str, Any]]],
    findings: list[str],
) -> int:
    lost = 0
    for store, tried in attempts.items():
        for number in unknown_deliveries(tried, said.known):
            findings.append(f"{store}: delivery attempt {number} was answered 2xx and is not known")
            lost += 1
    if said.explained is None:
        return lost
    for pool in pools:
        for store, units in unexplained_units(pool, said.explained).items():
            findings.append(f"{pool.sku}: {units:+d} in {store} that the ledger does not explain")
            lost += abs(units)
    return lost
