"""What a large pretend store costs: memory, its start from a state file, and a page of each large list.

    python scripts/measure_large_store.py STATE [--variants 50000] [--orders 100000] [--calls 20]

STATE is made first where it does not exist, which takes minutes. Linux only: what is counted is processor time and
memory of the served process, as the kernel tells them, so that other work on the machine does not show. The first
call of each list is given apart: it may have to sort what comes sorted from then on.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
SHOPIFY_LISTS = {
    "250 variants": "productVariants(first: 250, after: $after) {N}",
    "250 variants by SKU": "productVariants(first: 250, after: $after, sortKey: SKU) {N}",
    "a variant by its SKU": 'productVariants(first: 250, after: $after, query: "sku:SKU") {N}',
    "250 products": "products(first: 250, after: $after) {N}",
    "250 products by change": "products(first: 250, after: $after, sortKey: UPDATED_AT) {N}",
    "products since a moment": 'products(first: 250, after: $after, query: "updated_at:>SINCE") {N}',
    "250 inventory items": "inventoryItems(first: 250, after: $after) {N}",
    "250 orders": "orders(first: 250, after: $after) {N}",
    "orders since a moment": 'orders(first: 250, after: $after, sortKey: UPDATED_AT, query: "updated_at:>SINCE") {N}',
    "an order by its name": 'orders(first: 250, after: $after, query: "name:#1100") {N}',
    "an order by its source identifier": 'orders(first: 250, after: $after, query: "source_identifier:none") {N}',
}
NEWEST_FIRST = [{"fieldName": "updatedDate", "order": "DESC"}]
WIX_LISTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "100 inventory items": ("/stores/v3/inventory-items/query", "query", {"cursorPaging": {"limit": 100}}),
    "an inventory item by its SKU": (
        "/stores/v3/inventory-items/query",
        "query",
        {"filter": {"product.variantSku": "SKU"}},
    ),
    "100 products": ("/stores/v3/products/query", "query", {"cursorPaging": {"limit": 100}}),
    "100 variants": ("/stores/v3/products/query-variants", "query", {"cursorPaging": {"limit": 100}}),
    "100 orders": ("/ecom/v1/orders/search", "search", {"cursorPaging": {"limit": 100}}),
    "100 orders, last changed first": (
        "/ecom/v1/orders/search",
        "search",
        {"cursorPaging": {"limit": 100}, "sort": NEWEST_FIRST},
    ),
    "orders since a moment": (
        "/ecom/v1/orders/search",
        "search",
        {
            "filter": {"updatedDate": {"$gte": "SINCE"}},
            "sort": [{"fieldName": "updatedDate", "order": "ASC"}],
            "cursorPaging": {"limit": 100},
        },
    ),
    "an order by its external id": (
        "/ecom/v1/orders/search",
        "search",
        {"filter": {"channelInfo.externalOrderId": "none"}},
    ),
    "100 contacts": ("/contacts/v4/contacts/query", "query", {"paging": {"limit": 100}}),
}


def main() -> int:
    """Measure and print; 0 when done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", type=Path)
    parser.add_argument("--variants", type=int, default=50_000)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=20)
    asked = parser.parse_args()
    if not asked.state.exists():
        made = Served(asked.state, f"--variants={asked.variants}", f"--orders={asked.orders}")
        print(f"made: {made.cpu_ms() / 1000:.1f} s, {made.peak_mb():.0f} MB")
        started = made.cpu_ms()
        made.stop()
        print(f"written: {(made.ended_ms - started) / 1000:.1f} s")
    served = Served(asked.state)
    print(f"start: {served.cpu_ms() / 1000:.2f} s, {served.peak_mb():.0f} MB at most", flush=True)
    measure_pages(served, asked.calls)
    print(f"after all calls: {served.peak_mb():.0f} MB at most")
    served.stop()
    return 0


class Served:
    """``storebridge sandbox`` as a process; ready when this returns."""

    def __init__(self, state: Path, *options: str) -> None:
        command = [
            "-m",
            "storebridge.cli.main",
            "sandbox",
            "--state",
            str(state),
            "--shopify-port=0",
            "--wix-port=0",
            "--json",
        ]
        switches = ["--switch=shopify.bucket_size=0", "--switch=wix.w14_calls_per_minute=none"]
        self._process = subprocess.Popen(
            [sys.executable, *command, *switches, *options], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.said = json.loads(self._process.stdout.readline())
        self.ended_ms = 0.0

    def cpu_ms(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK_MS

    def peak_mb(self) -> float:
        """The most memory that it ever held."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def stop(self) -> None:
        """End it in good order, so that it writes its file."""
        self._process.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(self._process.pid, 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit("the stores did not end in good order")
        self.ended_ms = (usage.ru_utime + usage.ru_stime) * 1000


def measure_pages(served: Served, calls: int) -> None:
    """Processor time of each list, the first call and the mean of the following ones."""
    shop, site = served.said["shopify"], served.said["wix"]
    token = _got(f"{shop}/_sandbox/credentials", None, {})["access_token"]
    keys = _got(f"{site}/_sandbox/credentials", None, {})
    headers = {"Authorization": keys["api_key"], "wix-site-id": keys["site_id"]}
    first = _graphql(shop, token, "productVariants(first: 1, after: $after) {N}".replace("N", "nodes { sku }"), None)
    sku = first["productVariants"]["nodes"][0]["sku"]
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86400))
    for name, text in SHOPIFY_LISTS.items():
        fields = "pageInfo { hasNextPage endCursor } nodes { id updatedAt }"
        query = text.replace("sku:SKU", f"sku:{sku}").replace("SINCE", since).replace("{N}", f"{{{fields}}}")
        _report(served, f"Shopify: {name}", _shopify_pages(shop, token, query), calls)
    for name, (path, part, asked) in WIX_LISTS.items():
        read = json.loads(json.dumps(asked).replace('"SKU"', json.dumps(sku)).replace("SINCE", since))
        _report(served, f"Wix: {name}", _wix_pages(site + path, headers, part, read), calls)


def _report(served: Served, name: str, ask: Callable[[], object], calls: int) -> None:
    times = [served.cpu_ms()]
    ask()
    times.append(served.cpu_ms())
    for _ in range(calls):
        ask()
    times.append(served.cpu_ms())
    print(f"{name}: first {times[1] - times[0]:.0f} ms, then {(times[2] - times[1]) / calls:.1f} ms", flush=True)


def _shopify_pages(shop: str, token: str, query: str) -> Callable[[], object]:
    """The next page with each call, and from the beginning again after the last."""
    cursor: list[str | None] = [None]

    def ask() -> object:
        (connection,) = _graphql(shop, token, query, cursor[0]).values()
        page = connection["pageInfo"]
        cursor[0] = page["endCursor"] if page["hasNextPage"] else None
        return connection

    return ask


def _wix_pages(url: str, headers: dict[str, str], part: str, asked: dict[str, Any]) -> Callable[[], object]:
    cursor: list[str | None] = [None]

    def ask() -> object:
        query = {"cursorPaging": {"cursor": cursor[0]}} if cursor[0] else asked
        answer = _got(url, {part: query}, headers)
        told = answer.get("pagingMetadata") or answer.get("metadata") or {}
        cursor[0] = (told.get("cursors") or {}).get("next")
        return answer

    return ask


def _graphql(shop: str, token: str, fields: str, after: str | None) -> dict[str, Any]:
    body = {"query": f"query($after: String) {{ {fields} }}", "variables": {"after": after}}
    answer = _got(f"{shop}/admin/api/2026-10/graphql.json", body, {"X-Shopify-Access-Token": token})
    if "errors" in answer:
        raise SystemExit(f"{fields}: {answer['errors']}")
    data: dict[str, Any] = answer["data"]
    return data


def _got(url: str, body: object, headers: dict[str, str]) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=600) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


if __name__ == "__main__":
    sys.exit(main())
