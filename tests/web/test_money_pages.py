"""Money in the console: every figure in its place, explained, and linked to its order."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from console_world import NOW, ask, in_world

from builders.orders import eur, make_line, make_order
from storebridge.bootstrap import Bridge
from storebridge.flows.settlement import statement_of
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.sales import Address, Payment, PaymentKind, PaymentOutcome
from storebridge.model.settlement import Books, BooksState
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.reconcile.settlement import facts_of
from storebridge.store.books import save_books
from storebridge.store.settlements import add_version, digest_of
from storebridge.web.console import settlement_pages
from storebridge.web.console.app import build_console_app
from storebridge.web.console.render import address, percent

HTML = {"accept": "text/html"}
DAY = "/settlements/2026-11-24"
LATER = NOW + timedelta(minutes=1)


def shown(path: str) -> str:
    async def play(bridge: Bridge) -> str:
        answer = await ask(build_console_app(bridge), path, headers=HTML)
        assert answer.status == 200
        return answer.text

    text: str = in_world(play)
    return text


def rungs(text: str) -> list[tuple[str, str]]:
    """Names and figures of the sums, from top to bottom."""
    found = re.findall(r"<dt>([^<]+?)(?: <small>[^<]*</small>)?</dt><dd[^>]*>([^<]+)</dd>", text)
    return [(name.strip(), figure) for name, figure in found]


def test_the_sums_of_a_day_stand_one_under_the_other_and_say_where_the_net_is() -> None:
    sums = rungs(shown(DAY))
    assert sums[:6] == [
        ("Received", "20.00 EUR"),
        ("Refunded", "0.00 EUR"),
        ("Charged back", "0.00 EUR"),
        ("Fees", "0.00 EUR"),
        ("Other", "0.00 EUR"),
        ("Net", "20.00 EUR"),
    ]
    where = dict(sums[6:11])
    assert sums[11] == ("Net", "20.00 EUR")
    assert sorted(where.values()) == ["0.00 EUR"] * 4 + ["20.00 EUR"], "they come to the net"


def test_every_line_of_a_day_leads_to_the_invoice_of_its_order() -> None:
    text = shown(DAY)
    lines = re.findall(r'<th scope="row"><a href="/invoices/shopify-[0-9a-f]{12}">#1001</a></th>', text)
    assert len(lines) == 2, "the order and its payment"
    assert "above zero is in your favour" in text


@pytest.mark.parametrize(
    ("query", "lines", "before", "after"),
    [
        ("", 1, False, True),
        ("?line=1", 1, True, False),
        ("?line=0", 1, False, True),
        ("?line=%C2%B2", 1, False, True),
        ("?line=99999999", 1, True, False),
    ],
)
def test_a_long_day_is_turned_page_by_page(
    query: str, lines: int, before: bool, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement_pages, "LINES", 1)
    text = shown(DAY + query)
    assert text.count('<td class="when">') == lines
    assert ("Lines before" in text, "Lines after" in text) == (before, after)


BOOKS_HIDDEN = "fees and payouts of shopify are missing on this day: its payment provider's books are hidden"
BOOKS_YOUNG = (
    "fees and payouts of shopify are missing on this day, or some of them: its payment provider's books are known "
    "since 2026-11-24 10:00 UTC only; 'storebridge orders backfill --days 1' reads them"
)


@pytest.mark.parametrize(
    ("books", "gap"),
    [
        (Books(BooksState.HIDDEN, "no scope", NOW), BOOKS_HIDDEN),
        (Books(BooksState.READ, "", NOW, NOW - timedelta(hours=2)), BOOKS_YOUNG),
        (Books(BooksState.NONE, "", NOW), ""),
    ],
)
def test_a_day_with_a_gap_says_what_is_missing_once(books: Books, gap: str) -> None:
    async def play(bridge: Bridge) -> str:
        await bridge.store.run(save_books, Workspace("main"), ConnectionName("shopify"), books)
        answer = await ask(build_console_app(bridge), DAY, headers=HTML)
        return str(answer.text)

    notes = re.findall(r'<p class="alert" role="note">(.*?)</p>', in_world(play))
    assert [html.unescape(note) for note in notes] == ([f"Incomplete: {gap}."] if gap else [])


def test_the_proof_of_a_statement_names_the_audit_on_paper_too() -> None:
    async def play(bridge: Bridge) -> str:
        terms = bridge.workspaces[Workspace("main")].terms
        day = NOW.date()
        statement = await bridge.store.read(lambda tx: statement_of(facts_of(tx, terms, day)))
        await bridge.store.run(add_version, terms.workspace, statement, 1, digest_of(statement))
        answer = await ask(build_console_app(bridge), DAY, headers=HTML)
        return str(answer.text)

    (proof,) = re.findall(r'<p class="note proof">(.*?)</p>', in_world(play))
    assert 'as it stands in the <a href="/audit?kind=settlement_made">audit</a>.' in proof


def test_what_was_paid_too_much_is_no_negative_amount() -> None:
    async def play(bridge: Bridge) -> str:
        paid = [
            Payment(f"t{euro}", PaymentKind.SALE, PaymentOutcome.SUCCESS, eur(euro), NOW) for euro in ("20.00", "5.00")
        ]
        terms, ids = bridge.workspaces[Workspace("main")].terms, bridge.environment.ids
        order = make_order(make_line(units=2, sku="TEE/1"), placed_at=NOW, updated_at=LATER, payments=tuple(paid))
        await bridge.store.run(lambda tx: OrderTurn(tx, terms, ids).read(order.connection, [order], []))
        answer = await ask(build_console_app(bridge), "/invoices/%231001", headers=HTML)
        return str(answer.text)

    assert rungs(in_world(play))[-1] == ("Paid too much", "5.00 EUR")


def test_an_invoice_adds_up_line_by_line_and_leads_to_order_and_goods() -> None:
    text = shown("/invoices/%231001")
    sums = re.findall(r'<th scope="row" colspan="5">([^<]+)</th><td[^>]*>([^<]+)<', text)
    assert sums == [("Goods", "20.00 EUR"), ("Shipping", "0.00 EUR"), ("Tax", "0.00 EUR"), ("Total", "20.00 EUR")]
    assert rungs(text) == [("Paid", "20.00 EUR"), ("Went back to the buyer", "0.00 EUR"), ("Still due", "0.00 EUR")]
    assert '<a href="/stock/TEE%2F1">TEE/1</a>' in text
    assert re.search(r'<a href="/orders/shopify-[0-9a-f]{12}">#1001</a>', text)


def test_a_tax_rate_is_told_in_percent() -> None:
    assert [percent(rate) for rate in ("0.19", "0.077", "0.2", "reduced", "0")] == [
        "19 %",
        "7.7 %",
        "20 %",
        "reduced",
        "0 %",
    ]


def test_a_label_has_no_empty_lines() -> None:
    to = Address(first_name="Jun", last_name="Rossi", city="Bern", country="CH")
    assert address(to) == ["Jun Rossi", "Bern", "CH"]
    assert address(Address()) == []


def test_an_order_that_moved_a_sku_is_one_click_away() -> None:
    async def play(bridge: Bridge) -> Any:
        app = build_console_app(bridge)
        story = (await ask(app, "/stock/TEE%2F1", headers=HTML)).text
        (path,) = re.findall(r'<a href="(/orders/[^"]+)">#1001</a>', story)
        return (await ask(app, path, headers=HTML)).status

    assert in_world(play) == 200
