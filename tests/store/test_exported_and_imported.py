"""A warehouse that knows only files sends the rows of its export back, with a number: the same orders and lines are
meant, whatever their names are."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

from builders.databases import Database
from builders.orders import SHOPIFY, WIX, make_line, make_order
from storebridge.clock import SeededIds
from storebridge.model.ids import OrderId, Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import GroupTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.operations.export_orders import export_orders
from storebridge.operations.import_parcels import Imported, import_parcels
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.store.database import Tx

MAIN = Workspace("main")
TERMS = WorkspaceTerms(
    workspace=MAIN,
    connections=(SHOPIFY, WIX),
    policy=Policy.MIRROR,
    system_of_record=SHOPIFY,
    groups=(GroupTerms("main", {SHOPIFY: ("*",), WIX: ("*",)}),),
    keep_orders=True,
)
IDS = SeededIds(random.Random(7))


def arrive(database: Database, order: Order) -> None:
    def turn(tx: Tx) -> None:
        OrderTurn(tx, TERMS, IDS).read(order.connection, [order], [])

    database.run(turn)


def exported(database: Database) -> list[dict[str, str]]:
    table = database.play(export_orders(database.store, TERMS))
    return list(csv.DictReader(io.StringIO(table.csv)))


def send_back(
    database: Database, rows: list[dict[str, Any]], *, backwards: bool = False, bom: bool = False
) -> Imported:
    """The rows as a file: its columns in another order, with a mark of its encoding, in lines of Windows."""
    columns = [*rows[0]][:: -1 if backwards else 1]
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    told: Imported = database.play(
        import_parcels(database.store, TERMS, IDS, ("\ufeff" if bom else "") + text.getvalue(), actor="3pl")
    )
    return told


def parcels(database: Database) -> list[tuple[str, str]]:
    return [(key, str(lines)) for key, lines in database.rows("select order_key, lines from parcels order by at")]


def test_rows_of_two_orders_of_one_name_come_back_to_the_order_that_each_was_exported_from(database: Database) -> None:
    arrive(database, make_order(make_line("l1", units=2)))
    arrive(database, make_order(make_line("w1", units=1), connection=WIX, order_id=OrderId("o9")))
    rows = [row | {"carrier": "DHL", "tracking_number": f"JD{n}"} for n, row in enumerate(exported(database))]
    assert {row["order"] for row in rows} == {"#1001"}
    told = send_back(database, rows, backwards=True, bom=True)
    assert (told.noted, told.refused) == (2, [])
    assert {key.partition("-")[0] for key, _ in parcels(database)} == {"shopify", "wix"}
    assert exported(database) == []
    again = send_back(database, rows)
    assert (again.noted, again.changed, again.repeated, again.refused) == (0, 0, 2, [])


def test_the_row_of_goods_without_a_sku_is_that_line_and_not_the_whole_order(database: Database) -> None:
    arrive(database, make_order(make_line("l1", units=2), make_line("l2", units=1, sku=None, title="Gift wrap")))
    (wrap,) = [row for row in exported(database) if not row["sku"]]
    told = send_back(database, [wrap | {"carrier": "DHL", "tracking_number": "JD1"}])
    assert (told.noted, told.refused) == (1, [])
    assert [(row["sku"], row["units"]) for row in exported(database)] == [("MUG", "2")]


def test_a_file_names_its_orders_in_one_column_at_least(database: Database) -> None:
    arrive(database, make_order(make_line("l1", units=2)))
    (row,) = exported(database)
    told = send_back(database, [{"order_key": row["order_key"], "sku": "MUG", "units": "1", "parcel": "P1"}])
    assert (told.noted, told.refused) == (1, [])
    told = send_back(database, [{"order_key": "shopify-nowhere", "sku": "MUG", "units": "1", "parcel": "P2"}])
    assert [refused.order for refused in told.refused] == ["shopify-nowhere"]
