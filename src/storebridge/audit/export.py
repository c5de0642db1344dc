"""Write the audit trail out: one JSON object a line, with the links, so that anybody can check it without us."""

from __future__ import annotations

import json
from collections.abc import Iterator

from storebridge.model.ids import Workspace
from storebridge.store.audit import walk_chain
from storebridge.store.database import Tx


def export_lines(tx: Tx, workspace: Workspace) -> Iterator[str]:
    """Every sealed row in order."""
    for seal, row in walk_chain(tx, workspace):
        if row is None:
            yield json.dumps({"position": seal.position, "number": seal.audit_number, "missing": True})
            continue
        yield json.dumps(
            {
                "position": seal.position,
                "number": row.number,
                "at": row.at.isoformat(),
                "kind": row.kind,
                "subject": row.subject,
                "actor": row.actor,
                "record": json.loads(row.record),
                "digest": row.digest,
                "link": seal.link,
            },
            ensure_ascii=False,
        )
