"""What is kept of a day's statements and of an order's changes grows with what changed, and no money is forgotten."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from builders.databases import Database
from builders.money import DAY, day_of_orders, make_entry, make_paid_order, make_payment
from builders.rows import MAIN
from storebridge.flows.settlement import statement_of
from storebridge.model.ids import OrderId, OrderKey
from storebridge.model.settlement import Statement
from storebridge.store.database import Tx
from storebridge.store.sales import CHATTER, MOST_CHATTER, add_history
from storebridge.store.settlements import add_version, digest_of, load_version, newest_head

VERSIONS = 60


def _statements() -> list[Statement]:
    """A day of two hundred orders; in each version the fee of one more is known, and one is taken out again."""
    orders = [make_paid_order(make_payment(f"t{n}"), order_id=OrderId(f"o{n}"), name=f"#{n}") for n in range(200)]
    entries = [
        make_entry(f"b{n}", fee=f"0.{n + 10}", payment=f"t{n}", order_id=OrderId(f"o{n}")) for n in range(VERSIONS)
    ]
    return [
        statement_of(day_of_orders(*orders[: 200 - number % 3], entries=tuple(entries[:number])))
        for number in range(1, VERSIONS + 1)
    ]


def test_every_version_is_shown_as_it_was_made_and_costs_what_changed(database: Database) -> None:
    made = _statements()

    def keep(tx: Tx) -> None:
        for version, statement in enumerate(made, 1):
            add_version(tx, MAIN, statement, version, digest_of(statement))

    database.run(keep)
    for version, statement in enumerate(made, 1):
        kept = database.run(load_version, MAIN, DAY, version)
        assert kept is not None
        assert (kept.version, kept.digest, kept.statement) == (version, digest_of(statement), statement)
    newest = database.run(newest_head, MAIN, DAY)
    assert newest is not None
    assert newest.digest == digest_of(made[-1])
    (stored,) = database.rows("select sum(length(document)) from settlements")[0]
    whole = [len(zlib.compress(msgspec.json.encode(one.lines))) for one in made]
    assert stored < 7 * max(whole), f"{stored} bytes; {max(whole)} for one version that is whole"


def test_a_version_that_was_kept_whole_by_the_program_before_is_shown_and_built_upon(database: Database) -> None:
    first, second, *_ = _statements()

    def keep(tx: Tx) -> None:
        add_version(tx, MAIN, first, 1, digest_of(first))
        tx.conn.exec_driver_sql(
            "update settlements set document = " + ("?" if tx.dialect == "sqlite" else "%s"),
            (zlib.compress(msgspec.json.encode(first)),),
        )
        add_version(tx, MAIN, second, 2, digest_of(second))

    database.run(keep)
    for version, statement in ((1, first), (2, second)):
        kept = database.run(load_version, MAIN, DAY, version)
        assert kept is not None
        assert kept.statement == statement


def test_a_chatty_order_keeps_every_change_of_money_and_the_latest_of_what_moves_nothing(database: Database) -> None:
    key, other = OrderKey("shopify-1"), OrderKey("shopify-2")

    def play(tx: Tx) -> list[tuple[Any, ...]]:
        add_history(tx, MAIN, [(key, "placed", "shopify", {}), (other, "tags_changed", "shopify", {})])
        for number in range(500):
            add_history(tx, MAIN, [(key, CHATTER[number % len(CHATTER)], "shopify", {"number": number})])
            if number % 100 == 0:
                add_history(tx, MAIN, [(key, "refunded", "shopify", {"amount": "1.00 EUR"})])
        query = "select order_key, kind, detail from sales_history order by number"
        return [tuple(row) for row in tx.conn.exec_driver_sql(query)]

    found = database.run(play)
    assert [kind for whose, kind, _ in found if whose == key and kind not in CHATTER] == ["placed"] + 5 * ["refunded"]
    talk = [detail for whose, kind, detail in found if whose == key and kind in CHATTER]
    assert talk == [f'{{"number":{number}}}' for number in range(500 - MOST_CHATTER, 500)]
    assert [whose for whose, _, _ in found].count(other) == 1
