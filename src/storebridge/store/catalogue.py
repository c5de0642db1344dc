"""What each store sells and where it counts, as last listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ConnectionName, LocationId, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import locations, variants


def save_locations(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    found: Sequence[Location],
    places: Mapping[LocationId, tuple[str, int]],
) -> None:
    """Replace what is known of a store's locations; ``places`` maps those of the bridge to (group, rank)."""
    rows = []
    for location in found:
        group, rank = places.get(location.location_id, (None, 0))
        rows.append(
            {
                "workspace": workspace,
                "connection": connection,
                "location_id": location.location_id,
                "name": location.name,
                "active": location.active,
                "sells_online": location.sells_online,
                "is_default": location.is_default,
                "location_group": group,
                "rank": rank,
            }
        )
    gone = locations.c.location_id.not_in([location.location_id for location in found])
    tx.conn.execute(
        update(locations)
        .where(locations.c.workspace == workspace, locations.c.connection == connection, gone)
        .values(active=False)
    )
    _replace(tx, locations, rows)


def note_locations(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, found: Sequence[Location]
) -> None:
    """Take over which known locations are open, without touching their groups."""
    active = [location.location_id for location in found if location.active]
    _NOTE_OPEN.run(tx, w=workspace, c=connection, open=active)


_NOTE_OPEN = Prepared(
    update(locations)
    .where(locations.c.workspace == bindparam("w"), locations.c.connection == bindparam("c"))
    .values(active=one_of(locations.c.location_id, "open"))
)


UNTOLD = object()
"""Stands in a row for what the store did not let be read: what is known stays."""


def save_variants(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    found: Sequence[Variant],
    *,
    complete: bool = True,
) -> None:
    """Replace what is known of a store's variants; those that a ``complete`` listing does not name are marked as
    gone."""
    rows = [_variant_row(tx, workspace, connection, variant) for variant in found]
    untold = [{n: v for n, v in row.items() if n != "collections"} for row in rows if row["collections"] is UNTOLD]
    _replace(tx, variants, [row for row in rows if row["collections"] is not UNTOLD])
    _replace(tx, variants, untold)
    if not complete:
        return
    tx.conn.execute(
        update(variants)
        .where(
            variants.c.workspace == workspace,
            variants.c.connection == connection,
            variants.c.listed_at < tx.now,
            variants.c.gone_at.is_(None),
        )
        .values(gone_at=tx.now, collections=None)
    )


def _variant_row(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, variant: Variant
) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "connection": connection,
        "item_id": variant.item_id,
        "variant_id": variant.variant_id,
        "product_id": variant.product_id,
        "title": " / ".join(part for part in (variant.product_title, variant.variant_title) if part),
        "sku": variant.sku,
        "barcode": variant.barcode,
        "tracked": variant.tracked,
        "denies_oversell": variant.denies_oversell,
        "adjustable": variant.adjustable,
        "components": dict(variant.components) or None,
        "collections": UNTOLD if variant.collections is None else list(variant.collections) or None,
        "listed_at": tx.now,
        "gone_at": None,
    }


def _replace(tx: HasConnection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    insert = (postgresql if tx.dialect == "postgresql" else sqlite).insert(table)
    keys = list(rows[0])[:3]
    tx.conn.execute(
        insert.on_conflict_do_update(
            index_elements=keys,
            set_={name: insert.excluded[name] for name in rows[0] if name not in keys},
        ),
        list(rows),
    )


def components_told(tx: HasConnection, workspace: Workspace, sku: str) -> dict[ConnectionName, dict[str, int]]:
    """Of what stores make a SKU up themselves: units by SKU, by store."""
    found = tx.conn.execute(
        select(variants.c.connection, variants.c.components)
        .where(variants.c.workspace == workspace, variants.c.sku == sku, variants.c.gone_at.is_(None))
        .order_by(variants.c.connection)
    )
    return {ConnectionName(connection): dict(recipe) for connection, recipe in found if recipe}


def title_of(tx: HasConnection, workspace: Workspace, sku: str) -> str:
    """What a store calls a SKU; empty when none sells it."""
    query = select(func.min(variants.c.title)).where(variants.c.workspace == workspace, variants.c.sku == sku)
    return tx.conn.execute(query).scalar() or ""
