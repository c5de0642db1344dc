"""Who keeps a workspace in step: our installation, how often its mark was written, and what was found in the store."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import bindparam, delete, select, update

from storebridge.model.ids import Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import calls, draws, intents, looks, order_effects, order_writes, pools, positions
from storebridge.store.tables_marks import marks
from storebridge.store.tables_oversold import losers
from storebridge.store.upserts import insert_once


class Mark(msgspec.Struct, frozen=True):
    """As stored here."""

    installation: str
    epoch: int
    state: str
    """ours | restored | foreign"""
    compared_at: datetime | None
    seen: str
    begun_at: datetime | None

    def allows_writing(self, since: datetime) -> bool:
        """Whether the mark in the store was found to be ours after a moment."""
        return self.state == "ours" and self.compared_at is not None and self.compared_at >= since


_LOAD = Prepared(select(*(marks.c[name] for name in Mark.__struct_fields__)).where(marks.c.workspace == bindparam("w")))


def load_mark(tx: HasConnection, workspace: Workspace) -> Mark | None:
    """None before the first time."""
    row = next(iter(_LOAD.all(tx, w=workspace)), None)
    return None if row is None else Mark(*row)


def ensure_mark(tx: HasConnection, workspace: Workspace, installation: str) -> Mark:
    """Our mark; ``installation`` names us when we have no name yet."""
    _ENSURE.run(tx, workspace=workspace, installation=installation, epoch=0, state="ours")
    found = load_mark(tx, workspace)
    assert found is not None
    return found


_ENSURE = insert_once(marks, ("workspace",), ("workspace", "installation", "epoch", "state"))


def note_ours(tx: HasConnection, workspace: Workspace) -> int:
    """The mark in the store is ours and not newer; returns the next epoch, which is stored before it is written."""
    return int(_NOTE_OURS.scalar(tx, w=workspace, now=tx.now))


_NOTE_OURS = Prepared(
    update(marks)
    .where(marks.c.workspace == bindparam("w"))
    .values(epoch=marks.c.epoch + 1, compared_at=bindparam("now"))
    .returning(marks.c.epoch)
)


def note_trouble(tx: HasConnection, workspace: Workspace, state: str, seen: str) -> None:
    """The mark in the store says that our books are old, or that somebody else keeps this store in step."""
    mine = marks.c.workspace == workspace
    tx.conn.execute(update(marks).where(mine).values(state=state, seen=seen, compared_at=None))


def begin_anew(tx: HasConnection, workspace: Workspace, epoch: int) -> None:
    """A person signed a new beginning off: the books are as new as the stores from now on. The mark that was found
    stays known, so that it is not taken for another bridge's until it is replaced."""
    tx.conn.execute(
        update(marks)
        .where(marks.c.workspace == workspace)
        .values(state="ours", epoch=epoch, begun_at=tx.now, compared_at=None)
    )
    waiting = (looks.c.workspace == workspace) & (looks.c.kind == "mark")
    tx.conn.execute(update(looks).where(waiting).values(due_at=tx.now))


def last_write_under_way(tx: HasConnection, workspace: Workspace, since: datetime) -> tuple[str, datetime] | None:
    """The newest stock call since then of which no answer is known: its connection, and when it was sent last."""
    mine = (calls.c.workspace == workspace) & (calls.c.flow == "stock") & (calls.c.last_sent_at > since)
    unanswered = calls.c.state.in_(("open", "unclear"))
    found = tx.conn.execute(
        select(calls.c.connection, calls.c.last_sent_at)
        .where(mine, unanswered)
        .order_by(calls.c.last_sent_at.desc())
        .limit(1)
    ).first()
    return None if found is None else (str(found[0]), found[1])


def forget_stock(tx: HasConnection, workspace: Workspace) -> None:
    """Every pool, counter and waiting write goes; orders, ledger and audit stay. What was on its way to orders is in
    doubt: a read decides before anything is sent again."""
    for table in (draws, positions, pools, losers):
        tx.conn.execute(delete(table).where(table.c.workspace == workspace))
    waiting = (intents.c.workspace == workspace) & intents.c.state.in_(("planned", "sent", "unclear"))
    tx.conn.execute(update(intents).where(waiting).values(state="superseded", settled_at=tx.now))
    open_calls = (calls.c.workspace == workspace) & (calls.c.state.in_(("open", "unclear"))) & (calls.c.flow == "stock")
    tx.conn.execute(update(calls).where(open_calls).values(state="abandoned", due_at=None))
    unsent = (order_writes.c.workspace == workspace) & order_writes.c.state.in_(("planned", "sent"))
    tx.conn.execute(update(order_writes).where(unsent).values(state="unclear", first_sent_at=tx.now))
    levels = (looks.c.workspace == workspace) & (looks.c.kind == "levels")
    tx.conn.execute(update(looks).where(levels).values(answered=looks.c.asked))
    mine = order_effects.c.workspace == workspace
    tx.conn.execute(
        update(order_effects)
        .where(mine)
        .values(base_sold=order_effects.c.sold, base_restocked=order_effects.c.restocked)
    )
