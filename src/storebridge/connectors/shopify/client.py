"""One GraphQL call and its answer: paced by the cost bucket, bounded, and judged by ``errors``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.call_counts import CallCounts
from storebridge.connectors.drift import DriftWatch
from storebridge.connectors.http import NoAnswer, NotSent, Request, Response, Transport
from storebridge.connectors.port import Blame, CallTrouble, Remedy
from storebridge.connectors.shopify.auth import TokenSource
from storebridge.connectors.shopify.errors import TopError, drift, trouble_of_errors, trouble_of_status
from storebridge.connectors.shopify.limits import CostBudget
from storebridge.connectors.shopify.settings import API_VERSION, ShopifySettings

MAX_ANSWER_BYTES = 16 * 1024 * 1024
LONGEST_WAIT_SECONDS = 5.0
"""A call that would have to wait longer for the bucket is not sent at all: SLOW_DOWN."""
PATH = f"/admin/api/{API_VERSION}/graphql.json"
Data = TypeVar("Data")


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """A JSON object of Shopify's; unknown fields are ignored."""


class Operation(msgspec.Struct, frozen=True):
    """A document and its name, which is also the metric label."""

    name: str
    document: str
    writes: bool = False


class Envelope(msgspec.Struct, frozen=True):
    """What every answer has around its data."""

    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: list[TopError] = []
    extensions: dict[str, Any] = {}


class Answer(msgspec.Struct, Generic[Data], frozen=True):
    """Decoded data, and the bytes it came in."""

    data: Data
    response: Response


class ShopifyClient:
    """Keeps a token and what is known of the cost bucket; nothing else."""

    def __init__(
        self,
        settings: ShopifySettings,
        transport: Transport,
        clock: Clock,
        budget: CostBudget,
        tokens: TokenSource,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._budget = budget
        self._tokens = tokens
        self.calls = CallCounts()
        self.drift = DriftWatch()

    async def ask(self, operation: Operation, variables: Mapping[str, Any], shape: type[Data]) -> Data:
        """The answer to a question, in the expected shape. Raises CallTrouble."""
        return (await self.exchange(operation, encode(operation, variables), shape)).data

    async def exchange(self, operation: Operation, body: bytes, shape: type[Data]) -> Answer[Data]:
        """The answer to exactly these bytes; a refused token is renewed once. Raises CallTrouble."""
        cost = await self._pace(operation)
        try:
            response = await self._proven(operation, body)
        finally:
            self._budget.answered(cost)
        if response.status != 200:
            raise self._troubled_status(operation, response)
        if len(response.body) > MAX_ANSWER_BYTES:
            raise drift(f"Shopify's answer to {operation.name} is too large", writes=operation.writes)
        return Answer(self._data(operation, response, shape), response)

    async def _proven(self, operation: Operation, body: bytes) -> Response:
        headers = await self._tokens.headers()
        response = await self._send(operation, body, headers)
        if response.status in (401, 403) and await self._tokens.renew(headers, response.status):
            response = await self._send(operation, body, await self._tokens.headers())
        return response

    async def _pace(self, operation: Operation) -> float:
        """Wait for the bucket; the cost that the call is expected to take out of it."""
        while wait := self._budget.wait_seconds(operation.name, 1):
            if wait > LONGEST_WAIT_SECONDS:
                raise CallTrouble(
                    Remedy.SLOW_DOWN,
                    Blame.OURSELVES,
                    f"the call budget of Shopify is used up for {wait:.1f} s",
                    code="BUDGET",
                    retry_after_seconds=wait,
                )
            await self._clock.sleep(wait)
        return self._budget.send(operation.name)

    async def _send(self, operation: Operation, body: bytes, proof: Mapping[str, str]) -> Response:
        headers = {"accept": "application/json", "content-type": "application/json", **proof}
        url = f"{self._settings.base_url}{PATH}"
        status: int | None = None
        try:
            response = await self._transport.send(Request("POST", url, headers, body, self._settings.timeout_seconds))
            status = response.status
        except NotSent as lost:
            raise CallTrouble(Remedy.RETRY, Blame.NETWORK, f"{operation.name} did not reach Shopify: {lost}") from None
        except NoAnswer as lost:
            remedy = Remedy.UNKNOWN_OUTCOME if operation.writes else Remedy.RETRY
            raise CallTrouble(remedy, Blame.NETWORK, f"Shopify did not answer {operation.name}: {lost}") from None
        finally:
            self.calls.note(operation.name, status)
        return response

    def _troubled_status(self, operation: Operation, response: Response) -> CallTrouble:
        pause = None
        if response.status == 429:
            pause = self._budget.throttled(operation.name, _retry_after(response.headers))
        return trouble_of_status(operation.name, response.status, writes=operation.writes, retry_after_seconds=pause)

    def _data(self, operation: Operation, response: Response, shape: type[Data]) -> Data:
        envelope = self._decode(response.body, Envelope, operation)
        cost = envelope.extensions.get("cost")
        self._budget.learn(operation.name, cost if isinstance(cost, dict) else None)
        if envelope.errors and not (operation.writes and _carried_out(envelope.data)):
            throttled = any(error.code == "THROTTLED" for error in envelope.errors)
            pause = self._budget.throttled(operation.name, None) if throttled else None
            raise trouble_of_errors(operation.name, envelope.errors, writes=operation.writes, retry_after_seconds=pause)
        if bytes(envelope.data) == b"null":
            self.drift.note(operation.name, "data", "there is no data")
            raise drift(f"Shopify's answer to {operation.name} has no data", writes=operation.writes)
        return self._decode(bytes(envelope.data), shape, operation)

    def _decode(self, body: bytes, shape: type[Data], operation: Operation) -> Data:
        try:
            return msgspec.json.decode(body, type=shape, strict=False)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as unreadable:
            self.drift.note_undecodable(operation.name, unreadable)
            raise drift(
                f"Shopify's answer to {operation.name} has an unknown shape: {unreadable}", writes=operation.writes
            ) from None


def _carried_out(data: msgspec.Raw | None) -> bool:
    """Whether a mutation came to its end although a part of its answer failed: its payload is there."""
    try:
        roots = msgspec.json.decode(bytes(data or b"null"))
    except (msgspec.MsgspecError, RecursionError):
        return False
    return isinstance(roots, dict) and any(root is not None for root in roots.values())


def encode(operation: Operation, variables: Mapping[str, Any]) -> bytes:
    """The bytes of a call."""
    return msgspec.json.encode({"query": operation.document, "variables": variables})


def server_time(response: Response) -> datetime | None:
    """The answer's Date header, to the second."""
    told = response.headers.get("date")
    if told is None:
        return None
    try:
        return parsedate_to_datetime(told).astimezone(UTC)
    except (ValueError, TypeError):
        return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
