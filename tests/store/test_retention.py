"""Every kind of data ends when its time has come, and what must stay stays."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from builders.databases import NOON, Database
from builders.rows import MAIN, OTHER, SHOPIFY, delivery
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.reconcile.retention import end_and_tell
from storebridge.store.database import Tx
from storebridge.store.deliveries import accept_deliveries
from storebridge.store.retention import DataKind
from storebridge.store.tables import audit, calls, copies, deliveries, order_writes, passes, sales, spreads

DAY = timedelta(days=1)
TERMS = WorkspaceTerms(
    MAIN,
    (SHOPIFY, ConnectionName("wix")),
    Policy.MIRROR,
    SHOPIFY,
    (),
    payload_retention_days=30,
    buyer_retention_days=365,
    history_retention_days=90,
)
ANN = {"email": "ann@example.org", "phone": "+15550100", "first_name": "Ann", "last_name": "Lee", "customer_id": "7"}


def _order(key: str, placed: datetime, *, to_ship: int = 0, workspace: str = MAIN) -> dict[str, Any]:
    document = {"name": "#1", "buyer": ANN, "shipping_address": {"last_name": "Lee"}, "note": "ring twice", "lines": []}
    times = dict.fromkeys(("updated_at", "first_read_at", "read_at"), placed)
    words = {"name": "#1", "standing": "open", "payment_state": "paid", "queue": "done", "digest": "d", "order_id": key}
    whose = {"workspace": workspace, "order_key": key, "connection": "shopify", "placed_at": placed}
    return {**whose, **times, **words, "units_to_ship": to_ship, "document": document, "revision": 1}


def _call(call_id: str, sent: datetime, state: str) -> dict[str, Any]:
    words = {"operation": "set", "method": "POST", "path": "/", "idempotency_key": "k", "intents": [], "state": state}
    whose = {"call_id": call_id, "workspace": MAIN, "connection": "shopify", "first_sent_at": sent}
    return {**whose, **words, "body": b"{sent}", "answer": b"{answered}"}


def _fill(tx: Tx) -> None:
    old, new = NOON - 400 * DAY, NOON - DAY
    accept_deliveries(tx, [delivery("old", body=b"{ann}", at=old), delivery("new", body=b"{ann}", at=new)])
    orders = [_order("old", old), _order("unshipped", old, to_ship=2), _order("new", new)]
    tx.conn.execute(insert(sales), [*orders, _order("theirs", old, workspace=OTHER)])
    tx.conn.execute(insert(calls), [_call("old", old, "answered"), _call("on the wire", old, "open")])
    for lane, at in (("old", old), ("new", new)):
        tx.conn.execute(insert(passes).values(workspace=MAIN, lane=lane, at=at, trigger="reading"))
        tx.conn.execute(insert(spreads).values(workspace=MAIN, lane=lane, signalled_at=at, written_at=at))


def _at_noon(database: Database) -> dict[DataKind, int]:
    def play(tx: Tx) -> dict[DataKind, int]:
        tx.now = NOON
        return end_and_tell(tx, TERMS)

    return database.run(play)


def test_what_is_old_ends_by_kind_and_what_is_needed_stays(database: Database) -> None:
    database.run(_fill)
    assert _at_noon(database) == {DataKind.DELIVERIES: 1, DataKind.BUYERS: 1, DataKind.CALLS: 1, DataKind.STAGES: 2}

    def look(tx: Tx) -> dict[str, Any]:
        bodies = tx.conn.execute(select(deliveries.c.delivery_id, deliveries.c.body, deliveries.c.digest)).all()
        sent = tx.conn.execute(select(calls.c.call_id, calls.c.body, calls.c.answer).order_by(calls.c.call_id)).all()
        found = tx.conn.execute(select(sales.c.order_key, sales.c.document)).all()
        documents = {str(key): document for key, document in found}
        kept = tx.conn.execute(select(passes.c.lane)).scalars().all(), tx.conn.execute(select(spreads.c.lane)).scalars()
        return {
            "bodies": {one: (None if body is None else bytes(body), digest) for one, body, digest in bodies},
            "calls": [(one, bytes(body), None if answer is None else bytes(answer)) for one, body, answer in sent],
            "with a buyer": sorted(key for key, document in documents.items() if "Lee" in json.dumps(document)),
            "old": documents["old"],
            "lanes": [list(kept[0]), list(kept[1])],
        }

    assert database.run(look) == {
        "bodies": {"old": (None, "digest"), "new": (b"{ann}", "digest")},
        "calls": [("old", b"", None), ("on the wire", b"{sent}", b"{answered}")],
        "with a buyer": ["new", "theirs", "unshipped"],
        "old": {"name": "#1", "lines": []},
        "lanes": [["new"], ["new"]],
    }


def test_the_audit_says_how_much_ended_and_nothing_about_a_person(database: Database) -> None:
    database.run(_fill)
    _at_noon(database)
    assert _at_noon(database) == {}

    def look(tx: Tx) -> list[tuple[str, str]]:
        rows = tx.conn.execute(select(audit.c.kind, audit.c.record).where(audit.c.subject == "retention"))
        return [(kind, record) for kind, record in rows]

    assert database.run(look) == [("retention_ended", '{"buyers":1,"calls":1,"deliveries":1,"stages":2}')]


def test_a_forgotten_buyer_is_forgotten_in_the_copy_and_in_the_write_that_made_it(database: Database) -> None:
    old = NOON - 400 * DAY
    person = _order("old", old)["document"]
    made = {"type": "create_copy", "order_id": "old", "stamp": "s", "goods": [], "original": person}
    whose = {"workspace": MAIN, "order_key": "old", "connection": "wix", "state": "confirmed"}

    def fill(tx: Tx) -> None:
        tx.conn.execute(insert(sales), [_order("old", old)])
        copy = {"workspace": MAIN, "order_key": "old", "connection": "wix", "stamp": "s", "state": "made"}
        tx.conn.execute(insert(copies), [{**copy, "document": person}])
        times = {"created_at": old, "due_at": old}
        words = {
            "write_id": "w",
            "kind": "create_copy",
            "purpose": "copy",
            "priority": 1,
            "reason": "",
            "payload": made,
        }
        tx.conn.execute(insert(order_writes), [{**whose, **times, **words, "payload": made}])

    database.run(fill)
    assert _at_noon(database) == {DataKind.BUYERS: 1}

    def look(tx: Tx) -> tuple[Any, Any]:
        return tx.conn.execute(select(copies.c.document)).scalar(), tx.conn.execute(
            select(order_writes.c.payload)
        ).scalar()

    document, payload = database.run(look)
    assert document == {"name": "#1", "lines": []}
    assert payload == {**made, "original": {"name": "#1", "lines": []}}
