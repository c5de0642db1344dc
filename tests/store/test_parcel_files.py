"""A warehouse that only knows files sends one again: what came later or was corrected is taken over."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from builders.databases import Database
from builders.orders import SHOPIFY, WIX, make_line, make_order
from storebridge.clock import SeededIds
from storebridge.errors import ConfigurationError
from storebridge.model.ids import Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import GroupTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.operations.import_parcels import Imported, import_parcels
from storebridge.operations.ship_order import change_parcel
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
HEAD = "order,sku,units,carrier,tracking_number,tracking_url,parcel\n"


def arrive(database: Database, order: Order) -> None:
    """It was read from its store."""

    def turn(tx: Tx) -> None:
        OrderTurn(tx, TERMS, IDS).read(order.connection, [order], [])

    database.run(turn)


def send(database: Database, *rows: str, head: str = HEAD) -> tuple[int, int, int, list[str]]:
    """The file is imported: parcels noted, changed, known, and why others were refused."""
    text = head + "\n".join(rows)
    told: Imported = database.play(import_parcels(database.store, TERMS, IDS, text, actor="3pl"))
    return told.noted, told.changed, told.repeated, [row.why for row in told.refused]


def tracked(database: Database) -> list[dict[str, Any]]:
    return [tracking for (tracking,) in database.rows("select tracking from parcels order by at, parcel_key")]


def numbers(database: Database) -> list[tuple[str, str]]:
    told = (row if isinstance(row, dict) else json.loads(row) for row in tracked(database))
    return [(one["company"], one["number"]) for one in told]


def history(database: Database) -> list[str]:
    return [kind for (kind,) in database.rows("select kind from sales_history order by number")]


def test_tracking_that_comes_with_a_later_file_is_taken_over_once(database: Database) -> None:
    arrive(database, make_order(make_line(units=2)))
    assert send(database, "#1001,MUG,2,DHL,,,P1") == (1, 0, 0, [])
    assert send(database, "#1001,MUG,2,DHL,JD1,,P1") == (0, 1, 0, [])
    assert numbers(database) == [("DHL", "JD1")]
    for _ in range(2):
        assert send(database, "#1001,MUG,2,DHL,JD1,,P1") == (0, 0, 1, [])
    assert history(database) == ["placed", "parcel_noted", "tracking_noted"]


def test_a_corrected_number_and_a_corrected_carrier_are_taken_over(database: Database) -> None:
    arrive(database, make_order(make_line(units=2)))
    send(database, "#1001,MUG,2,DHL,JD1,,P1")
    assert send(database, "#1001,MUG,2,DHL,JD2,,P1") == (0, 1, 0, [])
    assert send(database, "#1001,MUG,2,UPS,JD2,,P1") == (0, 1, 0, [])
    assert numbers(database) == [("UPS", "JD2")]


def test_an_empty_cell_takes_nothing_away(database: Database) -> None:
    arrive(database, make_order(make_line(units=2)))
    send(database, "#1001,MUG,2,DHL,JD1,https://dhl.example/JD1,P1")
    assert send(database, "#1001,,,,,,P1") == (0, 0, 1, [])
    assert send(database, "#1001,MUG,2,,JD1,,P1") == (0, 0, 1, [])
    assert "https://dhl.example/JD1" in str(tracked(database))
    assert numbers(database) == [("DHL", "JD1")]


def test_a_link_of_the_old_number_does_not_follow_the_new_one(database: Database) -> None:
    arrive(database, make_order(make_line(units=2)))
    send(database, "#1001,MUG,2,DHL,JD1,https://dhl.example/JD1,P1")
    send(database, "#1001,MUG,2,,JD2,,P1")
    assert numbers(database) == [("DHL", "JD2")]
    assert "JD1" not in str(tracked(database))


def test_a_parcel_that_comes_again_with_other_units_is_refused_and_stays_as_it_is(database: Database) -> None:
    arrive(database, make_order(make_line(units=3), make_line("l2", units=1, sku="TEA")))
    send(database, "#1001,MUG,1,DHL,,,P1")
    found = send(database, "#1001,MUG,2,DHL,JD1,,P1")
    assert found == (0, 0, 0, ["Order #1001: parcel P1 was noted with 1 x MUG, not 2 x MUG: give it another name."])
    assert numbers(database) == [("DHL", "")]


def test_another_days_row_without_a_name_is_no_repetition_of_this_days(database: Database) -> None:
    arrive(database, make_order(make_line(units=3), make_line("l2", units=1, sku="TEA")))
    assert send(database, "#1001,MUG,3,,,,")[:3] == (1, 0, 0)
    noted, changed, repeated, (why,) = send(database, "#1001,TEA,1,,,,")
    assert (noted, changed, repeated) == (0, 0, 0)
    assert why == "Order #1001: parcel line 2 was noted with 3 x MUG, not 1 x TEA: give it another name."


def test_two_numbers_for_one_parcel_are_refused(database: Database) -> None:
    arrive(database, make_order(make_line(units=2)))
    found = send(database, "#1001,MUG,1,DHL,JD1,,P1", "#1001,MUG,1,DHL,JD2,,P1")
    assert found == (0, 0, 0, ["Parcel P1 has two tracking numbers, JD1 and JD2: give each parcel a name of its own."])
    assert tracked(database) == []


def test_the_number_may_stand_in_any_row_of_the_parcel(database: Database) -> None:
    arrive(database, make_order(make_line(units=2), make_line("l2", units=1, sku="TEA")))
    assert send(database, "#1001,MUG,2,,,,P1", "#1001,TEA,1,DHL,JD1,,P1") == (1, 0, 0, [])
    assert numbers(database) == [("DHL", "JD1")]


def test_a_parcel_that_was_withdrawn_does_not_come_back_with_a_file(database: Database) -> None:
    arrive(database, make_order(make_line(units=2)))
    send(database, "#1001,MUG,2,DHL,JD1,,P1")
    database.run(change_parcel, TERMS, IDS, "#1001", "P1", actor="ann", cancel=True)
    assert send(database, "#1001,MUG,2,DHL,JD1,,P1") == (0, 0, 1, [])
    assert send(database, "#1001,MUG,2,DHL,JD2,,P1")[:3] == (0, 0, 0)
    assert numbers(database) == [("DHL", "JD1")]


def test_units_of_a_sku_that_stands_on_two_lines_are_taken_from_the_line_that_has_some_left(database: Database) -> None:
    arrive(database, make_order(make_line(units=1), make_line("l2", units=2)))
    assert send(database, "#1001,MUG,1,DHL,JD1,,P1") == (1, 0, 0, [])
    assert send(database, "#1001,MUG,2,DHL,JD2,,P2") == (1, 0, 0, []), "the store was not told of the first one yet"
    noted, _, _, (why,) = send(database, "#1001,MUG,1,DHL,JD3,,P3")
    assert (noted, why) == (0, "Order #1001: 1 of MUG cannot be sent, 0 are left.")


def test_a_raised_two_is_no_number_of_units(database: Database) -> None:
    arrive(database, make_order(make_line(units=2)))
    with pytest.raises(ConfigurationError, match="Line 2: '²' is no number of units"):
        send(database, "#1001,MUG,²,DHL,JD1,,P1")
