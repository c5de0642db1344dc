"""Somebody buys in one store with a real browser and watches the other store follow, with the bridge between them."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from storebridge_proving.stage import open_stage, wait_until_settled

pytestmark = pytest.mark.browser
PATIENCE_MS = 20_000
PATIENCE_SECONDS = 60
HEAD = (
    "Handle,Title,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,"
    "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy\n"
)
CATALOGUE = HEAD + "".join(
    f"tee-{n},Harbour Tee {n},active,Title,Default Title,TEE-{n},20.00,shopify,40,deny\n" for n in range(30)
)


class Street:
    """Two shops and the bridge between them, in a thread of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready: Future[tuple[str, str]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self.shopify, self.wix = self._ready.result(PATIENCE_SECONDS)

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with open_stage(
                self._folder, seed=1, policy="mirror", catalogue=CATALOGUE.encode(), store=None, port=0
            ) as stage:
                await wait_until_settled(stage)
                first, second = (client.base for client in stage.clients)
                self._ready.set_result((first, second))
                await self._over.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("street"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(found).exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)("No Chromium: playwright install chromium.")
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens pages, and has the test fail when one complains or asks for anything that is not its store's."""
    complaints: list[str] = []
    strangers: set[str] = set()
    contexts = []

    def open_page(base: str, path: str = "/", *, width: int = 1280, script: bool = True) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 850}, java_script_enabled=script)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith((base, "data:")) else strangers.add(asked.url))
        page.goto(base + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert (complaints, strangers) == ([], set())


def test_somebody_buys_with_a_click_and_the_other_stores_shelf_follows(street: Street, visit: Visit) -> None:
    for here, there, sku, before in (
        (street.shopify, street.wix, "TEE-3", 40),
        (street.wix, street.shopify, "TEE-4", 40),
    ):
        other = visit(there, f"/?q={sku}")
        expect(other.locator(".card .left")).to_have_text(f"{before} left")
        mine = visit(here, f"/?q={sku}")
        mine.locator(".card").click()
        mine.get_by_text("Buy one with one click").click()
        mine.get_by_role("button", name="Buy", exact=False).last.click()
        expect(mine.get_by_role("heading", name="Thank you")).to_be_visible()
        expect(other.locator(".card .left")).to_have_text(f"{before - 1} left", timeout=PATIENCE_MS)


def test_the_way_through_basket_and_checkout_by_keyboard_alone(street: Street, visit: Visit) -> None:
    page = visit(street.shopify, "/?q=TEE-5")
    page.locator(".card").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Quantity").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator(".count")).to_have_text("2")
    page.get_by_role("link", name="Check out").focus()
    page.keyboard.press("Enter")
    page.get_by_label("E-mail").focus()
    for text in ("eva@example.org", "Eva", "Novak"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.get_by_role("button", name="Place the order").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(re.compile("Thank you"))


def test_staff_ships_an_order_and_the_buyer_sees_the_parcel(street: Street, visit: Visit) -> None:
    page = visit(street.wix, "/?q=TEE-6")
    page.locator(".card").click()
    page.get_by_text("Buy one with one click").click()
    page.get_by_role("button", name="Buy", exact=False).last.click()
    receipt = page.url
    page.get_by_role("link", name="See it as staff").click()
    page.get_by_text("Ship", exact=True).first.click()
    page.get_by_label("Carrier").fill("Parcel Post")
    page.get_by_label("Tracking number").fill("PP 1")
    page.get_by_role("button", name="Ship").click()
    expect(page.get_by_role("status")).to_have_text("The parcel is on its way.")
    page.goto(receipt)
    expect(page.get_by_text("PP 1")).to_be_visible()


def test_the_shop_works_without_script(street: Street, visit: Visit) -> None:
    page = visit(street.shopify, "/?q=TEE-7", script=False)
    page.locator(".card").click()
    page.get_by_role("button", name="Put into basket").click()
    expect(page.locator(".lines li")).to_have_count(1)


@pytest.mark.parametrize("path", ["/", "/?q=TEE-1", "/basket", "/staff", "/staff/stock", "/staff/movements"])
def test_no_page_is_wider_than_a_phone(street: Street, visit: Visit, path: str) -> None:
    for base in (street.shopify, street.wix):
        page = visit(base, path, width=360)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
