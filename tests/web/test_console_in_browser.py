"""The console in a real browser, on a real server, with two pretend stores behind it."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import re
import shutil
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from storebridge.bootstrap import Bridge
from storebridge.config import SecretRef
from storebridge.web.console.app import build_console_app
from storebridge_proving.stage import Stage, open_stage, wait_until_settled
from storebridge_sandbox.serve import ServedApp

pytestmark = pytest.mark.browser
PATIENCE_MS = 15_000
PATIENCE_SECONDS = 60
TOKEN = "a-token-of-enough-length"
HEAD = (
    "Handle,Title,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,"
    "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy\n"
)
CATALOGUE = HEAD + "".join(
    f"tee-{n},Harbour Tee {n},active,Title,Default Title,TEE-{n},20.00,shopify,40,deny\n" for n in range(12)
)


class Play:
    """A stage that runs in a thread of its own, so that the browser's calls may block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready: Future[Stage] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self.stage = self._ready.result(PATIENCE_SECONDS)
        self.url = self.stage.console_url

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with open_stage(
                self._folder, seed=1, policy="escrow", catalogue=CATALOGUE.encode(), store=None, port=0
            ) as stage:
                await wait_until_settled(stage)
                outside = ServedApp(build_console_app(_bound_elsewhere(stage.bridge)), 0)
                self.guarded_url = outside.url
                self._ready.set_result(stage)
                await self._over.wait()
                await outside.stop()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE_SECONDS)

    def buy(self, store: int, sku: str, quantity: int) -> None:
        body = {"lines": [{"sku": sku, "quantity": quantity}], "customer": {"email": "a@example.org"}}
        self._post(store, "/_sandbox/checkout", body)

    def retype(self, store: int, sku: str, delta: int) -> None:
        """Staff changes a level in the store's admin."""
        self._post(store, "/_sandbox/adjust", {"sku": sku, "delta": delta})

    def _post(self, store: int, path: str, body: dict[str, Any]) -> None:
        asked = urllib.request.Request(
            self.stage.clients[store].base + path,
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS).close()


def _bound_elsewhere(bridge: Bridge) -> Bridge:
    """The same bridge as if its console listened on an address that others reach."""
    outside = copy.copy(bridge)
    server = msgspec.structs.replace(
        bridge.config.server, console_listen="0.0.0.0:8790", console_token=SecretRef(env="CONSOLE_TOKEN")
    )
    outside.config = msgspec.structs.replace(bridge.config, server=server)
    outside.environment = copy.copy(bridge.environment)
    outside.environment.environ = {"CONSOLE_TOKEN": TOKEN}
    return outside


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    playing = Play(tmp_path_factory.mktemp("stage"))
    yield playing
    playing.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(found).exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)("No Chromium: playwright install chromium.")
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, play: Play) -> Iterator[Callable[..., Page]]:
    """Opens pages, and has the test fail when one of them complains or asks another host."""
    complaints: list[str] = []
    hosts: set[str] = set()
    contexts = []

    def open_page(path: str = "/", *, width: int = 1280, base: str | None = None) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on(
            "console",
            lambda message: (
                complaints.append(f"{page.url}: {message.text} {message.location}") if message.type == "error" else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add(re.sub(r"^(\w+://[^/:]+).*", r"\1", request.url)))
        page.goto((base or play.url) + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert hosts == {"http://127.0.0.1"}


def figure(page: Page, name: str) -> Any:
    return page.locator(".figure", has_text=name).locator("dd").first


def test_the_first_page_changes_while_one_watches_and_nothing_jumps(visit: Callable[..., Page], play: Play) -> None:
    page = visit()
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    expect(page.locator(".verdict")).to_contain_text("only when shares are rebalanced")
    expect(page.locator(".store .health")).to_have_text(["Answers", "Answers"])
    expect(figure(page, "Units oversold")).to_have_text("0")
    for name in ("Events a second", "Store to store, p50", "Store to store, p95", "SKUs out of step"):
        expect(figure(page, name)).to_be_visible()
    before = int(figure(page, "Units sold").inner_text())
    page.evaluate(
        "window.jumped = 0; new PerformanceObserver(seen => seen.getEntries().forEach("
        "entry => { window.jumped += entry.value })).observe({type: 'layout-shift'})"
    )
    play.buy(0, "TEE-1", 3)
    play.buy(1, "TEE-2", 2)
    expect(figure(page, "Units sold")).to_have_text(str(before + 5), timeout=PATIENCE_MS)
    expect(page.locator(".happenings")).to_contain_text("TEE-1")
    assert page.evaluate("window.jumped") < 0.02


def test_a_search_leads_to_the_story_of_a_number(visit: Callable[..., Page], play: Play) -> None:
    play.buy(1, "TEE-7", 4)
    page = visit("/stock")
    expect(page.locator("tbody tr")).to_have_count(12)
    page.get_by_label("SKU or title").fill("harbour tee 7")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="TEE-7").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("TEE-7")
    expect(page.locator(".sums li").last).to_contain_text("Left to sell: 40")
    _reload_until(page, ".big", "36")
    expect(page.locator(".sums li").last).to_have_text("Left to sell: 40 - 4 = 36.")
    expect(page.locator(".happenings")).to_contain_text("wix, Online store fell by 4")


def test_a_held_change_is_settled_with_the_keyboard_alone(visit: Callable[..., Page], play: Play) -> None:
    play.retype(0, "TEE-9", 300)
    page = visit("/exceptions")
    _reload_until(page, ".desk", "Change held: TEE-9")
    _tab_to(page, "Change held: TEE-9")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Change held: TEE-9")
    _tab_to(page, "Accept the change")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".tags")).to_contain_text("resolved")
    page.goto(f"{play.url}/stock/TEE-9")
    _reload_until(page, ".big", "340")


def test_a_campaign_is_started_and_ended_with_the_keyboard_alone(visit: Callable[..., Page]) -> None:
    page = visit("/campaigns")
    page.get_by_label("SKUs").fill("TEE-3*")
    page.get_by_label("Hours").fill("1,5")
    page.keyboard.press("Enter")
    expect(page.locator(".campaigns")).to_contain_text("TEE-3* until")
    expect(page.locator(".campaigns")).to_contain_text("1 h 30 min left")
    _tab_to(page, "End it now: TEE-3*")
    page.keyboard.press("Enter")
    expect(page.locator(".campaigns")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("None. Every SKU follows its configured policy.")


def test_on_a_phone_the_pages_are_a_menu_that_the_keyboard_opens_and_escape_closes(visit: Callable[..., Page]) -> None:
    page = visit("/stock", width=390)
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    assert page.locator(".top").bounding_box()["height"] < 64
    assert links.count() == 0
    _tab_to(page, "Menu")
    page.keyboard.press("Enter")
    assert links.all_inner_texts() == ["Overview", "Stock", "Orders", "Money", "Exceptions", "Campaigns", "Audit"]
    assert min(links.nth(at).bounding_box()["height"] for at in range(7)) >= 44
    page.keyboard.press("Escape")
    assert links.count() == 0
    _tab_to(page, "Menu")
    page.keyboard.press("Enter")
    _tab_to(page, "Campaigns")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")


def test_on_a_wide_screen_every_page_is_in_sight(visit: Callable[..., Page]) -> None:
    page = visit("/")
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    assert links.count() == 7
    tops = {links.nth(at).bounding_box()["y"] for at in range(7)}
    assert len(tops) == 1
    expect(page.get_by_role("button", name="Menu")).to_have_count(0)


def width_of(page: Page) -> int:
    """How wide the page is once its style is there: a click only waits until the next page begins."""
    page.wait_for_load_state()
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("path", ["/", "/stock", "/stock/TEE-1", "/settlements", "/exceptions", "/campaigns", "/audit"])
def test_a_phone_shows_it_without_scrolling_sideways(visit: Callable[..., Page], path: str) -> None:
    page = visit(path, width=390)
    assert width_of(page) == 390


ROWS = """[...new Set([...document.querySelectorAll('.filters > :not([type=hidden])')].map(
    one => Math.round(one.getBoundingClientRect().bottom)))].length"""


def test_what_orders_are_looked_for_by_stands_in_one_row_and_two_to_a_row_on_a_phone(
    visit: Callable[..., Page],
) -> None:
    assert visit("/orders").evaluate(ROWS) == 1
    assert visit("/orders", width=390).evaluate(ROWS) in (4, 5), "with and without locations"


ROWS_OF_TEXT = (
    "one => { const of = document.createRange(); of.selectNodeContents(one); return of.getClientRects().length }"
)


def test_on_a_phone_a_sku_stands_in_one_row(visit: Callable[..., Page], play: Play) -> None:
    play.buy(0, "TEE-10", 1)
    stock = visit("/stock", width=390)
    sku = stock.get_by_role("link", name="TEE-10", exact=True)
    assert sku.evaluate(ROWS_OF_TEXT) == 1
    orders = visit("/orders", width=390)
    _reload_until(orders, "table", "TEE-10")
    orders.goto(play.url + "/orders/print")
    picked = orders.locator(".picks .sku", has_text=re.compile("^TEE-10$")).first
    assert picked.evaluate(ROWS_OF_TEXT) == 1
    assert width_of(orders) == 390


LONG_SKU = "HARBOUR-TEE-ORGANIC-NAVY-XXL-001"


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_sku_is_shown_to_its_end(visit: Callable[..., Page], play: Play, width: int) -> None:
    play.buy(0, "TEE-5", 1)
    page = visit("/", width=width)
    link = page.locator(".happenings a").first
    expect(link).to_be_visible()
    cut = f"one => {{ one.textContent = '{LONG_SKU}'; return one.scrollWidth > one.clientWidth }}"
    assert not link.evaluate(cut)
    assert width_of(page) == width


def test_a_long_sku_hides_nothing_of_its_row_on_a_phone(visit: Callable[..., Page], play: Play) -> None:
    for path, row in (("/stock", ".stock tbody a"), ("/orders/print", ".picks .sku")):
        page = visit(path, width=390)
        page.locator(row).evaluate_all(f"all => all.forEach(one => {{ one.textContent = '{LONG_SKU}' }})")
        page.locator(".stock .tag").evaluate_all("all => all.forEach(one => { one.textContent = 'catching up' })")
        assert width_of(page) == 390
        assert not page.evaluate(
            "[...document.querySelectorAll('.scroll')].some(box => box.scrollWidth > box.clientWidth)"
        )


def test_on_a_phone_what_waits_for_a_decision_stands_above_the_backlog(visit: Callable[..., Page]) -> None:
    page = visit("/", width=390)
    tops = [page.get_by_role("heading", name=name).bounding_box()["y"] for name in ("Open cases", "Backlog by stage")]
    assert tops == sorted(tops)


def test_a_case_names_its_location_as_the_store_does(visit: Callable[..., Page], play: Play) -> None:
    play.retype(0, "TEE-11", 300)
    page = visit("/exceptions")
    _reload_until(page, ".desk", "Change held: TEE-11")
    page.get_by_role("link", name="Change held: TEE-11").click()
    expect(page.locator(".facts div", has_text="Location").first).to_contain_text("Main warehouse")
    assert "gid://" not in page.locator(".lede").inner_text()


def test_what_an_order_charged_fits_a_phone_and_a_sheet_of_paper(visit: Callable[..., Page], play: Play) -> None:
    play.buy(0, "TEE-4", 2)
    page = visit("/orders", width=390)
    _reload_until(page, "table", "#10")
    page.get_by_role("link", name=re.compile("^#10")).first.click()
    assert width_of(page) == 390
    page.get_by_role("link", name="what it charged").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("charged")
    assert width_of(page) == 390
    day = page.evaluate("new Date().toISOString().slice(0, 10)")
    for path in (page.url.removeprefix(play.url), f"/settlements/{day}"):
        sideways = "[...document.querySelectorAll('.scroll')].some(box => box.scrollWidth > box.clientWidth)"
        page.set_viewport_size({"width": 390, "height": 900})
        page.emulate_media(media="screen")
        page.goto(play.url + path)
        assert width_of(page) == 390
        assert not page.evaluate(sideways), "no figure is hidden behind a sideways scroll"
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 703, "height": 1000})  # A4 less its margins
        assert not page.locator(".top").is_visible()
        assert page.locator("thead").first.is_visible(), "on paper a table is a table"
        assert width_of(page) == 703


def test_every_page_forbids_what_is_not_ours(visit: Callable[..., Page], play: Play) -> None:
    page = visit("/stock")
    answer = page.goto(play.url + "/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")


def test_bound_elsewhere_one_signs_in_with_the_token(visit: Callable[..., Page], play: Play) -> None:
    page = visit("/stock", base=play.guarded_url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_label("The console's token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("[data-live-state]")).to_have_text("Live")


def _tab_to(page: Page, words: str) -> None:
    """Press Tab until the focus is on that link or button, as somebody without a mouse does."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == words:
            return
    pytest.fail(f"Tab never comes to {words!r}.")


def _reload_until(page: Page, selector: str, words: str) -> None:
    """What is shown follows within moments; pages other than the first show it when loaded again."""
    shown = page.locator(selector).first
    for _ in range(60):
        if shown.count() and words in (shown.text_content() or ""):
            return
        page.wait_for_timeout(150)
        page.reload()
    pytest.fail(f"{selector} never says {words!r}.")
