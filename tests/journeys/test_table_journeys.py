"""A third-party warehouse that only knows tables: it fetches one, and brings one back, with a browser or a script."""

from __future__ import annotations

import csv
import io

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.connectors.http import Request, Response
from storebridge.operations import export_orders
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport

MUG = Goods("A", {"shopify": 9, "wix": 9})
MARK = "----form"
TABLE = "order,sku,units,carrier,tracking_number,parcel\r\n"


async def ask(journey: Journey, path: str, body: bytes = b"", kind: str = "") -> Response:
    network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
    headers = {"content-type": kind} if kind else {}
    return await network.send(Request("POST" if kind else "GET", f"http://localhost{path}", headers, body, 20.0))


async def upload(journey: Journey, **fields: bytes) -> tuple[int, str]:
    """The form as a browser sends it; ``file`` is a file."""
    parts = b""
    for name, value in fields.items():
        file = b'; filename="parcels.csv"\r\nContent-Type: text/csv' if name == "file" else b""
        head = f'--{MARK}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        parts += head + file + b"\r\n\r\n" + value + b"\r\n"
    answer = await ask(
        journey, "/orders/import", parts + f"--{MARK}--\r\n".encode(), f"multipart/form-data; boundary={MARK}"
    )
    return answer.status, answer.body.decode()


def test_a_warehouse_lives_on_the_table_that_it_fetches_and_the_one_that_it_brings() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for store in ("shopify", "wix"):
            await journey.buy(store, 2)
        await journey.pass_time(60.0)
        fetched = await ask(journey, f"/api/v1/{MAIN}/orders.csv")
        assert (fetched.status, fetched.headers["content-type"]) == (200, "text/csv; charset=utf-8")
        assert fetched.headers["x-storebridge-more"] == "false"
        rows = list(csv.DictReader(io.StringIO(fetched.body.decode())))
        assert sorted((row["order"], row["units"], row["phone"]) for row in rows) == [
            ("#1001", "2", "+15550100"),
            ("10001", "2", "+15550100"),
        ]
        sent = TABLE + "".join(f"{row['order']},{row['sku']},{row['units']},DHL,JD1,P1\r\n" for row in rows)
        status, page = await upload(journey, file=(sent + "#77,A,1,DHL,JD2,P2\r\n").encode("utf-8-sig"), notify=b"yes")
        assert (status, "2 noted, 0 changed, 0 known, 1 refused" in page) == (200, True)
        assert "<td>4</td>" in page
        assert "No order &#39;#77&#39; is known" in page
        await journey.pass_time(120.0)
        assert (await journey.parcels("shopify"), await journey.parcels("wix")) == ([("JD1", 2)], [("JD1", 2)])
        assert len((await ask(journey, f"/api/v1/{MAIN}/orders.csv")).body.splitlines()) == 1
        assert "0 noted, 0 changed, 2 known, 0 refused" in (await upload(journey, csv=sent.encode()))[1]

    travel(play, MUG)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"file": b"sku,units\r\nA,1\r\n"}, "The file has no column &#39;order&#39;"),
        ({"file": b"order\r\n#1001\xff\r\n"}, "The file is not in UTF-8"),
        ({}, "The file has no column &#39;order&#39;"),
        ({"file": b"order\r\n" + b"x" * (9 * 1024 * 1024)}, "The file is larger than 8 MiB"),
    ],
)
def test_a_file_that_is_no_such_table_changes_nothing_and_says_why(fields: dict[str, bytes], why: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify")
        await journey.pass_time(60.0)
        status, page = await upload(journey, **fields)
        assert (status, why in page) == (409, True)
        assert (await ask(journey, "/orders/import", b"csv=order", "application/x-www-form-urlencoded")).status == 409
        assert await journey.rows("select * from parcels") == []

    travel(play, MUG)


def test_a_table_that_does_not_hold_all_orders_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_orders, "MOST_ORDERS", 1)

    async def play(journey: Journey) -> None:
        await journey.begin()
        for store in ("shopify", "wix"):
            await journey.buy(store)
            await journey.pass_time(60.0)
        for path in (f"/api/v1/{MAIN}/orders.csv", "/orders/export.csv"):
            answer = await ask(journey, path)
            assert answer.headers["x-storebridge-more"] == "true"
            assert answer.headers["content-disposition"] == 'attachment; filename="orders-first-1.csv"'
            assert [line.split(b",")[0] for line in answer.body.splitlines()[1:]] == [b"#1001"]
            whole = await ask(journey, f"{path}?connection=wix")
            assert whole.headers["x-storebridge-more"] == "false"
            assert [line.split(b",")[0] for line in whole.body.splitlines()[1:]] == [b"10001"]

    travel(play, MUG)
