"""Thousands of made-up requests to the pretend Shopify shop: none breaks it, none hangs, and the books stay whole.

``STOREBRIDGE_FUZZ_REQUESTS=100000`` sends that many for each seed.
"""

from __future__ import annotations

import os
import random
import time

import pytest
from shopify_inventor import Inventor
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.engine import load_schema
from storebridge_sandbox.shopify.quirks import ShopifyOptions

REQUESTS = int(os.environ.get("STOREBRIDGE_FUZZ_REQUESTS", "2500"))
LONGEST_SECONDS = 30.0
GRAPHQL = "/admin/api/2026-10/graphql.json"


@pytest.mark.parametrize("seed", [1, 2])
def test_no_request_breaks_the_shop_or_hangs(seed: int) -> None:
    async def play(shop: Shop) -> None:
        inventor = Inventor(load_schema(), random.Random(seed))
        roots = inventor.roots()
        headers = [(b"x-shopify-access-token", shop.store.credentials()["access_token"].encode())]
        await shop.buy("MUG", 2)
        inventor.learn(repr(await shop.truth()).encode())
        inventor.learn(" ".join([*shop.store.shelves.variants, *shop.store.shelves.by_item]).encode())
        reached: set[str] = set()
        for number in range(REQUESTS):
            name = ""
            if inventor.chance.random() < 0.25:
                method, path, query, body = inventor.rest()
            else:
                word, name = roots[number % len(roots)] if number < len(roots) else inventor.chance.choice(roots)
                method, path, query, body = "POST", GRAPHQL, b"", inventor.request(word, name)
            scope = {"method": method, "path": path, "query_string": query, "headers": headers}
            told = f"seed {seed}, request {number}: {method} {path} {query!r} {body!r}"
            if name == "appUninstall":
                continue
            began = time.process_time()
            try:
                answer = shop.store.api.answer(scope, body)
            except Exception as error:
                raise AssertionError(told) from error
            assert time.process_time() - began < LONGEST_SECONDS, told
            assert answer.status < 500, f"{told}: {answer.body!r}"
            assert b"INTERNAL_SERVER_ERROR" not in answer.body, f"{told}: {answer.body!r}"
            if b'"errors"' not in answer.body:
                inventor.learn(answer.body)
                reached.add(name)
            if number % 50 == 0:
                await shop.clock.sleep(2.0)

        assert len(reached) >= len(roots) * 0.6, sorted({name for _, name in roots} - reached)
        assert all(isinstance(level["available"], int) for level in (await shop.truth())["levels"])

    with_shop(play, ShopifyOptions(bucket_size=0), seed=seed)
