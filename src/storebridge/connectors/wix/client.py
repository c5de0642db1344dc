"""One request and its answer: paced, proven, bounded, and judged by the table in ``errors``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.call_counts import CallCounts
from storebridge.connectors.drift import DriftWatch
from storebridge.connectors.http import NoAnswer, NotSent, Request, Response, Transport
from storebridge.connectors.port import Blame, CallTrouble, Remedy
from storebridge.connectors.wix.auth import Credentials
from storebridge.connectors.wix.errors import Refusal, RefusedCall, drift, read_refusal, trouble_from
from storebridge.connectors.wix.limits import CallBudget
from storebridge.connectors.wix.settings import WixSettings

MAX_ANSWER_BYTES = 16 * 1024 * 1024
LONGEST_WAIT_SECONDS = 5.0
"""A call that would have to wait longer for the budget is not sent at all: SLOW_DOWN."""
CONSISTENT = "x-wix-consistent"
Shape = TypeVar("Shape")


class Operation(msgspec.Struct, frozen=True):
    """A call of Wix's REST API. ``name`` is a metric label, so never with an id in it."""

    name: str
    method: str
    path: str
    writes: bool = False


class WixClient:
    """Keeps a token, the call budget and Wix's consistency token; nothing else."""

    def __init__(
        self,
        settings: WixSettings,
        transport: Transport,
        clock: Clock,
        budget: CallBudget,
        credentials: Credentials,
    ) -> None:
        self._settings = settings
        self._base = settings.api_url.rstrip("/")
        self._transport = transport
        self._clock = clock
        self._budget = budget
        self._credentials = credentials
        self._consistent: str | None = None
        self.calls = CallCounts()
        self.drift = DriftWatch()

    async def read(self, operation: Operation, shape: type[Shape], question: object = None) -> Shape:
        """The answer to a question, in the expected shape. Raises CallTrouble."""
        body = b"" if question is None else msgspec.json.encode(question)
        response = await self.exchange(operation, body)
        return self.decode(response, shape, operation)

    def decode(self, response: Response, shape: type[Shape], operation: Operation) -> Shape:
        """The answer in its shape, numbers also as strings; another shape is noted and CallTrouble(SCHEMA_DRIFT)."""
        try:
            return msgspec.json.decode(response.body, type=shape, strict=False)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as unreadable:
            self.drift.note_undecodable(operation.name, unreadable)
            raise drift(
                f"Wix's answer to {operation.name} has an unknown shape: {unreadable}", writes=operation.writes
            ) from None

    async def exchange(self, operation: Operation, body: bytes) -> Response:
        """The 200 answer to exactly these bytes; a refused token is renewed once. Raises CallTrouble."""
        await self._pace()
        headers = await self._credentials.headers()
        response = await self._send(operation, body, headers)
        if response.status in (401, 403) and await self._credentials.renew(headers, response.status):
            await self._pace()
            response = await self._send(operation, body, await self._credentials.headers())
        if response.status == 429:
            pause = self._budget.throttled(_retry_after(response.headers))
            raise self._trouble(operation, response, retry_after_seconds=pause)
        self._budget.answered()
        if response.status != 200:
            raise self._trouble(operation, response)
        if len(response.body) > MAX_ANSWER_BYTES:
            raise drift(f"Wix's answer to {operation.name} is too large", writes=operation.writes)
        return response

    async def _pace(self) -> None:
        while wait := self._budget.take():
            if wait > LONGEST_WAIT_SECONDS:
                raise CallTrouble(
                    Remedy.SLOW_DOWN,
                    Blame.OURSELVES,
                    f"the call budget of Wix is used up for {wait:.1f} s",
                    code="BUDGET",
                    retry_after_seconds=wait,
                )
            await self._clock.sleep(wait)

    async def _send(self, operation: Operation, body: bytes, proof: Mapping[str, str]) -> Response:
        headers = {"accept": "application/json", **proof}
        if body:
            headers["content-type"] = "application/json"
        if self._consistent is not None:
            headers[CONSISTENT] = self._consistent
        request = Request(operation.method, self._base + operation.path, headers, body, self._settings.timeout_seconds)
        status: int | None = None
        try:
            response = await self._transport.send(request)
            status = response.status
        except NotSent as lost:
            raise CallTrouble(
                Remedy.RETRY, Blame.NETWORK, f"{operation.name} did not reach Wix: {self._told(lost)}"
            ) from None
        except NoAnswer as lost:
            remedy = Remedy.UNKNOWN_OUTCOME if operation.writes else Remedy.RETRY
            raise CallTrouble(
                remedy, Blame.NETWORK, f"Wix did not answer {operation.name}: {self._told(lost)}"
            ) from None
        finally:
            self.calls.note(operation.name, status)
        self._consistent = response.headers.get(CONSISTENT, self._consistent)
        return response

    def _told(self, lost: Exception) -> str:
        return self._credentials.scrub(str(lost))

    def _trouble(
        self, operation: Operation, response: Response, *, retry_after_seconds: float | None = None
    ) -> RefusedCall:
        told = read_refusal(response.status, response.body)
        message = self._credentials.scrub(told.message)
        if request_id := response.headers.get("x-wix-request-id"):
            message = f"{message} [{operation.name}, Wix request {request_id[:80]}]".lstrip()
        refusal = Refusal(told.status, told.code, message, told.from_wix)
        trouble = trouble_from(refusal, writes=operation.writes, retry_after_seconds=retry_after_seconds)
        trouble.body = response.body
        if trouble.remedy is Remedy.RENEW_TOKEN:
            trouble.remedy = Remedy.STOP
        return trouble


def server_time(response: Response) -> datetime | None:
    """The answer's Date header, to the second."""
    told = response.headers.get("date")
    if told is None:
        return None
    try:
        when = parsedate_to_datetime(told)
    except ValueError:
        return None
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None
