"""The pictures of a product: kept by their addresses and ready at once. Videos, 3D models and alternative texts are not
kept, and no variant has a picture of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

from storebridge_sandbox.shopify.call import Call, Resolvers, iso
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.products.state import Product

Given = Mapping[str, Any]


def media_errors(given: Iterable[Given], path: list[str], code: str | None = None) -> list[UserError]:
    """Addresses that are none."""
    return [
        UserError([*path, str(place), "originalSource"], "Image URL is invalid", code)
        for place, one in enumerate(given)
        if not one.get("id") and not str(one.get("originalSource") or "").startswith(("http://", "https://"))
    ]


def file_errors(product: Product | None, given: Given) -> list[UserError]:
    """Of productSet: a file that is named by its id must be one of the product's own."""
    files = given.get("files") or []
    own = {media_id(product, address) for address in product.images} if product else set()
    errors = media_errors(files, ["input", "files"], "INVALID_INPUT")
    for place, one in enumerate(files):
        if one.get("id") and one["id"] not in own:
            told = f"File id {one['id']} does not exist"
            errors.append(UserError(["input", "files", str(place), "id"], told, "NOT_FOUND"))
    for place, one in enumerate(given.get("variants") or []):
        if one.get("file"):
            found = media_errors([one["file"]], [], "INVALID_INPUT")
            errors += [UserError(["input", "variants", str(place), "file"], e.message, e.code) for e in found]
    return errors


def add_pictures(product: Product, given: Sequence[Given]) -> None:
    """``CreateMediaInput``: behind those that are there."""
    for one in given:
        if one.get("mediaContentType") == "IMAGE" and one["originalSource"] not in product.images:
            product.images.append(one["originalSource"])


def set_pictures(product: Product, given: Given) -> None:
    """productSet: the files are these and no others, where any are given; a variant's file comes to them."""
    own = {media_id(product, address): address for address in product.images}
    if given.get("files") is not None:
        wanted = [one for one in given["files"] if one.get("contentType") in (None, "IMAGE")]
        product.images = list(dict.fromkeys(own.get(one.get("id") or "") or one["originalSource"] for one in wanted))
    files = [one["file"] for one in given.get("variants") or [] if one.get("file")]
    add_pictures(product, [{**one, "mediaContentType": "IMAGE"} for one in files if one.get("originalSource")])


def media_fields() -> Resolvers:
    """``media``, ``images`` and the first of them."""
    return {
        ("Product", "media"): lambda one, args, _c: _page(one, _media, args),
        ("Product", "images"): lambda one, args, _c: _page(one, image_shown, args),
        ("Product", "featuredMedia"): lambda one, _a, _c: _media(one, one.images[0]) if one.images else None,
        ("Product", "featuredImage"): _first,
    }


def _first(product: Product, _args: dict[str, Any], _call: Call) -> dict[str, Any] | None:
    return image_shown(product, product.images[0]) if product.images else None


def _page(product: Product, shown: Any, args: dict[str, Any]) -> Page:
    return page_of([(f"{place:06d}", place, shown(product, one)) for place, one in enumerate(product.images)], args)


def image_shown(product: Product, address: str) -> dict[str, Any]:
    """``Image``."""
    image_id = f"gid://shopify/ProductImage/{_number(product, address)}"
    return {"id": image_id, **dict.fromkeys(("url", "src", "originalSrc", "transformedSrc"), address)}


def _media(product: Product, address: str) -> dict[str, Any]:
    image, moment = image_shown(product, address), iso(product.created_at)
    return {
        "__typename": "MediaImage",
        "id": media_id(product, address),
        "status": "READY",
        "fileStatus": "READY",
        "mediaContentType": "IMAGE",
        "image": image,
        "preview": {"status": "READY", "image": image},
        "createdAt": moment,
        "updatedAt": moment,
    }


def media_id(product: Product, address: str) -> str:
    return f"gid://shopify/MediaImage/{_number(product, address)}"


def _number(product: Product, address: str) -> str:
    return f"{number_of(product.id)}{crc32(address.encode()) % 1_000_000:06d}"
