"""The bridge's mark in a shop: a metafield of the shop that belongs to our app alone (S37)."""

from __future__ import annotations

from storebridge.connectors.port import Blame, CallTrouble, Remedy
from storebridge.connectors.shopify.client import Operation, Shape, ShopifyClient, encode
from storebridge.connectors.shopify.errors import UserError

NAMESPACE, KEY = "$app:storebridge", "mark"
READ_MARK = Operation(
    "mark",
    "query mark($namespace: String!, $key: String!) { shop { id"
    " metafield(namespace: $namespace, key: $key) { value } } }",
)
WRITE_MARK = Operation(
    "metafieldsSet",
    "mutation metafieldsSet($metafields: [MetafieldsSetInput!]!) {"
    " set: metafieldsSet(metafields: $metafields) { userErrors { code field message } } }",
    writes=True,
)


class _Value(Shape, frozen=True):
    value: str


class _Shop(Shape, frozen=True):
    id: str
    metafield: _Value | None = None


class MarkAnswer(Shape, frozen=True):
    """What is used of the shop."""

    shop: _Shop


class _Set(Shape, frozen=True):
    user_errors: tuple[UserError, ...] = ()


class SetAnswer(Shape, frozen=True):
    """What is used of the answer."""

    set: _Set | None = None


class ShopMark:
    """Reads and writes the mark. Every coroutine raises CallTrouble."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client
        self._shop_id: str | None = None

    async def read(self) -> str | None:
        """The mark; None when the shop bears none."""
        metafield = (await self._look()).metafield
        return None if metafield is None else metafield.value

    async def write(self, mark: str) -> None:
        """Replace the mark. Setting it twice changes nothing, so it needs no key."""
        shop_id = self._shop_id or (await self._look()).id
        field = {"ownerId": shop_id, "namespace": NAMESPACE, "key": KEY, "type": "json", "value": mark}
        answer = await self._client.exchange(WRITE_MARK, encode(WRITE_MARK, {"metafields": [field]}), SetAnswer)
        errors = answer.data.set.user_errors if answer.data.set else ()
        if errors:
            told = f"Shopify refuses the bridge's mark: {errors[0].message}"
            raise CallTrouble(Remedy.STOP, Blame.CONFIGURATION, told, code=errors[0].code or "")

    async def _look(self) -> _Shop:
        body = encode(READ_MARK, {"namespace": NAMESPACE, "key": KEY})
        shop = (await self._client.exchange(READ_MARK, body, MarkAnswer)).data.shop
        self._shop_id = shop.id
        return shop
