"""The sealer: chains audit rows per workspace shortly after they were written.

A chain inside every transaction would make all workers wait for each other. The link of a row is the digest of the link
before it and of the row's own digest, so an edited, removed or inserted row breaks every later link.
"""

from __future__ import annotations

import hashlib

from storebridge.model.ids import Workspace
from storebridge.store.audit import insert_seals, last_seal, unsealed
from storebridge.store.database import Tx

ROWS_AT_ONCE = 5000
FIRST_LINK = "0" * 64


def next_link(previous: str, digest: str, number: int) -> str:
    """The link of row ``number`` with ``digest`` after ``previous``."""
    return hashlib.sha256(f"{previous}:{number}:{digest}".encode()).hexdigest()


def seal(tx: Tx, workspace: Workspace) -> int:
    """Chain what is new; returns how many rows."""
    last = last_seal(tx, workspace)  # first: it locks, and what another worker chained meanwhile is not new any more
    position, after, link = (0, 0, FIRST_LINK) if last is None else (last.position, last.audit_number, last.link)
    links: list[tuple[int, int, str]] = []
    for number, digest in unsealed(tx, workspace, after, ROWS_AT_ONCE):
        position += 1
        link = next_link(link, digest, number)
        links.append((position, number, link))
    insert_seals(tx, workspace, links)
    return len(links)
