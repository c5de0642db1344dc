"""Export: the whole sealed audit, oldest first, one JSON object a line, with the links of the chain."""

from __future__ import annotations

from collections.abc import Callable

from storebridge.audit.export import export_lines
from storebridge.model.ids import Workspace
from storebridge.store.database import Store, Tx


async def export_audit(store: Store, workspace: Workspace, write: Callable[[str], object]) -> int:
    """Hand every line, without its line end, to ``write`` as it is read, so that memory stays bounded.

    Returns the number of lines. All of them are of one moment.
    """
    return await store.read(_write_lines, workspace, write)


def _write_lines(tx: Tx, workspace: Workspace, write: Callable[[str], object]) -> int:
    lines = 0
    for line in export_lines(tx, workspace):
        write(line)
        lines += 1
    return lines
