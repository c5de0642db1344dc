"""How answers are written, and how they are described: one shape for both, the operations' own types."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from storebridge.errors import (
    ConfigurationError,
    NotFoundError,
    OutOfRangeError,
    RefusedError,
    StoreUnavailableError,
)
from storebridge.model.settlement import Invoice, KeptStatement
from storebridge.operations.backfill_orders import Backfills
from storebridge.operations.book_goods import Booked
from storebridge.operations.explain_stock import StockStory
from storebridge.operations.import_parcels import Imported
from storebridge.operations.list_audit import AuditPage
from storebridge.operations.list_cases import CasePage, CaseView
from storebridge.operations.list_events import Event, EventPage
from storebridge.operations.list_orders import OrderPage
from storebridge.operations.list_stock import StockPage
from storebridge.operations.outcomes import OURS, as_told
from storebridge.operations.print_orders import PickLists
from storebridge.operations.reconcile_stores import Reconciliation
from storebridge.operations.replay_event import Replayed
from storebridge.operations.run_baseline import BaselineReport
from storebridge.operations.run_campaign import Campaigns
from storebridge.operations.settle_case import Settled
from storebridge.operations.ship_order import OrderMoved
from storebridge.operations.show_order import OrderView
from storebridge.operations.show_overview import Overview
from storebridge.operations.show_settlement import SettlementPage
from storebridge.operations.show_status import Status
from storebridge.operations.step_orders import Stepped
from storebridge.operations.undo_changes import Undone

ANSWERS = (
    AuditPage,
    BaselineReport,
    Booked,
    Backfills,
    Campaigns,
    Undone,
    CasePage,
    CaseView,
    Event,
    EventPage,
    Imported,
    OrderMoved,
    OrderPage,
    PickLists,
    OrderView,
    Overview,
    Reconciliation,
    Replayed,
    Invoice,
    KeptStatement,
    Settled,
    SettlementPage,
    Status,
    Stepped,
    StockPage,
    StockStory,
)
STATUS = {
    NotFoundError: 404,
    OutOfRangeError: 422,
    RefusedError: 409,
    ConfigurationError: 400,
    StoreUnavailableError: 503,
}
"""The first that fits; an OutOfRangeError is a RefusedError, too."""
REFERENCE = "#/components/schemas/{name}"


@cache
def schemas() -> dict[str, Any]:
    """JSON schemas of every answer; pages have ``next`` instead of ``after``."""
    _, components = msgspec.json.schema_components(ANSWERS, ref_template=REFERENCE)
    found: dict[str, Any] = dict(components)
    for name, schema in found.items():
        properties = schema.get("properties", {})
        properties.pop(OURS, None)
        if name.endswith("Page") and "after" in properties:
            properties["next"] = properties.pop("after")
            schema["required"] = [*(n for n in schema["required"] if n != "after"), "next"]
    return found


def described(answer: type[msgspec.Struct]) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that answers with ``answer``."""
    reference = {"$ref": REFERENCE.format(name=answer.__name__)}
    return {200: {"description": "OK", "content": {"application/json": {"schema": reference}}}}


def status_of(error: Exception) -> int:
    """The HTTP status of an error of ours."""
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)


def answer_with(value: msgspec.Struct) -> Response:
    """The value as JSON; derived properties that a reader would miss are not left out by accident: they are fields."""
    return Response(msgspec.json.encode(as_told(value)), media_type="application/json")


def answer_page(value: Any, path: str, query: dict[str, Any]) -> Response:
    """A page, with the link to the next one."""
    after = value.after
    following = None
    if after is not None:
        kept = {name: given for name, given in query.items() if given not in (None, "")}
        following = f"{path}?{urlencode({**kept, 'after': after}, doseq=True)}"
    body = {"items": value.items, "next": following}
    return Response(msgspec.json.encode(body), media_type="application/json")
