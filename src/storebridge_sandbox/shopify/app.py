"""The vendor's side of the shop: token endpoint and GraphQL, with admission, costs and errors as Shopify has them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from graphql import FieldNode, StringValueNode, VariableNode

from storebridge_sandbox.gate import Answer, Receive, Scope, Send, note_cost, read_moment
from storebridge_sandbox.shopify.bucket import Bucket
from storebridge_sandbox.shopify.call import Call
from storebridge_sandbox.shopify.engine import Engine, Prepared
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.rest.api import SCOPES_PATH, RestApi, is_rest
from storebridge_sandbox.shopify.shop.grants import Grants
from storebridge_sandbox.shopify.shop.state import TokenRefused, Tokens
from storebridge_sandbox.shopify.versions import NEWEST, served

JSON = (b"content-type", b"application/json; charset=utf-8")
GRAPHQL_PATH = re.compile(r"/admin/api/([\w-]+)/graphql\.json")
ANY_PATH = re.compile(r"/admin/api/([\w-]+)/")
TOKEN_PATH = "/admin/oauth/access_token"
APPROVAL_PATH = "/admin/oauth/authorize"
NAMED = re.compile(rb"(?:query|mutation)\s+(\w+)")
MAX_COST = 1000
LONGEST_INPUT = 250
LIMITS = "https://shopify.dev/api/usage/rate-limits"
HOW_TO_GO_ON = """

See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the
cost of a query is calculated.

To query larger amounts of data with fewer limits, bulk operations should be used instead.
See https://shopify.dev/tutorials/perform-bulk-operations-with-admin-api for usage details.
"""
BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class _Asked(msgspec.Struct):
    query: str
    operationName: str | None = None
    variables: Any = None


class ShopifyApi:
    """A pure ASGI app behind the fault gate."""

    def __init__(
        self,
        engine_for: Callable[[str], Engine],
        tokens: Tokens,
        bucket: Bucket,
        options: ShopifyOptions,
        now: Callable[[], datetime],
        rest: RestApi,
        grants: Grants,
    ) -> None:
        self._rest = rest
        self._grants = grants
        self._engine_for = engine_for
        self._tokens = tokens
        self._bucket = bucket
        self._options = options
        self._now = now
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        answer = self.answer(scope, message.get("body", b""))
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    def operation_of(self, method: str, path: str, body: bytes) -> str:
        """The name in the query text; the token endpoint by its own."""
        if path in (TOKEN_PATH, APPROVAL_PATH):
            return "accessToken" if path == TOKEN_PATH else "authorize"
        if is_rest(path):
            return f"{method} {'/'.join(part for part in path.split('/')[-3:] if not any(map(str.isdigit, part)))}"[:80]
        found = NAMED.search(body)
        return found[1].decode()[:80] if found else f"{method} unnamed"

    def names_of(self, method: str, path: str, body: bytes) -> tuple[str, ...]:
        """The name in the query text and the root fields: a caller may call its query anything."""
        name = self.operation_of(method, path, body)
        found = GRAPHQL_PATH.fullmatch(path)
        version = served(found[1], self._options.oldest_version) if found else None
        if version is None:
            return (name,)
        try:
            asked = msgspec.json.decode(body, type=_Asked)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return (name,)
        prepared = self._engine_for(version).prepare(asked.query, asked.operationName)
        return (name, *prepared.root_fields) if isinstance(prepared, Prepared) else (name,)

    def overloaded(self) -> Answer:
        return Answer(503, b"<html><body>Service unavailable</body></html>", [(b"content-type", b"text/html")])

    def throttled(self) -> Answer:
        told = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."
        body = {"errors": told}
        return Answer(429, msgspec.json.encode(body), [JSON, (b"retry-after", b"2.0"), self._date()])

    def answer(self, scope: Scope, body: bytes) -> Answer:
        """Carry one call out, as one synchronous step."""
        path = scope["path"]
        if path == TOKEN_PATH:
            return self._grant(body)
        if path == APPROVAL_PATH:
            return self._approve(scope)
        rest = is_rest(path)
        asked = ANY_PATH.match(path)
        version = served(asked[1], self._options.oldest_version) if asked else None
        if path == SCOPES_PATH:
            version = NEWEST
        if version is None or not (rest or GRAPHQL_PATH.fullmatch(path)):
            return self._json(404, {"errors": "Not Found"})
        token = dict(scope["headers"]).get(b"x-shopify-access-token", b"").decode("latin-1")
        if not self._tokens.accepts(token):
            return self._json(401, {"errors": BAD_TOKEN})
        if rest:
            return self._by_rest(scope, body, version)
        answer = self._graphql(scope, body, version)
        answer.headers.append((b"x-shopify-api-version", version.encode()))
        return answer

    def _by_rest(self, scope: Scope, body: bytes, version: str) -> Answer:
        address = f"{_origin(scope)}{scope['path']}"
        ref = f"call-{next(self._numbers)}"
        method, query = scope.get("method", "GET"), scope.get("query_string", b"")
        status, content, headers = self._rest.answer(method, address, scope["path"], query, body, ref)
        answer = self._json(status, content)
        if status == 204:
            answer.body = b""
        answer.headers += [*headers, (b"x-shopify-api-version", version.encode())]
        return answer

    def _grant(self, body: bytes) -> Answer:
        form = _form(body)
        try:
            return self._json(200, self._grants.grant(form))
        except TokenRefused as refused:
            return self._json(400, {"error": refused.error, "error_description": refused.description})

    def _approve(self, scope: Scope) -> Answer:
        """The page on which a merchant lets an app in; here nobody has to press the button."""
        try:
            back = self._grants.approve(dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"))))
        except TokenRefused as refused:
            return self._json(400, {"error": refused.error, "error_description": refused.description})
        return Answer(302, b"", [(b"location", back.encode("latin-1", "replace")), self._date()])

    def _graphql(self, scope: Scope, body: bytes, version: str) -> Answer:
        asked = _asked_of(scope, body)
        if asked is None:
            return self._json(400, {"errors": {"query": "Required parameter missing or invalid"}})
        engine, variables = self._engine_for(version), asked.variables
        prepared = engine.prepare(asked.query, asked.operationName)
        if isinstance(prepared, list):
            return self._json(200, {"errors": prepared})
        coerced = engine.coerce(prepared, variables)
        if isinstance(coerced, list):
            return self._json(200, {"errors": coerced})
        requested = prepared.cost.requested(variables)
        if requested > MAX_COST:
            return self._json(200, {"errors": [_too_dear(requested)]})
        if not self._bucket.take(requested):
            return self._throttled(requested)
        if (longest := _longest_list(variables)) > LONGEST_INPUT:
            return self._json(200, {"errors": [_too_long(longest, prepared)]})
        call = Call(
            self._now(),
            f"call-{next(self._numbers)}",
            read_moment(scope),
            keys_of(prepared, variables),
            prepared.input_locations,
            version=version,
            origin=_origin(scope),
            root=prepared.root_fields[0] if prepared.root_fields else "",
            declared=prepared.operation.variable_definitions or (),
            variables=variables,
        )
        answered = engine.run(prepared, coerced, call)
        actual = prepared.cost.actual(variables, answered.data)
        self._bucket.give_back(requested - actual)
        note_cost(scope, actual)
        content: dict[str, Any] = {"data": answered.data}
        if answered.errors:
            content["errors"] = answered.errors
        content["extensions"] = {"cost": self._cost(requested, actual)}
        if call.search:
            content["extensions"]["search"] = call.search
        answer = self._json(200, content)
        if prepared.deprecated:
            answer.headers.append((b"x-shopify-api-deprecated-reason", ", ".join(prepared.deprecated).encode()))
        return answer

    def _throttled(self, requested: int) -> Answer:
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS}}
        content = {"errors": [error], "extensions": {"cost": self._cost(requested, None)}}
        return self._json(self._options.throttled_status, content)

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": self._bucket.status(),
        }

    def _json(self, status: int, content: Any) -> Answer:
        return Answer(status, msgspec.json.encode(content), [JSON, self._date()])

    def _date(self) -> tuple[bytes, bytes]:
        return b"date", format_datetime(self._now(), usegmt=True).encode()


def _asked_of(scope: Scope, body: bytes) -> _Asked | None:
    """What a body asks: JSON, whose variables may be JSON in a string, or bare GraphQL of that content type."""
    kind = dict(scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
    try:
        asked = _Asked(body.decode()) if kind == b"application/graphql" else msgspec.json.decode(body, type=_Asked)
        given = msgspec.json.decode(asked.variables or "{}") if isinstance(asked.variables, str) else asked.variables
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    asked.variables = given or {}
    return asked if asked.query.strip() and isinstance(asked.variables, dict) else None


def _origin(scope: Scope) -> str:
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}"


def _longest_list(value: Any) -> int:
    if isinstance(value, list):
        return max([len(value), *map(_longest_list, value[:LONGEST_INPUT])])
    if isinstance(value, dict):
        return max(map(_longest_list, value.values()), default=0)
    return 0


def _too_long(length: int, prepared: Prepared) -> dict[str, Any]:
    message = f"The input array size of {length} is greater than the maximum allowed of {LONGEST_INPUT}."
    path = [*prepared.root_fields[:1]]
    return {"message": message, "path": path, "extensions": {"code": "MAX_INPUT_SIZE_EXCEEDED"}}


def _form(body: bytes) -> dict[str, str]:
    """Form or JSON, as Shopify takes both."""
    text = body.decode("utf-8", "replace")
    if text.lstrip().startswith("{"):
        try:
            return {str(name): str(value) for name, value in msgspec.json.decode(text).items()}
        except msgspec.DecodeError:
            return {}
    return dict(parse_qsl(text))


def _too_dear(cost: int) -> dict[str, Any]:
    message = f"Query cost is {cost}, which exceeds the single query max cost limit ({MAX_COST}).{HOW_TO_GO_ON}"
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": MAX_COST, "documentation": LIMITS}
    return {"message": message, "extensions": extensions}


def keys_of(prepared: Prepared, variables: dict[str, Any]) -> dict[str, str]:
    """The idempotency key of each root field that carries the directive."""
    keys: dict[str, str] = {}
    for node in prepared.operation.selection_set.selections:
        if not isinstance(node, FieldNode):
            continue
        for directive in node.directives or ():
            if directive.name.value == "idempotent":
                value = (directive.arguments or ())[0].value
                if isinstance(value, VariableNode):
                    keys[node.name.value] = str(variables.get(value.name.value, ""))
                elif isinstance(value, StringValueNode):
                    keys[node.name.value] = value.value
    return keys
