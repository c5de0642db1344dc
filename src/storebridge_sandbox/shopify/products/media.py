"""The media of a product: pictures, videos, 3D models. Nothing is fetched: each is known by its address, and ready.

The words of refusals are ours (S43).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from storebridge_sandbox.shopify.call import Call, Resolvers, iso
from storebridge_sandbox.shopify.ids import Numbers, number_of
from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.products.state import Medium, Product, Variant

Given = Mapping[str, Any]
TYPES = {"IMAGE": "MediaImage", "VIDEO": "Video", "EXTERNAL_VIDEO": "ExternalVideo", "MODEL_3D": "Model3d"}
SHOWN = {"IMAGE": "Image", "VIDEO": "Video", "EXTERNAL_VIDEO": "External video", "MODEL_3D": "Model"}
ENDINGS = {"VIDEO": (".mp4", ".mov", ".webm"), "MODEL_3D": (".glb", ".usdz")}
MIMES = {"mp4": "video/mp4", "mov": "video/quicktime", "glb": "model/gltf-binary", "usdz": "model/vnd.usdz+zip"}
EMBEDDED = {
    "YOUTUBE": (
        r"https?://(?:www\.|m\.)?(?:youtube\.com/(?:watch\?v=|embed/)|youtu\.be/)([\w-]+)",
        "https://www.youtube.com/embed/{}",
    ),
    "VIMEO": (r"https?://(?:www\.|player\.)?vimeo\.com/(?:video/)?(\d+)", "https://player.vimeo.com/video/{}"),
}
LONGEST_ALT = 512


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where new media get their numbers and their time."""

    numbers: Numbers
    moment: datetime

    def made(self, kind: str, source: str, alt: str | None) -> Medium:
        return Medium(self.numbers.new(TYPES[kind]), kind, source, self.moment, alt or None)


# -- what is refused --------------------------------------------------------------------------------------------


def media_errors(given: Iterable[Given], path: list[str], code: str | None = None) -> list[UserError]:
    """Addresses that are none, videos elsewhere than where Shopify plays them, texts that are too long."""
    errors = []
    for place, one in enumerate(given):
        here = [*path, str(place)]
        if not one.get("id"):
            errors += _address_errors(one, here, code)
        if len(one.get("alt") or "") > LONGEST_ALT:
            told = f"Alt is too long (maximum is {LONGEST_ALT} characters)"
            errors.append(UserError([*here, "alt"], told, code))
    return errors


def _address_errors(one: Given, path: list[str], code: str | None) -> list[UserError]:
    kind, address = kind_of(one), str(one.get("originalSource") or "")
    if kind not in TYPES:
        return [UserError([*path, "contentType"], "Content type is not supported for products", code)]
    fits = address.startswith(("http://", "https://")) and (kind != "EXTERNAL_VIDEO" or _embedded(address) is not None)
    return [] if fits else [UserError([*path, "originalSource"], f"{SHOWN[kind]} URL is invalid", code)]


def file_errors(product: Product | None, given: Given) -> list[UserError]:
    """Of productSet: a file that is named by its id must be one of the product's own."""
    files = given.get("files") or []
    own = {one.id for one in product.media} if product else set()
    errors = media_errors(files, ["input", "files"], "INVALID_INPUT")
    errors += _strangers([(one, ["input", "files", str(place), "id"]) for place, one in enumerate(files)], own)
    for place, one in enumerate(given.get("variants") or []):
        if one.get("file"):
            path = ["input", "variants", str(place), "file"]
            found = media_errors([one["file"]], [], "INVALID_INPUT")
            errors += [UserError(path, e.message, e.code) for e in found] + _strangers([(one["file"], path)], own)
    return errors


def _strangers(named: Iterable[tuple[Given, list[str]]], own: set[str]) -> list[UserError]:
    return [
        UserError(path, f"File id {one['id']} does not exist", "NOT_FOUND")
        for one, path in named
        if one.get("id") and one["id"] not in own
    ]


def variant_media_errors(product: Product, given: Given, path: list[str]) -> list[UserError]:
    """Of the bulk mutations: one medium at most, and by id one of the product's own."""
    sources = given.get("mediaSrc") or []
    if given.get("mediaId") and sources:
        return [UserError(path, "Only one of mediaId and mediaSrc can be specified", "INVALID_INPUT")]
    if len(sources) > 1:
        return [UserError([*path, "mediaSrc"], "Only one media source is allowed for each variant", "INVALID_INPUT")]
    if given.get("mediaId") and all(one.id != given["mediaId"] for one in product.media):
        return [UserError([*path, "mediaId"], "Media does not exist on the given product", "MUST_BE_FOR_THIS_PRODUCT")]
    wrong = media_errors([{"originalSource": one} for one in sources], [])
    return [UserError([*path, "mediaSrc"], one.message, "INVALID_INPUT") for one in wrong]


# -- what is written --------------------------------------------------------------------------------------------


def kind_of(given: Given) -> str:
    """As said, else as the address looks."""
    said = given.get("mediaContentType") or given.get("contentType")
    if said:
        return str(said)
    address = str(given.get("originalSource") or "")
    if _embedded(address) is not None:
        return "EXTERNAL_VIDEO"
    path = urlsplit(address).path.lower()
    return next((kind for kind, endings in ENDINGS.items() if path.endswith(endings)), "IMAGE")


def add_media(product: Product, given: Sequence[Given], shelf: Shelf) -> None:
    """``CreateMediaInput``: behind those that are there. One of the same address stays one."""
    for one in given:
        _put(product, one, shelf)


def set_media(product: Product, given: Given, shelf: Shelf) -> None:
    """productSet: the files are these and no others, where any are given; a variant's file comes to them."""
    if given.get("files") is not None:
        product.media = list({one.id: one for one in (_put(product, one, shelf) for one in given["files"])}.values())
    for variant, one in zip(product.variants, given.get("variants") or [], strict=False):
        if one.get("file"):
            variant.picture = _put(product, one["file"], shelf).id
    drop_lost_pictures(product)


def set_picture(variant: Variant, given: Given, shelf: Shelf) -> None:
    """Of the bulk mutations: the medium of one variant."""
    if given.get("mediaSrc"):
        variant.picture = _put(variant.product, {"originalSource": given["mediaSrc"][0]}, shelf).id
    elif given.get("mediaId"):
        variant.picture = given["mediaId"]


def drop_lost_pictures(product: Product) -> None:
    """A variant shows nothing that its product has no more."""
    held = {one.id for one in product.media}
    for variant in product.variants:
        if variant.picture not in held:
            variant.picture = None


def _put(product: Product, given: Given, shelf: Shelf) -> Medium:
    known = (one for one in product.media if given.get("id") == one.id or given.get("originalSource") == one.source)
    medium = next(known, None)
    if medium is None:
        medium = shelf.made(kind_of(given), given["originalSource"], given.get("alt"))
        product.media.append(medium)
    elif given.get("alt") is not None:
        medium.alt = given["alt"] or None
    return medium


# -- what is shown ----------------------------------------------------------------------------------------------


def media_fields() -> Resolvers:
    """``media``, ``images`` and the first of them, of products and variants."""
    return {
        ("Product", "media"): lambda one, args, _c: _page(map(shown, one.media), args),
        ("Product", "mediaCount"): lambda one, _a, _c: len(one.media),
        ("Product", "images"): lambda one, args, _c: _page(map(image_shown, pictures_of(one)), args),
        ("Product", "featuredMedia"): lambda one, _a, _c: shown(one.media[0]) if one.media else None,
        ("Product", "featuredImage"): _first,
        ("ProductVariant", "media"): lambda one, args, _c: _page(map(shown, media_of(one)), args),
        ("ProductVariant", "image"): _image_of,
    }


def pictures_of(product: Product) -> list[Medium]:
    return [one for one in product.media if one.kind == "IMAGE"]


def media_of(variant: Variant) -> list[Medium]:
    """Its one medium, or none."""
    return [one for one in variant.product.media if one.id == variant.picture]


def _first(product: Product, _args: dict[str, Any], _call: Call) -> dict[str, Any] | None:
    return next(map(image_shown, pictures_of(product)), None)


def _image_of(variant: Variant, _args: dict[str, Any], _call: Call) -> dict[str, Any] | None:
    return next((image_shown(one) for one in media_of(variant) if one.kind == "IMAGE"), None)


def _page(shown_ones: Iterable[Any], args: dict[str, Any]) -> Page:
    return page_of([(f"{place:06d}", place, one) for place, one in enumerate(shown_ones)], args)


def image_shown(medium: Medium) -> dict[str, Any]:
    """``Image``."""
    addresses = dict.fromkeys(("url", "src", "originalSrc", "transformedSrc"), medium.source)
    return {"id": f"gid://shopify/ProductImage/{number_of(medium.id)}", "altText": medium.alt, **addresses}


def shown(medium: Medium) -> dict[str, Any]:
    """One of the types that are ``Media``."""
    told: dict[str, Any] = {
        "__typename": TYPES[medium.kind],
        "id": medium.id,
        "alt": medium.alt,
        "status": "READY",
        "fileStatus": "READY",
        "mediaContentType": medium.kind,
        "preview": {"status": "READY", "image": image_shown(medium) if medium.kind == "IMAGE" else None},
        "createdAt": iso(medium.created_at),
        "updatedAt": iso(medium.created_at),
    }
    if medium.kind == "IMAGE":
        return {**told, "image": image_shown(medium), "originalSource": {"url": medium.source, "fileSize": None}}
    if medium.kind == "EXTERNAL_VIDEO":
        host, embedded = _embedded(medium.source) or ("YOUTUBE", medium.source)
        return {**told, "host": host, "originUrl": medium.source, "embedUrl": embedded, "embeddedUrl": embedded}
    name = urlsplit(medium.source).path.rpartition("/")[2]
    return {**told, "filename": name, "sources": [], "originalSource": _source(medium, name.rpartition(".")[2].lower())}


def _source(medium: Medium, ending: str) -> dict[str, Any]:
    """Sizes are nought: nothing was fetched."""
    told = {"url": medium.source, "format": ending, "mimeType": MIMES.get(ending, "application/octet-stream")}
    sizes = {"filesize": 0} if medium.kind == "MODEL_3D" else {"width": 0, "height": 0}
    return {**told, **sizes}


def _embedded(address: str) -> tuple[str, str] | None:
    """Who plays a video, and the address to show it at; None for an address of nobody whom Shopify knows."""
    for host, (form, embedded) in EMBEDDED.items():
        found = re.match(form, address)
        if found:
            return host, embedded.format(found[1])
    return None
