"""Pictures and videos of a product, as callers write and read them. Nothing is fetched, so sizes are not told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

VIDEOS = (".mp4", ".mov", ".webm", ".m4v")
FILES = "https://static.wixstatic.com/media"
LINKED = ("linkedMedia", "media")
"""What a choice of an option may say of media: the older form, and the newer one that names them."""

Told = dict[str, Any]


def media_told(details: Mapping[str, Any], fields: frozenset[str]) -> Told | None:
    """The Media message: ``main`` is the first item; all are told to whoever asks. None where there is none."""
    items = ((details.get("media") or {}).get("itemsInfo") or {}).get("items") or []
    if not items:
        return None
    told: Told = {"main": item_told(items[0], fields)}
    if "MEDIA_ITEMS_INFO" in fields:
        told["itemsInfo"] = {"items": [item_told(item, fields) for item in items]}
    return told


def item_told(item: Mapping[str, Any], fields: frozenset[str]) -> Told:
    """The ProductMedia message. Set by the id of a file, it has the file's details; set by an address, it has none."""
    told = {name: item[name] for name in ("id", "url", "altText") if item.get(name) is not None}
    if item.get("displayName") and item.get("url"):
        told["displayName"] = item["displayName"]
    kind = "VIDEO" if urlsplit(str(item.get("url") or item.get("id") or "")).path.lower().endswith(VIDEOS) else "IMAGE"
    if item.get("id"):
        told[kind.lower()] = {"id": item["id"], "url": f"{FILES}/{item['id']}"}
    if "THUMBNAIL" in fields and item.get("thumbnail"):
        told["thumbnail"] = item["thumbnail"]
    return {**told, "mediaType": kind}


def linked_in(row: Mapping[str, Any]) -> Told | None:
    """What a choice says of media."""
    said = {name: row[name] for name in LINKED if row.get(name) is not None}
    return said or None


def linked_told(linked: Mapping[str, Any] | None, fields: Iterable[str]) -> Told:
    said = dict(linked or {})
    if "linkedMedia" in said:
        said["linkedMedia"] = [item_told(item, frozenset(fields)) for item in said["linkedMedia"]]
    return said
