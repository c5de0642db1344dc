"""Looks and signals, the journal, cursors and secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from builders.databases import NOON, Database
from builders.rows import MAIN, OTHER, SHOPIFY, WIX, call, intent, signal
from storebridge.errors import ConfigurationError
from storebridge.model.ids import CallId, IntentId, LaneKey, PoolId
from storebridge.model.orders import ChangeCursor
from storebridge.model.signals import Flow, SignalState
from storebridge.store.cursors import advance_cursor, read_cursor
from storebridge.store.database import Tx
from storebridge.store.due import Earliest, earliest_due
from storebridge.store.journal import (
    SettledRow,
    close_call,
    count_resend,
    doubted_lanes,
    due_call,
    hasten_calls,
    journal_call,
    make_open_calls_due,
    plan_intents,
    postpone_call,
    replan_intents,
    settle_intents,
    supersede_intents,
    waiting_intents,
)
from storebridge.store.secrets import SecretBox, list_secrets, read_secret, save_secret
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import (
    Ask,
    answer_looks,
    ask_looks,
    close_signals,
    delay_looks,
    hasten_looks,
    insert_signals,
    look_numbers,
    reopen_signals,
    route_signals,
    take_new_signals,
    waiting_looks,
    waiting_of_entities,
    waiting_of_lanes,
)

LANE = LaneKey("A@main")
SECOND = timedelta(seconds=1)
KEY = "c3RvcmVicmlkZ2Utc3RvcmVicmlkZ2Utc3RvcmVicmk="


def _ask(database: Database, key: str = "item-a", urgency: int = 20, due: timedelta = timedelta()) -> int:
    asks = [Ask("levels", key, urgency, NOON + due)]
    return database.at(NOON, ask_looks, MAIN, SHOPIFY, asks)["levels", key]


def test_asking_again_raises_the_number_and_leaves_one_look(database: Database) -> None:
    assert [_ask(database) for _ in range(3)] == [1, 2, 3]
    assert [(look.key, look.number) for look in database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=9)] == [
        ("item-a", 3)
    ]


def test_urgency_and_due_time_only_tighten_while_a_look_waits(database: Database) -> None:
    _ask(database, urgency=20, due=10 * SECOND)
    _ask(database, urgency=40, due=60 * SECOND)
    (look,) = database.at(NOON + 10 * SECOND, waiting_looks, MAIN, SHOPIFY, limit=9)
    assert (look.urgency, look.due_at) == (20, NOON + 10 * SECOND)
    database.run(answer_looks, MAIN, SHOPIFY, [look])
    _ask(database, urgency=40, due=60 * SECOND)
    (look,) = database.at(NOON + 60 * SECOND, waiting_looks, MAIN, SHOPIFY, limit=9)
    assert (look.urgency, look.due_at) == (40, NOON + 60 * SECOND)


def test_an_answer_counts_only_for_what_was_asked_before_it_was_sent(database: Database) -> None:
    _ask(database)
    (claimed,) = database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=9)
    assert _ask(database) == 2
    database.run(answer_looks, MAIN, SHOPIFY, [claimed])
    assert database.run(look_numbers, MAIN, "levels", [(SHOPIFY, "item-a")]) == {(SHOPIFY, "item-a"): 1}
    (waiting,) = database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=9)
    assert waiting.number == 2


def test_a_late_answer_never_takes_back_a_later_one(database: Database) -> None:
    _ask(database)
    (first,) = database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=9)
    _ask(database)
    (second,) = database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=9)
    database.run(answer_looks, MAIN, SHOPIFY, [second])
    database.run(answer_looks, MAIN, SHOPIFY, [first])
    assert database.run(look_numbers, MAIN, "levels", [(SHOPIFY, "item-a")]) == {(SHOPIFY, "item-a"): 2}
    assert database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=9) == []


def test_the_most_urgent_looks_come_first_and_no_more_than_asked_for(database: Database) -> None:
    for key, urgency in (("a", 30), ("b", 10), ("c", 20)):
        _ask(database, key, urgency)
    assert [look.key for look in database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=2)] == ["b", "c"]
    assert database.at(NOON, waiting_looks, MAIN, WIX, limit=2) == []


def test_a_read_that_failed_is_due_later_and_counted(database: Database) -> None:
    _ask(database)
    looks = database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=9)
    database.at(NOON, delay_looks, MAIN, SHOPIFY, looks, 5 * SECOND)
    assert database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=9) == []
    assert database.at(NOON, earliest_due, MAIN, SHOPIFY, NOON).look == NOON + 5 * SECOND
    (look,) = database.at(NOON + 5 * SECOND, waiting_looks, MAIN, SHOPIFY, limit=9)
    assert look.attempts == 1


def test_signals_are_routed_once_and_closed_once(database: Database) -> None:
    database.run(insert_signals, [signal("a"), signal("b")])
    found = database.run(take_new_signals, 10)
    assert [(row.entity, row.flow) for row in found] == [("a", Flow.STOCK), ("b", Flow.STOCK)]
    database.run(route_signals, [(row.seq, LANE, 3) for row in found])
    assert database.run(take_new_signals, 10) == []
    waiting = database.run(waiting_of_lanes, MAIN, [LANE])
    assert [(row.entity, row.look_number) for row in waiting] == [("a", 3), ("b", 3)]
    database.at(NOON, close_signals, [waiting[0].seq], SignalState.CONFIRMED, "seen")
    database.at(NOON, close_signals, [row.seq for row in waiting], SignalState.EXCEPTION, "odd")
    assert database.rows("select entity, state, stage, note from signals order by 1") == [
        ("a", "confirmed", "confirm", "seen"),
        ("b", "exception", "confirm", "odd"),
    ]


def test_a_busy_merchant_does_not_keep_another_waiting(database: Database) -> None:
    database.run(insert_signals, [*(signal(f"busy-{n}") for n in range(10)), signal("quiet", workspace=OTHER)])
    assert [row.entity for row in database.run(take_new_signals, 2)] == ["busy-0", "quiet"]


def test_only_signals_whose_asking_was_answered_are_covered(database: Database) -> None:
    database.run(insert_signals, [signal("o1", flow=Flow.ORDERS), signal("o1", flow=Flow.ORDERS), signal("o2")])
    first, second, _ = database.run(take_new_signals, 10)
    database.run(route_signals, [(first.seq, None, 1), (second.seq, None, 2)])

    def covered(up_to: dict[str, int]) -> list[int]:
        return sorted(database.run(waiting_of_entities, MAIN, SHOPIFY, Flow.ORDERS, up_to))

    assert covered({"o1": 1}) == [first.seq]
    assert covered({"o1": 2}) == [first.seq, second.seq]
    assert covered({"all": 1}) == [first.seq]
    assert covered({"o2": 9}) == []


def test_an_event_is_opened_again_by_its_delivery_or_its_number(database: Database) -> None:
    database.run(insert_signals, [signal("a", delivery_id="d1"), signal("b", delivery_id="d1"), signal("c")])
    rows = database.run(take_new_signals, 10)
    database.run(close_signals, [row.seq for row in rows], SignalState.CONFIRMED, "seen")
    assert database.run(reopen_signals, OTHER, "d1") == []
    assert database.run(reopen_signals, MAIN, "d2") == []
    assert database.run(reopen_signals, MAIN, "d1") == [SHOPIFY, SHOPIFY]
    assert database.run(reopen_signals, MAIN, str(rows[2].seq)) == [SHOPIFY]
    assert [row.entity for row in database.run(take_new_signals, 10)] == ["a", "b", "c"]


@pytest.mark.postgres
def test_two_dispatchers_never_route_the_same_signal(postgres: Database) -> None:
    import asyncio

    other = postgres.another()
    postgres.run(insert_signals, [signal(f"s{n:02}") for n in range(40)])

    def route(tx: Tx) -> list[int]:
        found = take_new_signals(tx, 5)
        route_signals(tx, [(row.seq, LANE, 1) for row in found])
        return [row.seq for row in found]

    async def play() -> list[list[int]]:
        return await asyncio.gather(*(store.run(route) for store in (postgres.store, other) for _ in range(10)))

    routed = [seq for found in postgres.play(play()) for seq in found]
    assert len(routed) == len(set(routed))


def _journal(database: Database, *names: str) -> None:
    database.at(NOON, plan_intents, [intent(name, location_id=name) for name in names])
    database.at(NOON, journal_call, MAIN, call("call-1", *names))


def _states(database: Database) -> list[tuple[str, str]]:
    return database.rows("select intent_id, state from intents order by 1")  # type: ignore[return-value]


def test_lowers_go_before_raises_and_what_is_not_due_waits(database: Database) -> None:
    rows = [intent("raise", priority=20), intent("lower", priority=10), intent("later", due_at=NOON + SECOND)]
    database.run(plan_intents, rows)
    found = database.at(NOON, waiting_intents, MAIN, SHOPIFY, 9)
    assert [(row.intent_id, row.from_level, row.to_level, row.version) for row in found] == [
        ("lower", 5, 4, "7"),
        ("raise", 5, 4, "7"),
    ]
    assert database.at(NOON, earliest_due, MAIN, SHOPIFY, NOON) == Earliest(None, NOON + SECOND, None)
    assert database.at(NOON, waiting_intents, OTHER, SHOPIFY, 9) == []


def test_a_journaled_call_is_kept_exactly_and_its_intents_are_sent(database: Database) -> None:
    _journal(database, "i1", "i2")
    assert _states(database) == [("i1", "sent"), ("i2", "sent")]
    assert database.at(NOON, waiting_intents, MAIN, SHOPIFY, 9) == []
    assert database.at(NOON, due_call, MAIN, SHOPIFY) is None


def test_after_a_crash_every_unanswered_call_is_due_with_the_same_bytes_and_key(database: Database) -> None:
    _journal(database, "i1", "i2")
    assert database.at(NOON + SECOND, make_open_calls_due, MAIN, SHOPIFY) == 1
    found = database.at(NOON + SECOND, due_call, MAIN, SHOPIFY)
    assert found is not None
    assert (found.body, found.idempotency_key, found.intents) == (b"exact bytes", "key-call-1", ("i1", "i2"))
    assert (found.sends, found.first_sent_at) == (1, NOON)
    database.at(NOON + SECOND, count_resend, CallId("call-1"))
    assert database.rows("select sends, due_at, first_sent_at = last_sent_at from calls")[0][:2] == (2, None)


def test_a_call_in_doubt_is_due_later(database: Database) -> None:
    _journal(database, "i1")
    database.at(NOON, postpone_call, CallId("call-1"), 5 * SECOND, "no answer")
    assert database.at(NOON, due_call, MAIN, SHOPIFY) is None
    assert database.at(NOON, earliest_due, MAIN, SHOPIFY, NOON) == Earliest(NOON + 5 * SECOND, None, None)
    assert database.at(NOON + 5 * SECOND, due_call, MAIN, SHOPIFY) is not None


def test_when_a_store_answers_again_what_waited_for_that_is_due_at_once(database: Database) -> None:
    """A call that is answered, and a look that is only asked for later, are left alone."""
    _journal(database, "i1")
    database.at(NOON, postpone_call, CallId("call-1"), 30 * SECOND, "timed out")
    _ask(database, "failed")
    _ask(database, "later", due=60 * SECOND)
    failed = [look for look in database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=10) if look.key == "failed"]
    database.at(NOON, delay_looks, MAIN, SHOPIFY, failed, 40 * SECOND)
    assert database.at(NOON, due_call, MAIN, SHOPIFY) is None
    assert database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=10) == []
    database.at(NOON, hasten_calls, MAIN, SHOPIFY)
    database.at(NOON, hasten_looks, MAIN, SHOPIFY)
    due = database.at(NOON, due_call, MAIN, SHOPIFY)
    assert due is not None
    assert due.call_id == "call-1"
    assert [look.key for look in database.at(NOON, waiting_looks, MAIN, SHOPIFY, limit=10)] == ["failed"]


def test_an_answered_call_never_goes_out_again(database: Database) -> None:
    _journal(database, "i1")
    database.at(NOON, close_call, CallId("call-1"), "answered", status=200, answer=b"{}")
    database.run(settle_intents, [SettledRow(IntentId("i1"), "applied")])
    assert database.at(NOON, make_open_calls_due, MAIN, SHOPIFY) == 0
    assert database.at(NOON + SECOND, due_call, MAIN, SHOPIFY) is None
    assert _states(database) == [("i1", "applied")]


def test_what_is_on_the_wire_is_never_replaced(database: Database) -> None:
    _journal(database, "sent")
    database.run(plan_intents, [intent("planned")])
    database.run(supersede_intents, [IntentId("sent"), IntentId("planned")])
    assert _states(database) == [("planned", "superseded"), ("sent", "sent")]


def test_only_what_was_sent_waits_again(database: Database) -> None:
    _journal(database, "i1", "i2")
    database.run(settle_intents, [SettledRow(IntentId("i2"), "applied")])
    database.at(NOON, replan_intents, [IntentId("i1"), IntentId("i2")], SECOND)
    assert _states(database) == [("i1", "planned"), ("i2", "applied")]


def test_lanes_in_doubt_are_named_once(database: Database) -> None:
    _journal(database, "i1", "i2")
    database.run(settle_intents, [SettledRow(IntentId(name), "unclear") for name in ("i1", "i2")])
    assert database.run(doubted_lanes, MAIN, SHOPIFY) == [LANE]
    assert database.run(doubted_lanes, MAIN, WIX) == []


def test_a_cause_counts_once_for_ever_and_takes_its_whole_turn_along(database: Database) -> None:
    movement = NewMovement(PoolId("A@main"), "receive", 5, cause="receive_1")
    database.run(add_movements, MAIN, [movement])

    def turn(tx: Tx) -> None:
        insert_signals(tx, [signal()])
        add_movements(tx, MAIN, [movement])

    with pytest.raises(IntegrityError):
        database.run(turn)
    assert database.rows("select count(*) from ledger") == [(1,)]
    assert database.rows("select count(*) from signals") == [(0,)]


def test_a_cursor_moves_and_belongs_to_one_listing(database: Database) -> None:
    assert database.run(read_cursor, MAIN, SHOPIFY, "orders") is None
    for number in (1, 2):
        cursor = ChangeCursor(NOON + number * SECOND, f"order-{number}")
        database.run(advance_cursor, MAIN, SHOPIFY, "orders", cursor, checked_at=NOON)
    assert database.run(read_cursor, MAIN, SHOPIFY, "orders") == ChangeCursor(NOON + 2 * SECOND, "order-2")
    assert database.run(read_cursor, MAIN, WIX, "orders") is None
    assert database.run(read_cursor, OTHER, SHOPIFY, "orders") is None


def test_a_secret_is_sealed_replaced_and_never_stored_in_clear(database: Database) -> None:
    box = SecretBox(KEY)
    for number, value in enumerate(("first", "second")):
        nonce = bytes([number]) * 12
        database.run(save_secret, MAIN, "token", box.seal(MAIN, "token", value, nonce))
    sealed = database.run(read_secret, MAIN, "token")
    assert sealed is not None
    assert b"second" not in sealed
    assert box.open(MAIN, "token", sealed) == "second"
    assert database.rows("select generation from secrets") == [(2,)]
    assert database.run(list_secrets, MAIN) == ["token"]
    assert database.run(read_secret, OTHER, "token") is None


def test_a_sealed_secret_cannot_be_moved_to_another_name_or_opened_with_another_key() -> None:
    sealed = SecretBox(KEY).seal(MAIN, "token", "value", b"n" * 12)
    for box, workspace, name in (
        (SecretBox(KEY), MAIN, "other"),
        (SecretBox(KEY), OTHER, "token"),
        (SecretBox("A" * 43 + "="), MAIN, "token"),
    ):
        with pytest.raises(ConfigurationError, match="cannot be opened"):
            box.open(workspace, name, sealed)
    with pytest.raises(ConfigurationError, match="not 32 bytes"):
        SecretBox("short")
