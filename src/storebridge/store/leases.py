"""Leases: who may act for a name. Each taking raises the epoch, which fences whoever held it before."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from storebridge.model.ids import Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import leases

_LEASE = (leases.c.workspace == bindparam("w")) & (leases.c.name == bindparam("n"))
_SELECT_HOLDER = select(leases.c.owner, leases.c.epoch, leases.c.until).where(_LEASE)
_HOLDER = Prepared(_SELECT_HOLDER, postgresql=_SELECT_HOLDER.with_for_update())
_RENEW = Prepared(update(leases).where(_LEASE).values(owner=bindparam("o"), epoch=bindparam("e"), until=bindparam("u")))


class LostLease(Exception):
    """Somebody else holds the lease now: stop, and commit nothing."""


def take(tx: HasConnection, workspace: Workspace, name: str, owner: str, seconds: float) -> int | None:
    """Take or renew a lease for ``seconds``; returns its epoch, or None while somebody else holds it."""
    row = _HOLDER.first(tx, w=workspace, n=name)
    until = tx.now + timedelta(seconds=seconds)
    if row is None:
        return _take_first(tx, workspace, name, owner, until)
    holder, epoch, ends = row
    if holder != owner and ends > tx.now:
        return None
    new_epoch = int(epoch) if holder == owner and ends > tx.now else int(epoch) + 1
    _RENEW.run(tx, w=workspace, n=name, o=owner, e=new_epoch, u=until)
    return new_epoch


def _take_first(tx: HasConnection, workspace: Workspace, name: str, owner: str, until: object) -> int | None:
    try:
        with tx.conn.begin_nested():
            tx.conn.execute(insert(leases).values(workspace=workspace, name=name, owner=owner, epoch=1, until=until))
    except IntegrityError:
        return None  # another worker was first; it is asked again at the next nap
    return 1


def release(tx: HasConnection, workspace: Workspace, name: str, owner: str, epoch: int) -> None:
    """Give a lease back, so that the next worker need not wait for its end. Raises LostLease."""
    demand(tx, workspace, name, owner, epoch)
    tx.conn.execute(update(leases).where(leases.c.workspace == workspace, leases.c.name == name).values(until=tx.now))


def demand(tx: HasConnection, workspace: Workspace, name: str, owner: str, epoch: int) -> None:
    """Raises LostLease unless ``owner`` still holds ``epoch``; locks the row until this transaction ends."""
    row = _HOLDER.first(tx, w=workspace, n=name)
    if row is None or row[:2] != (owner, epoch) or row[2] <= tx.now:
        raise LostLease(f"the lease {name} of {workspace} is not held any more")
