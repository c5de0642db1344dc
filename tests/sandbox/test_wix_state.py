"""Everything that a Wix site learned by its API is there again after a restart from a state file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from wix_site import goods

from storebridge_sandbox.app import Stores, build_stores
from storebridge_sandbox.state_file import load_state, save_state
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.store import WixStore

READS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/stores/v3/provision/version", None),
    ("POST", "/stores/v3/products/search", {"fields": ["PLAIN_DESCRIPTION", "CURRENCY"]}),
    ("POST", "/stores/v3/products/query-variants", {}),
    ("POST", "/stores/v3/inventory-items/query", {}),
    ("POST", "/stores/v3/locations/query", {}),
    ("GET", "/locations/v1/locations", None),
    ("GET", "/contacts/v4/contacts", None),
    ("POST", "/contacts/v5/contacts/query", {}),
    ("GET", "/contacts/v4/labels", None),
    ("GET", "/contacts/v4/extended-fields", None),
    ("GET", "/members/v1/members", None),
)


def ask(store: WixStore, method: str, path: str, body: Any = None) -> Any:
    """With the owner's key; fails unless the answer is 200."""
    access = store.access
    headers = [(b"authorization", access.api_key.encode()), (b"wix-site-id", access.site_id.encode())]
    raw = b"" if body is None else msgspec.json.encode(body)
    answer = store.api.answer({"method": method, "path": path, "headers": headers, "query_string": b""}, raw)
    assert answer.status == 200, answer.body
    return msgspec.json.decode(answer.body)


def live(wix: WixStore) -> str:
    """A V1 site that is written to, moved to V3, and written to again; returns the id of a job."""
    wix.load_catalogue(goods())
    choices = [{"value": size, "description": size} for size in ("S", "M")]
    cap = {
        "name": "Cap",
        "productType": "physical",
        "priceData": {"price": 20},
        "manageVariants": True,
        "productOptions": [{"name": "Size", "choices": choices}],
    }
    ask(wix, "POST", "/stores/v1/products", {"product": cap})
    wix.generation.migrate()
    wix.shelf.migrate()
    hat = {
        "name": "Hat",
        "physicalProperties": {},
        "plainDescription": "<p>Warm</p>",
        "brand": {"name": "Pell"},
        "ribbon": {"name": "New"},
        "variantsInfo": {
            "variants": [{"sku": "HAT", "price": {"actualPrice": {"amount": "9.50"}}, "inventoryItem": {"quantity": 4}}]
        },
    }
    ask(wix, "POST", "/stores/v3/products-with-inventory", {"product": hat})
    ask(wix, "POST", "/locations/v1/locations", {"location": {"name": "Depot", "locationTypes": ["INVENTORY"]}})
    label = ask(wix, "POST", "/contacts/v4/labels", {"displayName": "Loyal"})["label"]["key"]
    ask(wix, "POST", "/contacts/v4/extended-fields", {"displayName": "Points", "dataType": "NUMBER"})
    mail = {"items": [{"email": "ada@example.com"}]}
    info = {"name": {"first": "Ada"}, "emails": mail, "labelKeys": {"items": [label]}}
    ask(wix, "POST", "/contacts/v4/contacts", {"info": info})
    ask(wix, "POST", "/contacts/v5/contacts/upsert", {"contact": {"externalId": "7", "name": {"first": "Eve"}}})
    ask(wix, "POST", "/members/v1/members", {"member": {"loginEmail": "ada@example.com"}})
    rise = {"filter": {"product.variantSku": "HAT"}, "adjustment": {"incrementBy": 2}}
    return str(ask(wix, "POST", "/stores/v3/bulk/inventory-items/adjust-by-filter", rise)["jobId"])


def records(wix: WixStore, job_id: str) -> list[Any]:
    job = ("GET", f"/async-jobs/v1/async-jobs/{job_id}", None)
    return [ask(wix, method, path, body) for method, path, body in (*READS, job)]


def with_stores(play: Callable[[Stores], Any]) -> Any:
    async def run() -> Any:
        stores = build_stores(seed=1, wix_options=WixOptions(catalog="v1"))
        try:
            return play(stores)
        finally:
            await stores.stop()

    return asyncio.run(run())


def test_what_the_api_wrote_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "stores.json"

    def before(stores: Stores) -> tuple[str, list[Any]]:
        job_id = live(stores.wix)
        save_state(stores, path, seed=1)
        return job_id, records(stores.wix, job_id)

    job_id, told = with_stores(before)

    def after(stores: Stores) -> None:
        load_state(stores, path, seed=1)
        wix = stores.wix

        assert records(wix, job_id) == told
        assert told[0] == {"catalogVersion": "V3_CATALOG"}
        assert [product["name"] for product in told[1]["products"]] == ["Mug", "Shirt", "Old", "Cap", "Hat"]
        again = {"contact": {"externalId": "7", "name": {"first": "Eva"}}}
        assert ask(wix, "POST", "/contacts/v5/contacts/upsert", again)["action"] == "UPDATED"
        assert wix.shelf.by_slug["hat"].variants[0] is wix.shelf.by_sku["HAT"]

    with_stores(after)


@pytest.mark.parametrize(("there", "instead"), [(b'"name":"_create_invoice"', b'"name":"_of_another_day"')])
def test_a_file_of_another_version_is_refused_and_says_what_it_does_not_know(
    tmp_path: Path, there: bytes, instead: bytes
) -> None:
    path = tmp_path / "stores.json"
    with_stores(lambda stores: save_state(stores, path, seed=1))
    written = path.read_bytes()
    assert written.count(there) == 1
    path.write_bytes(written.replace(there, instead))
    with pytest.raises(ValueError, match="another version wrote it: _order_settings has no _of_another_day any more"):
        with_stores(lambda stores: load_state(stores, path, seed=1))
    lines = [line for line in written.splitlines(keepends=True) if there not in line]
    path.write_bytes(b"".join(lines))
    with pytest.raises(ValueError, match="it knows no _create_invoice of wix's _order_settings"):
        with_stores(lambda stores: load_state(stores, path, seed=1))
