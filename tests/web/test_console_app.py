"""The console: its pages, who may come in, and what a browser may do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from console_world import NOW, TOKEN, Answer, ask, in_world
from sqlalchemy import update

from storebridge.bootstrap import Bridge
from storebridge.errors import ConfigurationError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.settings import Override
from storebridge.model.stock import Policy
from storebridge.operations.settle_case import Choice
from storebridge.store.database import Tx
from storebridge.store.tables import positions
from storebridge.web.console.answers import ANSWERS
from storebridge.web.console.app import build_console_app
from storebridge.web.console.render import left, link, signed, span
from storebridge.web.guard import COOKIE, cookie_value, host_without_port

HTML = {"accept": "text/html"}
OUTSIDE = {"listen": "0.0.0.0:8790"}


def page(path: str, headers: dict[str, str] | None = None, **terms: Any) -> Answer:
    async def play(bridge: Bridge) -> Answer:
        return await ask(build_console_app(bridge), path, headers={**HTML, **(headers or {})})

    answer: Answer = in_world(play, **terms)
    return answer


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ["In step", "Units sold", "fell by 2, to 8.", "write refused", "Shopify"]),
        ("/stock", ["TEE/1", "Tee &lt;1&gt;", "in step"]),
        ("/stock?search=tee", ["TEE/1"]),
        ("/stock?search=nothing", ["No SKU matches “nothing”."]),
        ("/stock/TEE%2F1", ["Left to sell: 10 - 2 = 8.", "#1001", "Goods received"]),
        ("/orders", ["#1001", "2 × TEE/1", "ready", "20.00 EUR"]),
        ("/orders?place=shipped", ["No order is shipped."]),
        ("/orders?search=9999", ["No order here matches “9999”."]),
        ("/orders/print", ["#1001", "TEE/1", "1 order, oldest first"]),
        ("/orders/%231001", ["Send a parcel", "TEE/1", "20.00 EUR", "Placed"]),
        ("/settlements", ["No day was settled yet."]),
        ("/settlements/2026-11-24", ["2026-11-24</span></h1>", "running", "not kept yet", "#1001", "20.00 EUR"]),
        ("/settlements/2026-11-24?version=%C2%B2", ["2026-11-24</span></h1>", "not kept yet"]),
        ("/settlements/2026-11-20", ["No order was placed and no money moved"]),
        ("/settlements/2026-11-24/lines.csv", ["state_of_day", "shopify,order,"]),
        ("/invoices/%231001", ["What #1001 charged", "TEE/1", "20.00 EUR"]),
        ("/exceptions", ["Write refused", "&lt;b&gt;no&lt;/b&gt;", "merchant to act"]),
        ("/exceptions?state=resolved", ["No case was resolved yet."]),
        ("/campaigns", ["None. Every SKU follows its configured policy.", "Start the campaign", "(mirror, where no"]),
        ("/audit", ["case opened", "not yet"]),
    ],
)
def test_a_page_shows_what_it_is_for(path: str, words: list[str]) -> None:
    answer = page(path)
    assert answer.status == 200
    missing = [word for word in words if word.lower() not in answer.text.lower()]
    assert missing == []


@pytest.mark.parametrize("before", ["²", "9" * 30, "-1", "x"])
def test_an_odd_page_mark_shows_the_newest_movements(before: str) -> None:
    answer = page(f"/stock/TEE%2F1?before={quote(before)}")
    assert answer.status == 200
    assert "fell by 2, to 8." in answer.text


def test_the_first_page_does_not_call_both_stores_right_while_a_sku_waits_for_a_decision() -> None:
    def hold(tx: Tx) -> None:
        tx.conn.execute(update(positions).where(positions.c.connection == "wix").values(level=12, held=4))

    async def play(bridge: Bridge) -> str:
        await bridge.store.run(hold)
        return (await ask(build_console_app(bridge), "/", headers=HTML)).text

    assert "Both stores are right" in page("/").text
    text = in_world(play)
    assert "In step but for 1 SKU on hold" in text
    assert "0 of 1 SKUs in step, 1 on hold" in text
    assert "Both stores are right" not in text


@pytest.mark.parametrize(
    ("reason", "about", "words"),
    [
        (
            Reason.SKU_DUPLICATE_IN_STORE,
            {"subject": "wix/MUG", "sku": "MUG", "details": {"variants": ["Mug / Blue", "Mug / Red"]}},
            ["Several variants of wix share the SKU MUG", "Mug / Blue", "Mug / Red", "Give every variant its own SKU"],
        ),
        (
            Reason.SKU_BLANK,
            {"subject": "wix/v7", "sku": None, "details": {"variants": ["Mug / Green"]}},
            ["A variant of wix has no SKU", "Mug / Green", "Type the SKU that the other store uses"],
        ),
        (
            Reason.LEVEL_NEGATIVE,
            {"subject": "wix/i@loc", "sku": "TEE/1", "details": {"location": "loc", "level": -3}},
            ["wix shows TEE/1 below zero", "level -3", "receive goods or cancel an order"],
        ),
    ],
)
def test_the_desk_names_the_goods_whose_numbers_are_odd_and_says_what_to_do(
    reason: Reason, about: dict[str, Any], words: list[str]
) -> None:
    async def play(bridge: Bridge) -> tuple[Answer, Answer]:
        wix = ConnectionName("wix")
        opening = CaseOpening(workspace=Workspace("main"), reason=reason, connection=wix, **about)
        await bridge.store.run(lambda tx: raise_cases(tx, [opening]))
        app = build_console_app(bridge)
        cases = (await ask(app, "/api/v1/main/exceptions")).json["items"]
        (case_id,) = [case["case_id"] for case in cases if case["reason"] == reason.value]
        return await ask(app, "/exceptions", headers=HTML), await ask(app, f"/exceptions/{case_id}", headers=HTML)

    listed, shown = in_world(play)
    assert (listed.status, shown.status) == (200, 200)
    assert words[0] in listed.text
    assert [word for word in words if word not in " ".join(shown.text.split())] == []


def test_a_browser_keeps_style_and_script_until_they_change() -> None:
    async def look(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        named = re.findall(r'"(/static/[^"]+)"', (await ask(app, "/", headers=HTML)).text)
        assert len(set(named)) == 3
        for address in named:
            assert (await ask(app, address)).headers["cache-control"] == "public, max-age=31536000, immutable"
            plain = address.partition("?")[0]
            for other in (plain, f"{plain}?v=000000000000"):
                assert (await ask(app, other)).headers["cache-control"] == "no-store"

    in_world(look)


def test_nothing_comes_from_elsewhere_and_nothing_is_inline() -> None:
    answer = page("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin", (
        "no-referrer makes browsers send our forms as from nowhere"
    )
    for inline in (" style=", "<style", "onclick", "https://", "<script>"):
        assert inline not in answer.text


@pytest.mark.parametrize(("policy", "bars"), [("mirror", False), ("hybrid", True), ("escrow", True)])
@pytest.mark.parametrize("path", ["/stock", "/stock/TEE%2F1"])
def test_shares_are_drawn_wherever_stores_have_shares(path: str, policy: str, bars: bool) -> None:
    assert ('<svg class="shares' in page(path, policy=policy).text) is bars


@pytest.mark.parametrize(("own", "named"), [(Policy.ESCROW, True), (Policy.MIRROR, False)])
@pytest.mark.parametrize("path", ["/stock", "/stock/TEE%2F1"])
def test_a_policy_is_named_where_a_sku_has_another_one(path: str, own: Policy, named: bool) -> None:
    async def play(bridge: Bridge) -> Answer:
        bench = bridge.workspaces[Workspace("main")]
        bench.terms = msgspec.structs.replace(bench.terms, overrides=(Override("TEE*", policy=own),))
        return await ask(build_console_app(bridge), path, headers=HTML)

    text = in_world(play, policy="mirror").text
    assert (">escrow<" in text, '<svg class="shares' in text) == (named, named)
    assert (f"{own}: override TEE*." in text) is (path != "/stock")


def test_escrow_says_when_a_sale_lowers_the_other_store() -> None:
    text = " ".join(page("/", policy="escrow").text.split())
    assert "A sale lowers the other store only when shares are rebalanced." in text


def test_the_first_page_is_sent_again_as_it_changes() -> None:
    async def play(bridge: Bridge) -> Answer:
        return await ask(build_console_app(bridge), "/live", until=lambda body: body.count(b"\n\n") >= 2)

    answer = in_world(play)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith('event: overview\ndata: "<section')
    assert ": the same\n\n" in answer.text


def test_goods_are_booked_and_a_case_is_settled_from_a_page() -> None:
    async def play(bridge: Bridge) -> Any:
        app = build_console_app(bridge)
        booked = await ask(app, "/stock/TEE%2F1", method="POST", body=b"units=5&what=receive&group=main")
        wrong = await ask(app, "/stock/TEE%2F1", method="POST", body=b"units=five&what=receive", headers=HTML)
        (case,) = (await ask(app, "/api/v1/main/exceptions")).json["items"]
        where = f"/exceptions/{case['case_id']}"
        bad = await ask(app, where, method="POST", body=b"choice=maybe", headers=HTML)
        done = await ask(app, where, method="POST", body=b"choice=done&note=seen")
        after = await ask(app, where, headers=HTML)
        line = (await ask(app, "/api/v1/main/stock")).json["items"][0]
        resolved = "Resolved" in after.text and "done: seen" in after.text
        return booked.status, wrong.status, bad.status, done.status, resolved, line["left"]

    assert in_world(play) == (303, 409, 409, 303, True, 13)


def test_what_is_not_there_is_said_in_the_readers_language() -> None:
    assert page("/nope").status == 404
    assert "There is nothing at this address." in page("/nope").text
    assert "No SKU &#39;NONE&#39;" in page("/stock/NONE").text
    assert page("/nope", {"accept": "*/*"}).json == {"error": "There is nothing at this address."}


def test_on_loopback_only_this_machine_is_answered() -> None:
    assert page("/", {"host": "rebound.example:8790"}).status == 421
    assert page("/", {"host": "localhost:8790"}).status == 200
    assert host_without_port("[::1]:8790") == "[::1]"
    assert host_without_port("LOCALHOST") == "localhost"


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}]
)
def test_another_site_can_change_nothing(headers: dict[str, str]) -> None:
    async def play(bridge: Bridge) -> int:
        path, body = "/api/v1/main/receive/TEE%2F1", b'{"units": 1}'
        sent = {"content-type": "application/json", **headers}
        return (await ask(build_console_app(bridge), path, method="POST", body=body, headers=sent)).status

    assert in_world(play) == 403


def test_bound_elsewhere_the_token_is_demanded() -> None:
    assert page("/", **OUTSIDE).headers["location"] == "/sign-in"
    assert page("/api/v1/main/status", {"accept": "*/*"}, **OUTSIDE).status == 401
    assert page("/metrics", {"accept": "*/*"}, **OUTSIDE).status == 401
    assert page("/api/v1/main/status", {"authorization": "Bearer wrong"}, **OUTSIDE).status == 401
    assert page("/api/v1/main/status", {"authorization": f"Bearer {TOKEN}"}, **OUTSIDE).status == 200
    assert page("/", {"cookie": f"{COOKIE}={cookie_value(TOKEN)}"}, **OUTSIDE).status == 200
    assert page("/", {"cookie": f"{COOKIE}={TOKEN}"}, **OUTSIDE).status == 303
    assert page("/healthz", **OUTSIDE).status == 200


def test_the_token_signs_in_once() -> None:
    async def play(bridge: Bridge) -> Any:
        app = build_console_app(bridge)
        form = await ask(app, "/sign-in", headers=HTML)
        wrong = await ask(app, "/sign-in", method="POST", body=b"token=guess", headers=HTML)
        right = await ask(app, "/sign-in", method="POST", body=f"token={TOKEN}".encode())
        return form.status, wrong.status, right.status, right.headers["set-cookie"]

    form, wrong, right, cookie = in_world(play, **OUTSIDE)
    assert (form, wrong, right) == (200, 401, 303)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie


@pytest.mark.parametrize("environ", [{"SECRET": "s"}, {"SECRET": "s", "TOKEN": "short"}])
def test_an_open_console_is_refused(environ: dict[str, str]) -> None:
    async def play(bridge: Bridge) -> None:
        build_console_app(bridge)

    with pytest.raises(ConfigurationError, match=r"server.console_token"):
        in_world(play, environ=environ, **OUTSIDE)


def test_figures_are_written_for_people() -> None:
    assert span(None, NOW) == "never"
    assert span(NOW, NOW) == "0 s"
    assert signed(-3) == "−3"
    assert link("/stock", search="a b", after=None) == "/stock?search=a+b"


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (timedelta(hours=24), "1 d"),
        (timedelta(hours=23, minutes=59, seconds=58), "1 d"),
        (timedelta(hours=23), "23 h"),
        (timedelta(hours=47), "1 d 23 h"),
        (timedelta(days=6, hours=23, minutes=59), "7 d"),
        (timedelta(hours=6, seconds=-1), "6 h"),
        (timedelta(hours=1, minutes=30), "1 h 30 min"),
        (timedelta(hours=1, minutes=29, seconds=58), "1 h 30 min"),
        (timedelta(minutes=59, seconds=1), "1 h"),
        (timedelta(seconds=61), "2 min"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_what_is_left_of_a_time_is_said_to_the_minute_and_not_cut(time: timedelta, told: str) -> None:
    assert left(NOW + time, NOW) == told


def test_the_counts_beside_the_cases_of_a_sku_are_of_that_sku() -> None:
    async def play(bridge: Bridge) -> Any:
        app = build_console_app(bridge)
        other = CaseOpening(workspace=Workspace("main"), reason=Reason.WRITE_REFUSED, subject="wix/cap", sku="CAP")
        await bridge.store.run(raise_cases, [other])
        texts = [(await ask(app, f"/exceptions{query}", headers=HTML)).text for query in ("", "?sku=CAP", "?sku=NONE")]
        return [re.findall(r"All <small>(\d+)</small>", text) for text in texts]

    assert in_world(play) == [["2"], ["1"], []]


def test_a_parcel_is_sent_from_the_orders_page_and_shown_as_under_way() -> None:
    async def play(bridge: Bridge) -> tuple[int, int, str]:
        app = build_console_app(bridge)
        form = {**HTML, "content-type": "application/x-www-form-urlencoded"}
        body = b"what=ship&units%3Al1=1&company=DHL&number=77&notify=yes"
        sent = await ask(app, "/orders/%231001", method="POST", body=body, headers=form)
        refused = await ask(app, "/orders/%231001", method="POST", body=b"what=ship&units%3Al1=2", headers=form)
        shown = await ask(app, "/orders/%231001", headers=HTML)
        return sent.status, refused.status, refused.text + shown.text

    sent, refused, text = in_world(play)
    assert (sent, refused) == (303, 409)
    assert "Order #1001: 2 of TEE/1 cannot be sent, 1 are left." in text
    assert "add parcel to shopify" in text


def test_a_held_order_says_who_holds_it_and_is_let_go_again() -> None:
    async def play(bridge: Bridge) -> list[str]:
        app = build_console_app(bridge)
        form = {**HTML, "content-type": "application/x-www-form-urlencoded"}
        texts = []
        for body in (b"what=hold&why=wants+blue", b"what=release"):
            await ask(app, "/orders/%231001", method="POST", body=body, headers=form)
            texts.append((await ask(app, "/orders/%231001", headers=HTML)).text)
        return texts

    held, free = in_world(play)
    assert "held by console" in held
    assert "wants blue" in held
    assert "held by console" not in free


async def raise_about_orders(bridge: Bridge, app: Any) -> str:
    """Two cases about copies and one that is there already; returns the order's key."""
    key = str((await ask(app, "/api/v1/main/orders")).json["items"][0]["order_key"])
    opening = CaseOpening(
        workspace=Workspace("main"),
        reason=Reason.COPY_DIFFERS,
        subject=key,
        connection=ConnectionName("wix"),
        details={
            "order": "#1001",
            "order_key": key,
            "of": "shopify",
            "id": "o1",
            "copy_id": "gid-9",
            "lines": [],
            "total": "3.00 EUR",
        },
    )
    await bridge.store.run(lambda tx: raise_cases(tx, [opening]))
    return key


def test_an_order_that_is_not_known_here_is_named_and_leads_nowhere() -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        opening = CaseOpening(
            workspace=Workspace("main"),
            reason=Reason.MONEY_UNEXPLAINED,
            subject="shopify:booked:e1",
            connection=ConnectionName("shopify"),
            details={"day": "2026-11-24", "order": "#77", "order_key": "", "ours": "0.00 EUR"},
        )
        await bridge.store.run(lambda tx: raise_cases(tx, [opening]))
        (found,) = (await ask(app, "/api/v1/main/exceptions?reason=money_unexplained")).json["items"]
        text = (await ask(app, f"/exceptions/{found['case_id']}", headers=HTML)).text
        assert "<dt>Order</dt><dd>#77</dd>" in text
        assert 'href="/orders/#77"' not in text

    in_world(play)


def test_cases_are_counted_by_reason_and_one_reason_is_picked() -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        await raise_about_orders(bridge, app)
        every = (await ask(app, "/exceptions", headers=HTML)).text
        assert "Copy differs <small>1</small>" in every
        assert "Write refused <small>1</small>" in every
        assert "All <small>2</small>" in every
        assert "Copy differs: #1001</a>" in every
        one = (await ask(app, "/exceptions?reason=copy_differs", headers=HTML)).text
        assert one.count("<li class=") == 1
        none = (await ask(app, "/exceptions?reason=oversold", headers=HTML)).text
        assert "No such case is open." in none

    in_world(play)


def test_a_case_about_an_order_leads_to_it_and_says_what_each_answer_does() -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        key = await raise_about_orders(bridge, app)
        found = (await ask(app, "/api/v1/main/exceptions?reason=copy_differs")).json["items"]
        text = (await ask(app, f"/exceptions/{found[0]['case_id']}", headers=HTML)).text
        assert f'<a href="/orders/{key}">#1001</a>' in text
        assert "(order #1001, of shopify, total 3.00 EUR)" in text
        assert "<dt>The copy’s id</dt><dd>gid-9</dd>" in text
        assert text.index("Everything is read again now") < text.index("It is settled outside")

    in_world(play)


def test_every_answer_that_a_case_can_take_is_explained_once() -> None:
    assert sorted(answer.choice for answer in ANSWERS) == sorted(choice.value for choice in Choice)
