"""The JSON API: ``/api/v1/{workspace}/...``, described at ``/api/openapi.json``. Everything it says or does is an
operation; nothing is decided here.

Lists take ``limit`` and give ``next``: the path of the next page, or null. Errors are ``{"error": "one sentence"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from storebridge import __version__
from storebridge.errors import (
    StorebridgeError,
)
from storebridge.operations.explain_trouble import AnyTrouble, explain_trouble
from storebridge.web.api.answers import schemas, status_of
from storebridge.web.api.orders import add_order_reads, add_order_writes
from storebridge.web.api.reads import add_reads
from storebridge.web.api.settlements import add_settlements
from storebridge.web.api.writes import add_writes

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge


class DescribedApi(FastAPI):
    """A FastAPI whose description includes the shapes of our own answers."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with the schemas that the answers refer to."""
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {}).update(schemas())
        return document


def build_api(bridge: Bridge) -> FastAPI:
    """The API; mounted at ``/api``."""
    api = DescribedApi(
        title="storebridge",
        version=__version__,
        description="Stock of several stores, kept in step on one pool of goods.",
        docs_url=None,
        redoc_url=None,
    )
    add_reads(api, bridge)
    add_order_reads(api, bridge)
    add_settlements(api, bridge)
    add_writes(api, bridge)
    add_order_writes(api, bridge)
    api.add_exception_handler(StorebridgeError, _explain)
    api.add_exception_handler(AnyTrouble, _explain_store)
    api.add_exception_handler(RequestValidationError, _explain_request)
    api.add_exception_handler(HTTPException, _explain_address)
    return api


async def _explain(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the framework hands it in
    return _error(str(error), status_of(error))


async def _explain_store(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """A store that does not answer while somebody waits is not our failure."""
    assert isinstance(error, AnyTrouble)
    return _error(explain_trouble(error), 503)


async def _explain_request(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _error(f"{place}: {first['msg']}.", 422)


async def _explain_address(request: Request, error: Exception) -> Response:
    """An address or a method that is none: a mistyped path must not look like an answer of another shape."""
    assert isinstance(error, HTTPException)
    path = request.url.path[:200]
    sentence = {
        404: f"There is nothing at {path!r}: /api/openapi.json names every address.",
        405: f"{path!r} does not take {request.method}: /api/openapi.json says what it takes.",
    }.get(error.status_code, str(error.detail))
    return _error(sentence, error.status_code, error.headers)


def _error(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode({"error": sentence}), status, headers, media_type="application/json")
