"""The REST surface put together: lists, verbs and routes over the shop's own state."""

from __future__ import annotations

from collections.abc import Callable

from storebridge_sandbox.shopify.inventory.state import Inventory
from storebridge_sandbox.shopify.order_office import OrderOffice
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.rest.after_sale import AfterSale
from storebridge_sandbox.shopify.rest.api import RestApi
from storebridge_sandbox.shopify.rest.call_bucket import CallBucket
from storebridge_sandbox.shopify.rest.goods import RestGoods
from storebridge_sandbox.shopify.rest.levels import RestLevels
from storebridge_sandbox.shopify.rest.lists import RestLists
from storebridge_sandbox.shopify.rest.people import RestPeople
from storebridge_sandbox.shopify.rest.sales import RestSales
from storebridge_sandbox.shopify.rest.verbs import Run, Verbs
from storebridge_sandbox.shopify.rest.writes import RestWrites
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.stock import Stock


def rest_surface(
    shop: ShopState,
    shelves: Shelves,
    stock: Stock,
    office: OrderOffice,
    inventory: Inventory,
    run: Run,
    bucket: CallBucket,
    scopes: Callable[[], tuple[str, ...]],
    *,
    denies: bool,
) -> RestApi:
    """``run`` plays one GraphQL text of the newest version as this shop."""
    lists, verbs = RestLists(shop, shelves, stock, office), Verbs(run)
    after = AfterSale(verbs, lists, office.things.get)
    writes = RestWrites(
        RestGoods(verbs, lists, shelves),
        RestLevels(inventory),
        RestPeople(verbs, lists),
        RestSales(verbs, lists, shelves.variants, office.jobs, shop.currency),
        after,
    )
    return RestApi(lists, writes, after, bucket, scopes, denies=denies)
