"""Every API call that a store received, for ``GET /_sandbox/requests``; the oldest are forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storebridge_sandbox.world import stamp

KEPT = 50_000


@dataclass(slots=True)
class ApiCall:
    """One call; ``status`` is None when no answer went out; ``fate`` names a fault that was played on it."""

    n: int
    at: datetime
    method: str
    path: str
    operation: str
    status: int | None = None
    cost: float | None = None
    fate: str | None = None
    carried_out: bool = False


class RequestLog:
    """A bounded list with running numbers from 1."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._calls: deque[ApiCall] = deque(maxlen=KEPT)
        self.received = 0

    def open(self, method: str, path: str, operation: str) -> ApiCall:
        """Note a call on arrival; the caller fills in how it ended."""
        self.received += 1
        call = ApiCall(self.received, self._now(), method, path, operation)
        self._calls.append(call)
        return call

    def since(self, n: int) -> list[dict[str, Any]]:
        """Calls numbered above ``n``, oldest first."""
        return [_shown(call) for call in self._calls if call.n > n]


def _shown(call: ApiCall) -> dict[str, Any]:
    return {
        "n": call.n,
        "at": stamp(call.at),
        "method": call.method,
        "path": call.path,
        "operation": call.operation,
        "status": call.status,
        "cost": call.cost,
        "fate": call.fate,
        "carried_out": call.carried_out,
    }
