"""Verify the chain: every row digested again, every link computed again."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from storebridge.audit.chain import FIRST_LINK, next_link
from storebridge.audit.record import digest_of
from storebridge.model.ids import Workspace
from storebridge.store.audit import Seal, StoredAudit, count_unsealed, walk_chain
from storebridge.store.database import Tx

MOST_PROBLEMS = 100
SEALED_WITHIN = timedelta(seconds=60)
"""An unsealed row older than this means that the sealer does not run, or that a row was slipped in."""


class Problem(msgspec.Struct, frozen=True):
    """A row that is not what was sealed."""

    number: int
    what: str
    """edited | removed | inserted | broken_link"""
    detail: str


class Verification(msgspec.Struct, frozen=True):
    """What the chain proves."""

    sealed: int
    unsealed: int
    """The tail that no link covers yet."""
    head: str
    """The last link: write it down elsewhere, and nobody can shorten the chain unseen."""
    sealed_at: datetime | None
    problems: tuple[Problem, ...]

    @property
    def intact(self) -> bool:
        return not self.problems


def verify_chain(tx: Tx, workspace: Workspace) -> Verification:
    """Walk the whole chain of a workspace."""
    link, sealed, sealed_at = FIRST_LINK, 0, None
    problems: list[Problem] = []
    for seal, row in walk_chain(tx, workspace):
        sealed += 1
        problems.extend(_check(seal, row, link, sealed))
        link, sealed_at = seal.link, seal.sealed_at
    tail, slipped_in, oldest = count_unsealed(tx, workspace)
    if slipped_in and oldest is not None and tx.now - oldest > SEALED_WITHIN:
        problems.append(
            Problem(0, "inserted", f"{slipped_in} rows stand before the sealed end and no link covers them")
        )
    return Verification(sealed, tail + slipped_in, link, sealed_at, tuple(problems[:MOST_PROBLEMS]))


def _check(seal: Seal, row: StoredAudit | None, previous: str, expected: int) -> list[Problem]:
    number = seal.audit_number
    if seal.position != expected:
        return [Problem(number, "removed", f"link {expected} of the chain is missing")]
    if row is None:
        return [Problem(number, "removed", f"audit row {number} is gone, its link {seal.position} is there")]
    problems: list[Problem] = []
    if digest_of(row.workspace, row.at, row.kind, row.subject, row.actor, row.record) != row.digest:
        problems.append(Problem(number, "edited", f"audit row {number} ({row.kind} {row.subject}) was changed"))
    if next_link(previous, row.digest, number) != seal.link:
        problems.append(Problem(number, "broken_link", f"link {seal.position} does not follow from the one before"))
    return problems
