"""The README's picture of the console: its first page during a demo under escrow, taken by Chromium.

    python scripts/picture_console.py [docs/pictures/console.png] [--seconds 12]

Shoppers act for so many seconds; the picture is taken at the first moment after that at which both stores are right.
Needs the packages of requirements-dev.txt and a Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright

from storebridge_proving.checker.records import Records, pools_of
from storebridge_proving.shoppers import Crowd, CrowdPlan
from storebridge_proving.stage import Stage, open_stage, wait_until_settled

EVENTS_PER_SECOND = 6.0
SIZE = {"width": 1280, "height": 1000}
PATIENCE_MS = 120_000


async def picture(out: Path, seconds: float) -> None:
    """Play, and take the picture."""
    with tempfile.TemporaryDirectory(prefix="storebridge-picture-") as folder:
        async with open_stage(Path(folder), seed=1, policy="escrow", catalogue=None, store=None, port=0) as stage:
            await wait_until_settled(stage)
            await _trade(stage, seconds)
            async with async_playwright() as playwright:
                found = shutil.which("chromium") or playwright.chromium.executable_path
                browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
                await _take(await browser.new_page(viewport=SIZE), stage.console_url, out)
                await browser.close()


async def _trade(stage: Stage, seconds: float) -> None:
    """Shoppers buy in both stores for a while."""
    skus = [pool.sku for pool in pools_of(Records(stage.openings, "shopify"))]
    plan = CrowdPlan(EVENTS_PER_SECOND, weights={"buy": 9.0, "cancel": 1.0})
    crowd = Crowd(stage.clients, skus, plan, chance=random.Random(1), clock=stage.bridge.environment.clock)
    people = asyncio.create_task(crowd.run())
    await asyncio.sleep(seconds)
    crowd.stop()
    await people


async def _take(page: Page, url: str, out: Path) -> None:
    """The first page as soon as it says that all is well."""
    await page.goto(url)
    await page.get_by_text("Both stores are right").wait_for(timeout=PATIENCE_MS)
    await page.locator("[data-tone=good]").wait_for(timeout=PATIENCE_MS)
    await page.screenshot(path=str(out))


def main() -> None:
    """Read the words and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("out", nargs="?", type=Path, default=Path("docs/pictures/console.png"))
    parser.add_argument("--seconds", type=float, default=12.0)
    given = parser.parse_args()
    asyncio.run(picture(given.out, given.seconds))


if __name__ == "__main__":
    main()
