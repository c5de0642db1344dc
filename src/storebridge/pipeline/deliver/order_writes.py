"""Errand: send one write to an order.

Written down and claimed in one transaction before it goes on the wire. A write whose answer was lost is never sent
again by hope: after the last moment at which it can still land, the order is read, and the read decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.connectors.port import (
    Blame,
    CallTrouble,
    Connector,
    EncodedOrderCall,
    OrderCallAnswer,
    OrderOutcome,
    Remedy,
)
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.amending import is_untouched
from storebridge.flows.confirm import made_parcel, shows
from storebridge.flows.parcels import noted_by_hand
from storebridge.flows.refunds import REFUND_APART
from storebridge.model.ids import CallId, ConnectionName, OrderId, OrderKey, PoolId, Workspace, WriteId
from storebridge.model.order_writes import AddParcel, CancelOrder, CreateCopy, ReplaceCopy, TakeOff
from storebridge.model.orders import ChangeCursor
from storebridge.model.sales import Order
from storebridge.store.database import Store, Tx
from storebridge.store.journal import close_call, give_up_call
from storebridge.store.order_writes import (
    DROPPED,
    StoredWrite,
    claim_write,
    doubt_write,
    get_writes,
    journal_order_call,
    replan_write,
    settle_write,
    writes_of_orders,
)
from storebridge.store.oversold import VOID_PURPOSE, drop_voids, losers_of_orders, undecided_pools
from storebridge.store.sales import copies_of, named, standing_orders
from storebridge.store.waiting import Ask, ClaimedLook, answer_looks, ask_looks, delay_looks
from storebridge.work.urgency import Urgency

Wake = Callable[[frozenset[ConnectionName]], None]
CLOCKS_DIFFER = timedelta(minutes=5)
"""How much earlier than by our clock a store may say that it made an order."""
GOODS_PAUSE = timedelta(minutes=1)
"""So long a copy, or a calling off, waits before it is looked at again whether its goods exist."""
PARTLY_NOTED = "staff noted a part of the parcel there under its number: only the rest is told"
TOUCHED = "something happened to the copy before, which would be lost"


class _Claim(msgspec.Struct, frozen=True):
    """A look, and the names that a call for it gets."""

    look: ClaimedLook
    call_id: CallId
    key: str


class _Answered(msgspec.Struct, frozen=True):
    """A call that the store answered."""

    look: ClaimedLook
    write: StoredWrite
    call_id: CallId
    answer: OrderCallAnswer


class _Found(msgspec.Struct, frozen=True):
    """What was found before sending about the orders that are written to."""

    standing: set[OrderKey]
    """Of the orders to be copied, or of which units are to be taken off, those that were not cancelled."""
    losing: dict[OrderKey, set[PoolId]]
    """Of the orders to be copied or called off, those whose goods do not exist, and in which pools."""
    undecided: set[PoolId]
    """Pools of which nobody can say yet how many units are missing."""
    touched: set[OrderId]
    """Of the copies that are to be brought in anew, those to which something happened, as last read."""


_Claimed = tuple[StoredWrite | None, EncodedOrderCall | None]


class SendOrderWrites:
    """Sends what ``order_write`` looks ask for, one write a call."""

    rows_per_read = 1

    def __init__(self, workspace: Workspace, connector: Connector, store: Store, ids: Ids, wake: Wake) -> None:
        self._workspace = workspace
        self._connector = connector
        self._store = store
        self._ids = ids
        self._wake = wake
        capabilities = connector.capabilities
        self._lands_within = timedelta(seconds=capabilities.late_landing_seconds + capabilities.changes_lag_seconds)

    async def __call__(self, looks: tuple[ClaimedLook, ...]) -> None:
        for look in looks:
            await self._one(look)

    async def _one(self, look: ClaimedLook) -> None:
        claim = _Claim(look, CallId(self._ids.new("call")), self._ids.new("key"))
        claimed = await self._store.run_batch(self._claim_all, claim)
        if isinstance(claimed, Exception):
            raise claimed
        write, call = claimed
        if write is None:
            return
        if call is None:
            await self._find_out(look, write)
            return
        if isinstance(write.write, ReplaceCopy) and await self._touched_since(look, write, claim.call_id):
            return
        try:
            answer = await self._connector.send_order_call(call)
        except CallTrouble as trouble:
            await self._store.run(self._troubled, look, write.write_id, claim.call_id, trouble)
            raise
        await self._store.run_batch(self._answered_all, _Answered(look, write, claim.call_id, answer))
        self._wake(frozenset({self._connector.name}))

    async def _touched_since(self, look: ClaimedLook, write: StoredWrite, call_id: CallId) -> bool:
        """What was last read is minutes old where a delivery was lost, and what staff did since would go with the old
        copy (W37): it is read right before. Raises CallTrouble: then nothing was sent."""
        try:
            sales = await self._connector.read_sales([write.write.order_id])
        except CallTrouble as trouble:
            await self._store.run(self._not_sent, write, call_id, str(trouble))
            raise
        if not sales or is_untouched(sales[0].order):
            return False
        await self._store.run(self._left_alone, look, write, call_id)
        self._wake(frozenset({self._connector.name}))
        return True

    @staticmethod
    def _not_sent(tx: Tx, write: StoredWrite, call_id: CallId, why: str) -> None:
        give_up_call(tx, call_id, why)
        replan_write(tx, write.write_id, tx.now)

    def _left_alone(self, tx: Tx, look: ClaimedLook, write: StoredWrite, call_id: CallId) -> None:
        give_up_call(tx, call_id, TOUCHED)
        self._give_up(tx, look, write, TOUCHED)

    def _claim_all(self, tx: Tx, claims: list[_Claim]) -> list[_Claimed | Exception]:
        """Writes that wait together are claimed together; one that cannot be put into a call keeps no other back."""
        writes = get_writes(tx, [WriteId(one.look.key) for one in claims])
        found = self._find_before(tx, writes.values())
        return [self._claim(tx, one, writes.get(WriteId(one.look.key)), found) for one in claims]

    def _find_before(self, tx: Tx, writes: Collection[StoredWrite]) -> _Found:
        copied = {write.order_key for write in writes if isinstance(write.write, CreateCopy)}
        called_off = {write.order_key for write in writes if write.purpose.startswith(VOID_PURPOSE)}
        losing = defaultdict[OrderKey, set[PoolId]](set)
        for loser in losers_of_orders(tx, self._workspace, copied | called_off):
            losing[loser.order_key].add(loser.pool_id)
        undecided = undecided_pools(tx, self._workspace) if called_off else set()
        standing = standing_orders(tx, self._workspace, copied | called_off)
        return _Found(standing, losing, undecided, self._touched(tx, writes))

    def _touched(self, tx: Tx, writes: Iterable[StoredWrite]) -> set[OrderId]:
        keys = {write.order_key for write in writes if isinstance(write.write, ReplaceCopy)}
        known = copies_of(tx, self._workspace, keys) if keys else {}
        orders = [copy.order for copies in known.values() for copy in copies if copy.order is not None]
        return {order.order_id for order in orders if not is_untouched(order)}

    def _claim(self, tx: Tx, claim: _Claim, write: StoredWrite | None, found: _Found) -> _Claimed | Exception:
        """The write and the call to send; no call where an earlier one is in doubt; no write where nothing is to do;
        the error where it cannot be put into a call (then at most an earlier call was given up).

        Whoever holds the look sends alone, so an earlier call without an answer is that of a process that died. It is
        given up even where a read has proven the write since: open calls keep their bytes, and those name the buyer.
        """
        look = claim.look
        if write is not None and write.call_id is not None:
            give_up_call(tx, write.call_id, "its process died")
        if write is None or write.state not in ("planned", "sent", "unclear"):
            answer_looks(tx, self._workspace, self._connector.name, (look,))
            return None, None
        if write.state == "sent":
            write = self._take_over(tx, write)
        if write.state == "unclear":
            due = self._decided_at(tx.now, write)
            if due > tx.now:
                delay_looks(tx, self._workspace, self._connector.name, (look,), due - tx.now)
                return None, None
            return write, None
        why = _outdated(write, found)
        if why:
            self._give_up(tx, look, write, why)
            return None, None
        undecided = write.purpose.startswith(VOID_PURPOSE) and not _loses(write, found)
        if undecided or (isinstance(write.write, CreateCopy) and write.order_key in found.losing):
            delay_looks(tx, self._workspace, self._connector.name, (look,), GOODS_PAUSE)
            return None, None
        try:
            call = self._connector.encode_order_call(write.write, claim.key)
        except Exception as error:  # noqa: BLE001 - whoever asked for this write gets it
            return error
        if not claim_write(tx, write.write_id, claim.call_id):
            return None, None
        self._journal(tx, claim.call_id, write, call)
        return write, call

    def _give_up(self, tx: Tx, look: ClaimedLook, write: StoredWrite, why: str) -> None:
        """It did nothing and is not to be sent any more; what it would have changed is compared with what is read."""
        settle_write(tx, write.write_id, DROPPED, message=why)
        if write.purpose == f"{VOID_PURPOSE}{write.order_key}":
            drop_voids(tx, self._workspace, [OrderKey(write.order_key)])
        reasons = (Reason.ORDER_WRITE_REFUSED, Reason.ORDER_WRITE_UNDONE)
        settle_by_proof(tx, self._workspace, [(reason, self._subject(write), why) for reason in reasons])
        answer_looks(tx, self._workspace, self._connector.name, (look,))
        self._read_again(tx, write, {})

    def _journal(self, tx: Tx, call_id: CallId, write: StoredWrite, call: EncodedOrderCall) -> None:
        journal_order_call(
            tx,
            self._workspace,
            self._connector.name,
            call_id,
            write_id=write.write_id,
            operation=call.operation,
            method=call.method,
            path=call.path,
            body=call.body,
            key=call.key,
        )

    @staticmethod
    def _take_over(tx: Tx, write: StoredWrite) -> StoredWrite:
        doubt_write(tx, write.write_id)
        return replace(write, state="unclear", first_sent_at=tx.now)

    def _decided_at(self, now: datetime, write: StoredWrite) -> datetime:
        """From when on a read can tell: the call can no longer land, and lists show what it did."""
        return (write.first_sent_at or now) + self._lands_within

    def _troubled(self, tx: Tx, look: ClaimedLook, write_id: WriteId, call_id: CallId, trouble: CallTrouble) -> None:
        close_call(tx, call_id, "unclear", status=trouble.status, answer=b"", trouble=str(trouble))
        if trouble.remedy is Remedy.UNKNOWN_OUTCOME:
            settle_write(tx, write_id, "unclear", code=trouble.code, message=str(trouble))
        elif trouble.remedy is Remedy.STOP and trouble.blame is not Blame.CREDENTIALS:
            self._refuse(tx, look, write_id, trouble.code, str(trouble))
        else:
            replan_write(tx, write_id, tx.now)

    def _answered_all(self, tx: Tx, told: list[_Answered]) -> list[None]:
        """Answers that came together are taken in together."""
        append(tx, [self._audit(one.write, one.answer.outcome.value, one.answer.code) for one in told])
        for one in told:
            self._answered(tx, one.look, one.write, one.call_id, one.answer)
        return [None] * len(told)

    def _answered(
        self, tx: Tx, look: ClaimedLook, write: StoredWrite, call_id: CallId, answer: OrderCallAnswer
    ) -> None:
        close_call(tx, call_id, "answered", status=answer.status, answer=answer.body)
        if answer.outcome is OrderOutcome.REFUSED:
            self._refuse(tx, look, write.write_id, answer.code, answer.message)
            return
        self._applied(tx, look, write, answer.made)

    def _applied(self, tx: Tx, look: ClaimedLook, write: StoredWrite, made: dict[str, str]) -> None:
        """Applied is not confirmed: the order is read once more."""
        if isinstance(write.write, CancelOrder) and not self._connector.capabilities.refunds_with_cancel:
            made = {**made, REFUND_APART: "yes"}
        settle_write(tx, write.write_id, "applied", result=made)
        answer_looks(tx, self._workspace, self._connector.name, (look,))
        subject = self._subject(write)
        settle_by_proof(tx, self._workspace, [(Reason.ORDER_WRITE_REFUSED, subject, "the store took it")])
        self._read_again(tx, write, made)

    def _read_again(self, tx: Tx, write: StoredWrite, made: dict[str, str]) -> None:
        """The order that was written to; of a copy, the copy (there is none when it was refused)."""
        copied = isinstance(write.write, CreateCopy)
        order_id = made.get("order_id") if copied else write.write.order_id
        if order_id is not None:
            ask = Ask("orders", order_id, int(Urgency.ORDERS), tx.now)
            ask_looks(tx, self._workspace, self._connector.name, [ask])

    def _refuse(self, tx: Tx, look: ClaimedLook, write_id: WriteId, code: str, message: str) -> None:
        """The store will not have it: a person must see it. The order is read: perhaps it is done already."""
        write = get_writes(tx, [write_id])[write_id]
        settle_write(tx, write_id, "refused", code=code, message=message)
        answer_looks(tx, self._workspace, self._connector.name, (look,))
        what = {"purpose": write.purpose, "code": code, "message": message[:500]}
        opening = CaseOpening(
            workspace=self._workspace,
            reason=Reason.ORDER_WRITE_REFUSED,
            subject=self._subject(write),
            connection=self._connector.name,
            field=code,
            details={**named(tx, self._workspace, write.order_key), **what},
        )
        raise_cases(tx, [opening])
        self._read_again(tx, write, {})

    @staticmethod
    def _subject(write: StoredWrite) -> str:
        return f"{write.order_key}/{write.purpose}"

    async def _find_out(self, look: ClaimedLook, write: StoredWrite) -> None:
        """Read the order and judge by it. Raises CallTrouble: then it is asked again later."""
        if isinstance(write.write, CreateCopy):
            copy_id = await self._find_copy(write.write.stamp, write)
            await self._store.run(self._found_copy, look, write, copy_id)
            self._wake(frozenset({self._connector.name}))
            return
        sales = await self._connector.read_sales([write.write.order_id])
        order = sales[0].order if sales else None
        await self._store.run(self._judged, look, write, order)
        self._wake(frozenset({self._connector.name}))

    async def _find_copy(self, stamp: str, write: StoredWrite) -> OrderId | None:
        """By its stamp, then among everything that changed since it was sent: a search by stamp may lag (S14, W25)."""
        found = await self._connector.find_copy(stamp)
        since, page = (write.first_sent_at or write.created_at) - CLOCKS_DIFFER, None
        while found is None:
            listed = await self._connector.orders_changed(ChangeCursor(since), page)
            found = next((facts.order_id for facts in listed.orders if facts.origin == stamp), None)
            page = listed.next_page
            if page is None:
                break
        return found

    def _found_copy(self, tx: Tx, look: ClaimedLook, write: StoredWrite, copy_id: OrderId | None) -> None:
        if copy_id is not None:
            self._applied(tx, look, write, {"order_id": copy_id})
            append(tx, [self._audit(write, "found_applied", "")])
            return
        self._send_once_more(tx, look, write)

    def _send_once_more(self, tx: Tx, look: ClaimedLook, write: StoredWrite) -> None:
        append(tx, [self._audit(write, "found_not_applied", "")])
        replan_write(tx, write.write_id, tx.now)
        delay_looks(tx, self._workspace, self._connector.name, (look,), timedelta(0))

    def _judged(self, tx: Tx, look: ClaimedLook, write: StoredWrite, order: Order | None) -> None:
        if order is None:
            self._refuse(tx, look, write.write_id, "order_gone", "the store does not know this order any more")
            return
        others = self._made_by_others(tx, write)
        if shows(order, write.write, {}, others):
            parcel = made_parcel(order, write.write, {}, others) if isinstance(write.write, AddParcel) else None
            self._applied(tx, look, write, {"parcel_id": parcel.parcel_id} if parcel else {})
            append(tx, [self._audit(write, "found_applied", "")])
            return
        if isinstance(write.write, ReplaceCopy) and not is_untouched(order):
            append(tx, [self._audit(write, "found_not_applied", "")])
            self._give_up(tx, look, write, TOUCHED)
            return
        if isinstance(write.write, AddParcel) and noted_by_hand(order, write.write.tracking.number, others):
            append(tx, [self._audit(write, "found_not_applied", "")])
            self._give_up(tx, look, write, PARTLY_NOTED)
            return
        self._send_once_more(tx, look, write)

    def _made_by_others(self, tx: Tx, write: StoredWrite) -> set[str]:
        """Parcels that other writes are known to have made are no proof of this one."""
        beside = writes_of_orders(tx, self._workspace, [write.order_key])[write.order_key]
        return {one.result["parcel_id"] for one in beside if "parcel_id" in one.result}

    def _audit(self, write: StoredWrite, outcome: str, code: str) -> AuditRow:
        return AuditRow(
            workspace=self._workspace,
            kind="order_write",
            subject=write.order_key,
            actor=self._connector.name,
            record={"purpose": write.purpose, "outcome": outcome, "code": code, "attempts": write.attempts + 1},
        )


def _loses(write: StoredWrite, found: _Found) -> bool:
    """Whether the goods are still missing of which this write calls units off."""
    pools = found.losing.get(write.order_key, set())
    if isinstance(write.write, TakeOff):
        return any(write.purpose.startswith(f"{VOID_PURPOSE}{write.order_key}:{pool}:") for pool in pools)
    return bool(pools)


def _outdated(write: StoredWrite, found: _Found) -> str:
    """Why a planned write must not be sent any more; empty when it may be."""
    if isinstance(write.write, CreateCopy | TakeOff) and write.order_key not in found.standing:
        return "the order was cancelled before"
    if write.purpose.startswith(VOID_PURPOSE) and not _loses(write, found) and not found.undecided:
        return "there are goods for it after all"
    if isinstance(write.write, ReplaceCopy) and write.write.order_id in found.touched:
        return TOUCHED
    return ""
