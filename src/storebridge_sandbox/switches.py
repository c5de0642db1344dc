"""Every assumption that can be played the other way, by name: for the command line, for files, and for the tests."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.state import SCOPES
from storebridge_sandbox.wix import quirks as wix_quirks
from storebridge_sandbox.wix.quirks import WixQuirks

OTHERS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "shopify.stale_code": (None,),
        "shopify.granted_scopes": (tuple(scope for scope in SCOPES if scope != "read_all_orders"),),
        "shopify.idempotency_retention_seconds": (60.0,),
        "shopify.webhook_retry_delays_seconds": ((5.0, 10.0),),
        "shopify.throttled_status": (429,),
        "shopify.group_late_seconds": (10.0,),
        "shopify.bucket_size": (0.0, 1000.0),
        "shopify.restore_rate": (50.0, 1000.0),
        "shopify.search_lag_seconds": ((0.0, 0.0), (5.0, 20.0)),
        "shopify.node_reads_lag_seconds": ((0.5, 3.0),),
        "shopify.token_seconds": (120.0,),
        "shopify.oldest_version": ("2026-04",),
        "shopify.total_inventory_lag_seconds": (0.0,),
        "shopify.orders_per_minute": (5,),
        "shopify.job_seconds": (0.0, 20.0),
        "shopify.archive_seconds": (None,),
        "shopify.pays_with": ("manual",),
        "shopify.payout_days": (5,),
        "shopify.books_lag_seconds": (3_600.0,),
        "wix.w1_stale_status": (412, 400),
        "wix.w1_stale_code": ("STALE_REVISION",),
        "wix.w3_stale_accepted_within_ms": (2_000,),
        "wix.w13_storefront_lag_ms": (2_000,),
        "wix.w14_calls_per_minute": (None, 60),
        "wix.w14_retry_after_seconds": (5,),
        "wix.w15_query_lag_ms": ((500, 3_000),),
        "wix.w15_search_lag_ms": ((500, 3_000),),
        "wix.w17_token_seconds": (120,),
        "wix.w18_wrong_catalog_status": (404, 400),
        "wix.w19_missing_status": (200,),
        "wix.w25_external_id_lag_ms": (5_000,),
        "wix.w28_duplicate_contact_status": (400,),
        "wix.w38_answers_after_ms": (1_500,),
        "wix.w40_v1_most_units": (1_000_000, 1_000),
        "wix.g2_timeout_seconds": (1.0,),
        "wix.g3_bypass_channels": (("pos",),),
    }
)
"""The settings to try of switches whose type does not list them."""


class SwitchUnknown(ValueError):
    """No such switch, or no such setting of it; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Switch:
    """``others`` are the settings beside the default that the tests try; ``assumption`` is ``S1``, or empty."""

    name: str
    kind: Any
    default: Any
    others: tuple[Any, ...]
    assumption: str
    meaning: str

    def listed(self) -> dict[str, Any]:
        """As ``--list-switches --json`` tells it."""
        return {
            "name": self.name,
            "default": self.default,
            "others": list(self.others),
            "assumption": self.assumption,
            "meaning": self.meaning,
        }


@cache
def all_switches() -> dict[str, Switch]:
    """Every switch of both stores, by name: ``shopify.stale_code``."""
    made = [*_of_shopify(), *_of_wix()]
    return {switch.name: switch for switch in made}


def set_switches(wanted: Mapping[str, Any]) -> tuple[ShopifyOptions, WixQuirks]:
    """Both stores' options with these settings, given as text or as values. Raises SwitchUnknown."""
    told: dict[str, dict[str, Any]] = {"shopify": {}, "wix": {}}
    for name, value in wanted.items():
        switch = _find(name)
        store, _, field = name.partition(".")
        told[store][field] = _read(switch, value)
    return ShopifyOptions(**told["shopify"]), WixQuirks(**told["wix"])


def read_assignments(texts: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts of the command line. Raises SwitchUnknown."""
    pairs = [text.partition("=") for text in texts]
    for name, sign, _ in pairs:
        if not sign:
            raise SwitchUnknown(f"{name}: say NAME=VALUE, such as shopify.stale_code=none")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _find(name: str) -> Switch:
    switch = all_switches().get(name)
    if switch is None:
        close = difflib.get_close_matches(name, all_switches(), 1, 0.4)
        raise SwitchUnknown(f"there is no switch {name}{f' (do you mean {close[0]}?)' if close else ''}")
    return switch


def _read(switch: Switch, value: Any) -> Any:
    given = _from_text(value) if isinstance(value, str) else value
    if get_origin(switch.kind) is tuple and not isinstance(given, list | tuple):
        given = [given]
    try:
        return msgspec.convert(given, switch.kind, strict=False)
    except msgspec.ValidationError as error:
        usual = ", ".join(shown(one) for one in (switch.default, *switch.others))
        raise SwitchUnknown(f"{switch.name}={shown(value)}: {error}; for example {usual}") from None


def _from_text(text: str) -> Any:
    """``none`` is no value, ``a,b`` several."""
    if text.lower() == "none":
        return None
    return [part.strip() for part in text.split(",")] if "," in text else text


def shown(value: Any) -> str:
    """A setting as one types it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(shown, value)) if isinstance(value, list | tuple) else f"{value}"


def _of_shopify() -> list[Switch]:
    """The class's own words: ``name, name (S1): meaning``."""
    told: dict[str, tuple[str, str]] = {}
    for names, number, meaning in re.findall(
        r"^ {4}([a-z_0-9, ]+?)(?: \((S\d+)[^)]*\))?: (.+(?:\n {8}.+)*)", ShopifyOptions.__doc__ or "", re.MULTILINE
    ):
        for name in names.split(","):
            told[name.strip()] = (number, " ".join(meaning.split()))
    hints = get_type_hints(ShopifyOptions)
    fields = msgspec.structs.fields(ShopifyOptions)
    return [
        _switch(f"shopify.{one.name}", hints[one.name], one.default, *told.get(one.name, ("", ""))) for one in fields
    ]


def _of_wix() -> list[Switch]:
    """The sentence under each field."""
    (found,) = (node for node in ast.parse(inspect.getsource(wix_quirks)).body if isinstance(node, ast.ClassDef))
    told: dict[str, str] = {}
    for field, sentence in zip(found.body, found.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(sentence, ast.Expr):
            told[field.target.id] = " ".join(str(ast.literal_eval(sentence.value)).split())
    hints = get_type_hints(WixQuirks)
    made = []
    for one in dataclasses.fields(WixQuirks):
        number = re.match(r"([wg]\d+)_", one.name)
        kind, meaning = hints[one.name], told.get(one.name, "")
        made.append(_switch(f"wix.{one.name}", kind, one.default, number[1].upper() if number else "", meaning))
    return made


def _switch(name: str, kind: Any, default: Any, assumption: str, meaning: str) -> Switch:
    if kind is bool:
        others: tuple[Any, ...] = (not default,)
    elif get_origin(kind) is Literal:
        others = tuple(one for one in get_args(kind) if one != default)
    else:
        others = OTHERS.get(name) or _apart_from(default)
    return Switch(name, kind, default, others, assumption, meaning)


def _apart_from(default: Any) -> tuple[Any, ...]:
    """Some other setting of a switch that nobody wrote one down for: twice as much, or nothing."""
    if isinstance(default, int | float):
        return (default * 2 + 1,)
    return ((),) if isinstance(default, tuple) else ()
