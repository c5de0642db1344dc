"""The API: every read and verb, its pages, its errors, its description."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from console_world import ask, in_world
from sqlalchemy import insert

from storebridge.bootstrap import Bridge
from storebridge.store.database import Tx
from storebridge.store.tables import pools
from storebridge.web.console.app import build_console_app

JSON = {"content-type": "application/json"}


def got(path: str, **terms: Any) -> Any:
    async def play(bridge: Bridge) -> Any:
        answer = await ask(build_console_app(bridge), path)
        return answer.status, answer.json

    return in_world(play, **terms)


def posted(path: str, body: dict[str, Any]) -> Any:
    async def play(bridge: Bridge) -> Any:
        sent = msgspec.json.encode(body)
        answer = await ask(build_console_app(bridge), path, method="POST", body=sent, headers=JSON)
        return answer.status, answer.json

    return in_world(play)


def test_stock_lists_what_is_left_and_what_is_shown() -> None:
    status, page = got("/api/v1/main/stock")
    assert status == 200
    assert page == {
        "items": [
            {
                "sku": "TEE/1",
                "group": "main",
                "title": "Tee <1>",
                "policy": "mirror",
                "left": 8,
                "reserve": -8,
                "shown": {"shopify": 8, "wix": 8},
                "wanted": {"shopify": 8, "wix": 8},
                "in_step": True,
                "held": False,
                "frozen": False,
                "guaranteed": False,
                "not_guaranteed_because": None,
                "in_bundles": 0,
                "decided_by": "",
                "capped": {},
            }
        ],
        "next": None,
    }


def test_a_store_that_lags_is_out_of_step_under_mirror() -> None:
    status, found = got("/api/v1/main/status", wix_level=10)
    assert status == 200
    assert found["stock"]["skus_out_of_step"] == 1
    assert found["stock"]["drift"] == {"shopify": 0, "wix": 2}
    assert found["healthy"] is False


def test_status_counts_everything() -> None:
    _, found = got("/api/v1/main/status")
    assert found["traffic"]["units_sold"] == 2
    assert found["traffic"]["orders"] == {"shopify": 1}
    assert found["propagation_ms"] == {"n": 1, "p50": 120, "p95": 120, "p99": 120}
    assert found["cases_open"] == {"write_refused": 1}
    assert found["events"]["accepted"] == 3
    assert found["events"]["waiting"] == 1
    assert found["events"]["unaccounted"] == 0
    assert found["problems"] == ["1 case is open: storebridge exceptions list."]
    assert found["healthy"] is True
    assert {row["stage"]: row["waiting"] for row in found["backlog"]}["normalize"] == 1


def test_a_sku_with_a_slash_has_its_story() -> None:
    status, story = got("/api/v1/main/stock/TEE%2F1")
    assert status == 200
    assert story["pools"][0]["sums"] == [
        "10 units exist: taken in, received and counted.",
        "shopify, Warehouse: was given 10, shows 8: 2 sold, net.",
        "wix, Warehouse: was given 8, shows 8: nothing sold.",
        "Left to sell: 10 - 2 = 8.",
    ]
    assert [m["sentence"] for m in story["movements"]] == ["shopify, Warehouse fell by 2, to 8."]
    assert story["orders"][0]["name"] == "#1001"


def test_lists_page_with_a_next_link() -> None:
    async def play(bridge: Bridge) -> list[Any]:
        app, path, seen = build_console_app(bridge), "/api/v1/main/events?limit=2", []
        while path:
            page = (await ask(app, path)).json
            seen.append([row["delivery_id"] for row in page["items"]])
            path = page["next"]
        return seen

    assert in_world(play) == [["d/2", "d/1"], ["d/0"]]


def test_stock_pages_by_sku_and_group() -> None:
    async def play(bridge: Bridge) -> list[Any]:
        await bridge.store.run(_add_pools, [("TEE/1", "outlet"), ("ZED", "main")])
        app, path, seen = build_console_app(bridge), "/api/v1/main/stock?limit=1", []
        while path:
            page = (await ask(app, path)).json
            seen.append([(line["sku"], line["group"]) for line in page["items"]])
            path = page["next"]
        return seen

    assert in_world(play) == [[("TEE/1", "main")], [("TEE/1", "outlet")], [("ZED", "main")]]


def _add_pools(tx: Tx, names: list[tuple[str, str]]) -> None:
    for sku, group in names:
        row = {"pool_id": f"{sku}@{group}", "lane": "l2", "sku": sku, "location_group": group, "goods": 0}
        tx.conn.execute(insert(pools).values(workspace="main", **row))


def test_one_event_by_delivery_id_or_number() -> None:
    assert got("/api/v1/main/events/d/1")[1]["signals"][0]["state"] == "confirmed"
    assert got("/api/v1/main/events/3")[1]["signals"][0]["delivery_id"] == "d/2"
    assert got("/api/v1/main/events/none") == (
        404,
        {"error": "There is no event 'none' in workspace 'main': give a delivery's id, or a signal's number."},
    )


def test_cases_say_what_can_be_done() -> None:
    async def play(bridge: Bridge) -> Any:
        app = build_console_app(bridge)
        (case,) = (await ask(app, "/api/v1/main/exceptions?reason=write_refused")).json["items"]
        view = (await ask(app, f"/api/v1/main/exceptions/{case['case_id']}")).json
        body = msgspec.json.encode({"choice": "accept"})
        where = f"/api/v1/main/exceptions/{case['case_id']}/resolve"
        refused = await ask(app, where, method="POST", body=body, headers=JSON)
        body = msgspec.json.encode({"choice": "done", "note": "seen", "actor": "me"})
        done = await ask(app, where, method="POST", body=body, headers=JSON)
        left = (await ask(app, "/api/v1/main/exceptions")).json["items"]
        return view["choices"], refused.status, done.json["closed"], left

    assert in_world(play) == (["done", "retry"], 409, True, [])


def test_orders_and_audit_are_listed() -> None:
    (order,) = got("/api/v1/main/orders")[1]["items"]
    assert (order["name"], order["place"], order["lines"][0]["sku"], order["lines"][0]["to_ship"]) == (
        "#1001",
        "ready",
        "TEE/1",
        2,
    )
    assert got("/api/v1/main/audit?kind=case_opened")[1]["items"][0]["subject"] == "TEE/1"


def test_one_order_is_told_by_its_name_and_an_unknown_one_is_not_found() -> None:
    status, view = got("/api/v1/main/orders/%231001")
    assert (status, view["queued"]["place"], view["order"]["name"]) == (200, "ready", "#1001")
    assert [entry["kind"] for entry in view["history"]] == ["placed"]
    assert got("/api/v1/main/orders/nothing")[0] == 404


def test_a_day_is_told_as_of_now_and_a_version_that_was_not_made_is_not_found() -> None:
    status, kept = got("/api/v1/main/settlements/2026-11-24")
    assert (status, kept["version"], kept["statement"]["state"]) == (200, 0, "running")
    lines = [(line["kind"], line["order_name"], line["amount"]) for line in kept["statement"]["lines"]]
    euros = {"amount": "20.00", "currency": "EUR"}
    assert lines == [("order", "#1001", euros), ("payment", "#1001", euros)]
    assert got("/api/v1/main/settlements/2026-11-24?version=1") == (
        404,
        {"error": "There is no version 1 of the statement of 2026-11-24."},
    )
    assert got("/api/v1/main/settlements/today")[0] == 400
    assert got("/api/v1/main/settlements") == (200, {"items": [], "next": None})


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "tomorrow"])
def test_a_day_that_no_shop_has_seen_is_none(day: str) -> None:
    wrong = {"error": f"{day!r} is no day: write it as 2026-11-25."}
    assert got(f"/api/v1/main/settlements/{day}") == (400, wrong)
    assert got(f"/api/v1/main/settlements?after={day}") == (400, wrong)


def test_a_version_that_no_database_can_hold_is_not_found() -> None:
    status, told = got(f"/api/v1/main/settlements/2026-11-24?version={10**20}")
    assert (status, told) == (404, {"error": f"There is no version {10**20} of the statement of 2026-11-24."})


def test_an_order_has_an_invoice() -> None:
    status, invoice = got("/api/v1/main/invoices/%231001")
    assert (status, invoice["order_name"], invoice["total"]["shop"]["amount"]) == (200, "#1001", "20.00")
    assert got("/api/v1/main/invoices/%239")[0] == 404


def test_a_warehouse_tells_by_the_api_what_it_picked_packed_and_sent() -> None:
    told = {"order": "#1001", "actor": "me"}

    async def play(bridge: Bridge) -> Any:
        app = build_console_app(bridge)

        async def post(path: str, body: dict[str, Any]) -> Any:
            sent = msgspec.json.encode({**told, **body})
            return await ask(app, f"/api/v1/main/{path}", method="POST", body=sent, headers=JSON)

        answers = [
            await post("holds", {"hold": True, "why": "wants blue"}),
            await post("parcels", {"number": "7"}),
            await post("holds", {"hold": False}),
            await post("picks", {"step": "packed", "lines": {"TEE/1": 1}}),
            await post("parcels", {"number": "7", "reference": "box", "lines": {"TEE/1": 1}}),
            await post("parcels", {"number": "7", "reference": "box", "lines": {"TEE/1": 1}}),
            await post("parcels", {"number": "8", "lines": {"TEE/1": 2}}),
            await post("parcels/import", {"csv": "order,units,parcel\n#1001,1,box 2\n#9,1,box 3\n"}),
            await post("parcels/change", {"parcel": "box", "cancel": True}),
        ]
        return [(answer.status, answer.json) for answer in answers]

    found = in_world(play)
    assert [status for status, _ in found] == [200, 409, 200, 200, 200, 200, 409, 200, 200]
    assert (found[0][1]["place"], found[2][1]["place"]) == ("on_hold", "ready")
    assert (found[4][1]["units"], found[5][1]["repeated"]) == (1, True)
    assert found[6][1]["error"] == "Order #1001: 2 of TEE/1 cannot be sent, 1 are left."
    assert (found[7][1]["noted"], [row["lines"] for row in found[7][1]["refused"]]) == (1, [[3]])


def test_goods_are_received_and_counted() -> None:
    status, booked = posted("/api/v1/main/receive/TEE%2F1", {"units": 5, "actor": "me"})
    assert (status, booked["units"], booked["goods_left"]) == (200, 5, 13)
    status, booked = posted("/api/v1/main/count/TEE%2F1", {"units": 3})
    assert (status, booked["units"], booked["goods_left"]) == (200, -5, 3)


def test_an_undo_without_apply_only_tells() -> None:
    async def play(bridge: Bridge) -> list[Any]:
        app = build_console_app(bridge)
        bodies = [b'{"minutes": 5}', b'{"minutes": 5, "apply": true}', b'{"minutes": 5}']
        await ask(app, "/api/v1/main/receive/TEE%2F1", method="POST", body=b'{"units": 3}', headers=JSON)
        return [await ask(app, "/api/v1/main/undo", method="POST", body=body, headers=JSON) for body in bodies]

    told, done, again = in_world(play)
    for answer, applied in ((told, False), (done, True)):
        (pool,) = answer.json["pools"]
        assert (answer.json["applied"], answer.json["units"]) == (applied, 3)
        assert (pool["sku"], pool["units"], pool["left_before"], pool["left_after"]) == ("TEE/1", -3, 11, 8)
    assert (again.status, again.json["error"][:35]) == (404, "No edit by staff, receipt, count or")


def test_a_campaign_is_started_shown_and_stopped() -> None:
    async def play(bridge: Bridge) -> list[Any]:
        app = build_console_app(bridge)
        started = await ask(
            app, "/api/v1/main/campaigns/start", method="POST", body=b'{"hours": 6, "skus": "TEE*"}', headers=JSON
        )
        shown = await ask(app, "/api/v1/main/campaigns")
        stock = await ask(app, "/api/v1/main/stock")
        overview = await ask(app, "/", headers={"accept": "text/html"})
        stopped = await ask(app, "/api/v1/main/campaigns/stop", method="POST", body=b"{}", headers=JSON)
        return [started.json["running"], shown.json["running"], stock.json["items"], overview.text, stopped.json]

    started, shown, stock, overview, stopped = in_world(play)
    assert [(c["skus"], c["started_by"], c["ends_at"]) for c in started] == [("TEE*", "api", "2026-11-24T18:00:00Z")]
    assert shown == started
    assert [line["policy"] for line in stock] == ["escrow"]
    assert "TEE* under escrow until 2026-11-24 18:00 UTC." in overview
    assert stopped["running"] == []


def test_a_backfill_is_asked_for_shown_everywhere_and_cancelled() -> None:
    async def play(bridge: Bridge) -> list[Any]:
        app = build_console_app(bridge)
        path = "/api/v1/main/backfills"
        asked = await ask(app, path, method="POST", body=b'{"days": 30, "connection": "wix"}', headers=JSON)
        shown = await ask(app, path)
        status = await ask(app, "/api/v1/main/status")
        pages = [(await ask(app, place, headers={"accept": "text/html"})).text for place in ("/", "/orders")]
        cancelled = await ask(app, f"{path}/cancel", method="POST", body=b"{}", headers=JSON)
        after = await ask(app, "/api/v1/main/status")
        told = [one.json for one in (asked, shown, status, cancelled, after)]
        return [*told, *pages]

    asked, shown, status, cancelled, after, overview, orders = in_world(play)
    assert [(one["connection"], one["state"], one["percent"]) for one in asked["stores"]] == [("wix", "waiting", 0)]
    assert shown["stores"] == asked["stores"] == status["backfills"]
    assert "wix since 2026-10-25, 0 % (0 orders)" in overview
    assert "Backfill of wix since 2026-10-25: waiting, 0 %, 0 orders listed, 0 of them read." in orders
    assert [one["state"] for one in cancelled["stores"]] == ["cancelled"]
    assert after["backfills"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("receive/TEE%2F1", {"units": 0}, 422, "0 units of TEE/1 cannot be received"),
        ("receive/NONE", {"units": 1}, 404, "No SKU 'NONE' is kept in step"),
        ("receive/TEE%2F1", {"units": "many"}, 422, "body.units: "),
        ("replay", {"event": "none"}, 404, "There is no event 'none'"),
        ("undo", {}, 409, "Say from when"),
        ("undo", {"minutes": 5, "skus": "MUG"}, 404, "No edit by staff"),
        ("campaigns/start", {"hours": 0, "skus": "TEE/1"}, 422, "A campaign cannot last 0 hours"),
        ("campaigns/start", {"hours": 1, "skus": "MUG"}, 404, "No SKU that is kept in step matches 'MUG'"),
        ("campaigns/start", {"hours": "long"}, 422, "body.hours: "),
        ("campaigns/stop", {"skus": "TEE/1"}, 404, "No campaign for TEE/1 runs."),
        ("backfills", {"days": 0}, 422, "0 days of orders cannot be read"),
        ("backfills", {"days": 9, "copies": True}, 409, "There is nowhere to copy to"),
        ("backfills/cancel", {}, 404, "No backfill is under way."),
    ],
)
def test_a_refusal_is_one_sentence(path: str, body: dict[str, Any], status: int, error: str) -> None:
    found, answer = posted(f"/api/v1/main/{path}", body)
    assert found == status
    assert answer["error"].startswith(error)


@pytest.mark.parametrize("listed", ["events", "exceptions", "audit", "stock", "orders", "orders?sort=promise"])
def test_a_page_that_begins_nowhere_is_refused_instead_of_beginning_anew(listed: str) -> None:
    status, answer = got(f"/api/v1/main/{listed}{'&' if '?' in listed else '?'}after=zzz")
    assert (status, set(answer)) == (422, {"error"})
    assert answer["error"].startswith("'zzz' is no place in this list: take it from `next`")


def test_the_console_says_so_too() -> None:
    async def play(bridge: Bridge) -> Any:
        return await ask(build_console_app(bridge), "/stock?after=zzz", headers={"accept": "text/html"})

    answer = in_world(play)
    assert answer.status == 422
    assert "no place in this list" in answer.text


def test_a_mistyped_address_is_answered_like_every_other_error() -> None:
    status, answer = got("/api/v1/main/stocks")
    assert status == 404
    assert answer == {"error": "There is nothing at '/api/v1/main/stocks': /api/openapi.json names every address."}
    status, answer = posted("/api/v1/main/stock", {})
    assert status == 405
    assert answer == {"error": "'/api/v1/main/stock' does not take POST: /api/openapi.json says what it takes."}


def test_which_couriers_are_rung_is_nobody_elses_business() -> None:
    _, booked = posted("/api/v1/main/receive/TEE%2F1", {"units": 5})
    assert set(booked) == {"sku", "group", "units", "goods_left"}
    _, document = got("/api/openapi.json")
    assert [
        name for name, shape in document["components"]["schemas"].items() if "wake" in shape.get("properties", {})
    ] == []


def test_an_event_is_replayed() -> None:
    status, replayed = posted("/api/v1/main/replay", {"event": "d/0", "from_stage": "plan"})
    assert (status, replayed["signals"], replayed["from_stage"]) == (200, 1, "plan")


def test_the_description_names_every_path_and_resolves() -> None:
    _, document = got("/api/openapi.json")
    reads = {path.removeprefix("/v1/{workspace}/") for path, verbs in document["paths"].items() if "get" in verbs}
    assert reads == {
        "status",
        "overview",
        "stock",
        "stock/{sku}",
        "orders",
        "orders.csv",
        "pick-lists",
        "orders/{order}",
        "settlements",
        "settlements/{day}",
        "settlements/{day}/lines.csv",
        "invoices/{order}",
        "backfills",
        "campaigns",
        "events",
        "events/{event}",
        "exceptions",
        "exceptions/{case_id}",
        "audit",
    }
    assert document["servers"] == [{"url": "/api"}]
    assert "next" in document["components"]["schemas"]["StockPage"]["required"]
    wanted = set(_references(document))
    assert wanted <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _references(value)]
    return [ref for value in node for ref in _references(value)] if isinstance(node, list) else []


def test_metrics_carry_the_promised_names() -> None:
    async def play(bridge: Bridge) -> str:
        return (await ask(build_console_app(bridge), "/metrics")).text

    text = in_world(play)
    for line in (
        'storebridge_events_total{flow="stock",outcome="confirmed",stage="confirm",workspace="main"} 2.0',
        'storebridge_backlog{stage="normalize",workspace="main"} 1.0',
        'storebridge_oldest_age_seconds{stage="normalize",workspace="main"} 3.0',
        'storebridge_exceptions_open{reason="write_refused",workspace="main"} 1.0',
        'storebridge_drift_units{connection="wix",workspace="main"} 0.0',
        'storebridge_mapping_coverage_ratio{kind="variant",workspace="main"} 1.0',
        'storebridge_propagation_seconds_bucket{flow="stock",le="0.25",workspace="main"} 1.0',
        'storebridge_stage_seconds_count{stage="confirm",workspace="main"} 2.0',
        'storebridge_api_budget_ratio{connection="wix",workspace="main"} 1.0',
    ):
        assert line in text.splitlines()
    assert "# TYPE storebridge_api_calls_total counter" in text


def test_a_store_that_does_not_answer_is_told_as_such_and_nothing_is_begun() -> None:
    status, answer = posted("/api/v1/main/baseline", {"sign_off": True})
    assert status == 503
    assert "did not answer" in answer["error"]
    assert answer["error"].endswith("then try again. Nothing was changed.")
