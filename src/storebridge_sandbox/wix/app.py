"""The vendor's side of the site: finds the operation, checks who calls and how often, answers with 200."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import msgspec

from storebridge_sandbox.gate import Answer, Receive, Scope, Send, read_moment
from storebridge_sandbox.sleeping import only_looking
from storebridge_sandbox.wix.access.state import Access, forbidden, throttled
from storebridge_sandbox.wix.calls import Call, Found, Operation, OperationTable, header, read_arguments
from storebridge_sandbox.wix.generation import CatalogGeneration
from storebridge_sandbox.wix.identities import Actor, Guids
from storebridge_sandbox.wix.messages import check_request, unflatten
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.wire import WixRefusal, application_error, decode_token, encode_token

CONSISTENT = b"x-wix-consistent"
OVERLOADED = b"upstream connect error or disconnect/reset before headers"
JSON = (b"content-type", b"application/json")
Headers = dict[bytes, bytes]


class WixApi:
    """Answers the vendor's own paths; an ASGI app, and what the gate must know of the vendor."""

    def __init__(
        self,
        operations: list[Operation],
        access: Access,
        options: WixOptions,
        generation: CatalogGeneration,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        request_ids: Guids,
        chance: random.Random,
    ) -> None:
        self._table = OperationTable(operations)
        self._access = access
        self._options = options
        self._generation = generation
        self._now = now
        self._sleep = sleep
        self._request_ids = request_ids
        self._chance = chance
        self._answers: dict[tuple[str, str], Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        answer, later = self._carry_out(scope, message.get("body", b""))
        if later is not None:
            await self._sleep(self._options.quirks.w38_answers_after_ms / 1000)
            answer = later()
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    @property
    def operations(self) -> list[Operation]:
        """All that is served."""
        return self._table.operations

    def operation_of(self, method: str, path: str, body: bytes) -> str:  # noqa: ARG002 - the path names it
        found = self._table.find(method, path)
        return found.operation.name if found else "unknown"

    def names_of(self, method: str, path: str, body: bytes) -> tuple[str, ...]:
        return (self.operation_of(method, path, body),)

    def overloaded(self) -> Answer:
        """A proxy's own words, not the vendor's JSON."""
        return Answer(503, OVERLOADED, [(b"content-type", b"text/plain"), self._date()])

    def throttled(self) -> Answer:
        return self._refused(throttled(), self._request_ids())

    def answer(self, scope: Scope, body: bytes) -> Answer:
        """Carry one call out. Nothing can come between its look and its write: it is one synchronous step."""
        return self._carry_out(scope, body)[0]

    def _carry_out(self, scope: Scope, body: bytes) -> tuple[Answer, Callable[[], Answer] | None]:
        """The answer, and how it is made where it is made later than the write (W38)."""
        headers: Headers = dict(scope["headers"])
        request_id = self._request_ids()
        found = self._table.find(scope["method"], scope["path"])
        key = (scope["path"], header(headers, b"idempotency-key"))
        if key in self._answers:
            return self._answers[key], None
        try:
            if found is None:
                raise application_error(404, "NOT_FOUND", f"No such address: {scope['path']}")
            call = self._admitted(found, headers, scope, body, request_id)
            with only_looking(yes=found.operation.only_reads):
                told = found.operation.handler(call)
        except WixRefusal as refusal:
            return self._refused(refusal, request_id), None
        answer = self._answered(told, call)
        if key[1] and call.wrote and self._options.quirks.w5_idempotency_key_header:
            self._answers[key] = answer
        waits = call.late and self._options.quirks.w38_answers_after_ms
        return answer, partial(self._answered_late, told, call) if waits else None

    def _answered_late(self, told: dict[str, Any], call: Call) -> Answer:
        for bring_up_to_date in call.late:
            bring_up_to_date()
        return self._answered(told, call)

    def _admitted(self, found: Found, headers: Headers, scope: Scope, body: bytes, request_id: str) -> Call:
        operation = found.operation
        authorization = header(headers, b"authorization")
        actor = self._access.app if operation.open_door else self._actor(operation, headers, authorization)
        arguments = _payload(found, body, scope.get("query_string", b""))
        call = Call(arguments, found.params, actor, request_id, authorization)
        self._look_back(call, operation, headers, read_moment(scope))
        return call

    def _actor(self, operation: Operation, headers: Headers, authorization: str) -> Actor:
        site, account = header(headers, b"wix-site-id"), header(headers, b"wix-account-id")
        actor = self._access.admit(authorization, site, account)
        too_many = self._access.pace()
        if too_many is not None:
            raise too_many
        if operation.scope in self._options.denied_scopes:
            raise forbidden(f"{operation.scope} is missing")
        if operation.generation is not None and operation.generation != self._generation.now:
            raise self._wrong_catalog()
        return actor

    def _wrong_catalog(self) -> WixRefusal:
        """V1 and V3 do not understand each other (W18)."""
        mine, asked = ("V3", "V1") if self._generation.now == "v3" else ("V1", "V3")
        return application_error(
            self._options.quirks.w18_wrong_catalog_status,
            f"CATALOG_{mine}_SITE_CALLING_CATALOG_{asked}_API",
            f"The site has catalog {mine}, the call is of catalog {asked}",
        )

    def _look_back(self, call: Call, operation: Operation, headers: Headers, stale: datetime | None) -> None:
        """Queries may show the past, but never from before the caller's own last write (W15)."""
        if operation.lag is None:
            return
        quirks = self._options.quirks
        low, high = quirks.w15_search_lag_ms if operation.lag == "search" else quirks.w15_query_lag_ms
        moments = [] if stale is None else [stale]
        if high:
            moments.append(self._now() - timedelta(milliseconds=self._chance.uniform(low, high)))
        if not moments:
            return
        moment = min(moments)
        if quirks.w15_consistent_header and CONSISTENT in headers:
            moment = max(moment, _moment_in(header(headers, CONSISTENT)) or moment)
        if operation.lag != "get":
            call.read_moment = moment
        elif quirks.w15_get_lags:
            call.get_moment = moment

    def _answered(self, told: dict[str, Any], call: Call) -> Answer:
        headers = [JSON, (b"x-wix-request-id", call.request_id.encode()), self._date()]
        if call.wrote and self._options.quirks.w15_consistent_header:
            token = encode_token(self._now().isoformat().encode())
            headers.append((CONSISTENT, token.encode()))
        return Answer(200, msgspec.json.encode(told), headers)

    def _refused(self, refusal: WixRefusal, request_id: str) -> Answer:
        headers = [JSON, (b"x-wix-request-id", request_id.encode()), self._date()]
        patience = self._options.quirks.w14_retry_after_seconds
        if refusal.status == 429 and patience is not None:
            headers.append((b"retry-after", str(patience).encode()))
        return Answer(refusal.status, msgspec.json.encode(refusal.body()), headers)

    def _date(self) -> tuple[bytes, bytes]:
        return b"date", format_datetime(self._now(), usegmt=True).encode()


def _payload(found: Found, body: bytes, query_string: bytes) -> dict[str, Any]:
    """What the caller sent, with the path's parameters, as the vendor's message; raises WixRefusal (400)."""
    told, flat = read_arguments(body, query_string)
    arguments = {**told, **found.params}
    takes = found.operation.takes
    if takes:
        if flat:
            arguments = unflatten(takes, arguments)
        check_request(takes, arguments)
    return arguments


def _moment_in(token: str) -> datetime | None:
    """The moment of a write that a consistency token remembers; None for a token of someone else."""
    try:
        moment = datetime.fromisoformat(decode_token(token).decode())
    except ValueError:
        return None
    return moment if moment.tzinfo else None
