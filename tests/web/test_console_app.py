"""The console: its pages, who may come in, and what a browser may do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from console_world import NOW, TOKEN, Answer, ask, in_world

from storebridge.bootstrap import Bridge
from storebridge.errors import ConfigurationError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.settings import Override
from storebridge.model.stock import Policy
from storebridge.web.console.app import build_console_app
from storebridge.web.console.render import link, signed, span
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
        ("/orders/print", ["#1001", "TEE/1", "1 orders"]),
        ("/orders/%231001", ["Send a parcel", "TEE/1", "20.00 EUR", "Placed"]),
        ("/exceptions", ["Write refused", "&lt;b&gt;no&lt;/b&gt;", "merchant to act"]),
        ("/exceptions?state=resolved", ["No case was resolved yet."]),
        ("/audit", ["case opened", "not yet"]),
    ],
)
def test_a_page_shows_what_it_is_for(path: str, words: list[str]) -> None:
    answer = page(path)
    assert answer.status == 200
    missing = [word for word in words if word.lower() not in answer.text.lower()]
    assert missing == []


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
