"""The configuration: one TOML file, checked as a whole; every setting has a sentence.

[server]
store = "storebridge.sqlite3"                 # or postgresql://user@host/database
console_listen = "127.0.0.1:8790"             # console, API, metrics
intake_listen = "127.0.0.1:8791"              # webhooks only
intake_url = "https://hooks.example.com"      # how the stores reach the intake

[workspaces.main]
policy = "mirror"
system_of_record = "shopify"

[workspaces.main.connections.shopify]
kind = "shopify"
shop = "my-shop.myshopify.com"
client_id = "abc"
client_secret = { env = "SHOPIFY_CLIENT_SECRET" }
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from storebridge.errors import ConfigurationError

T = TypeVar("T", bound=msgspec.Struct)


class SecretRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is: exactly one of the three. The value itself never stands in the file."""

    env: str | None = None
    """An environment variable."""
    file: str | None = None
    """A file that only the service's user can read."""
    table: str | None = None
    """A name in the encrypted table (``storebridge secrets set NAME``)."""


class ConnectionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One store and its credentials."""

    kind: Literal["shopify", "wix"]
    api_url: str | None = None
    """Only for a sandbox: the base address instead of the vendor's own host."""
    copies_take_stock: Literal["never", "when_made", "when_shipped"] = "never"
    """When this store lowers stock for a copied order, although it is asked not to."""
    # Shopify
    shop: str | None = None
    """``name.myshopify.com``."""
    client_id: str | None = None
    client_secret: SecretRef | None = None
    """Also signs webhooks. Two are accepted while a secret is rotated: see ``previous_client_secret``."""
    previous_client_secret: SecretRef | None = None
    access_token: SecretRef | None = None
    """A token that was given once (custom app); used instead of the client-credentials grant."""
    refresh_token: SecretRef | None = None
    """First refresh token of an expiring offline token; later ones live in the encrypted table."""
    # Wix
    site_id: str | None = None
    app_id: str | None = None
    app_secret: SecretRef | None = None
    instance_id: str | None = None
    stamp_namespace: str | None = None
    """Namespace of the app's extension for inventory items; with it every stock write leaves a stamp."""
    api_key: SecretRef | None = None
    webhook_public_key: SecretRef | None = None
    """The app's public key (PEM, or base64 of it), from the app's dashboard; verifies deliveries."""
    previous_webhook_public_key: SecretRef | None = None


class LocationGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Locations of several stores that hold the same goods; ``*`` is every location of that store."""

    name: str
    locations: dict[str, list[str]]
    """Connection name to its locations, the first written first."""


class OrdersConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done with orders beyond explaining stock."""

    keep: bool = True
    """Read every order whole and show it in the fulfilment queue; false reads only what stock needs."""
    copy_to: str = ""
    """The connection whose store gets a copy of every paid order of the others; empty: nothing is copied."""


class GuardConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The guard of Wix's checkout, for SKUs whose policy is ``guarded``."""

    answer_within_ms: int = 800
    """A checkout is answered within this; what cannot be held by then is refused."""
    hold_minutes: float = 10.0
    """How long a checkout that asks no more keeps its units."""
    most_units_per_checkout: int = 20
    """Units of one SKU that one checkout may hold."""
    most_share_held: float = 0.8
    """Part of what is left of a SKU that all checkouts may hold together, rounded up."""
    bypass_channels: bool = False
    """The site sells on ways that do not ask: express wallets, the till, orders typed in by staff."""
    probe_seconds: float = 10.0
    """How often the guard's own address is probed."""


class OverrideConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is different for a SKU, a collection or a pattern of SKUs; what is not named is as everywhere."""

    policy: Literal["mirror", "escrow", "hybrid", "guarded"] | None = None
    safety_stock: int | None = None
    risk: float | None = None
    allocation: dict[str, int | str] = {}
    """The most that a connection shows: units (5), part of what is left ("30%"), or "velocity" (no limit)."""


class BundleConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A SKU that is made of others: where a store sells it as an ordinary variant, a sale takes its components."""

    sku: str
    components: dict[str, int]
    """Units of each component in one bundle, by SKU."""


class WorkspaceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant: stores, and how they are kept in step."""

    connections: dict[str, ConnectionConfig]
    policy: Literal["mirror", "escrow", "hybrid", "guarded"] = "mirror"
    system_of_record: str = ""
    """Whose level is believed at the baseline; default: the first connection."""
    groups: list[LocationGroup] = []
    orders: OrdersConfig = OrdersConfig()
    """Default: one group ``main`` of every location that can sell online."""
    baseline: Literal["ask", "automatic"] = "ask"
    """``ask``: nothing is written before ``storebridge baseline --sign-off``. ``automatic``: at start."""
    safety_stock: int = 0
    """Units of each pool that no store shows."""
    risk: float = 0.001
    """Hybrid: the chance that a store sells more than its allowance before that is known."""
    allocation: dict[str, int | str] = {}
    """The most that a connection shows of each pool; as in an override, which replaces it store by store."""
    overrides: dict[str, OverrideConfig] = {}
    """By SKU, by a pattern such as ``TEE-*``, or by a collection: ``collection:Summer``."""
    bundles: list[BundleConfig] = []
    """SKUs that are made of others. Shopify's own bundles are recognised and need not be named."""
    oversold_first: list[str] = []
    """Connections whose orders keep their goods when more was sold than exists; empty: the earliest paid keeps."""
    checkout_guard: GuardConfig = GuardConfig()
    keep_together: bool = False
    """A lower is taken from one location of a store where one has enough; false: from the last ones in turn."""
    most_units_per_hour: int = 100_000
    """More units than this are not written within an hour: everything is held for a person; 0: no limit."""
    most_skus_per_hour: int = 20_000
    """The same for SKUs; it also limits what ``storebridge undo`` takes back at once."""
    hold_above_units: int = 200
    """A single change by staff of more units than this is held for a person."""
    mass_zero_share: float = 0.3
    """Hold what falls in a store when more than this share of its counters falls to zero within one sweep."""
    sweep_seconds: float = 300.0
    """Every counter is read at least this often, webhooks or not."""
    hot_sweep_seconds: float = 30.0
    """Counters that moved lately or are low are read at least this often."""
    hot_below_units: int = 3
    order_poll_seconds: float = 30.0
    """Orders changed since the cursor are listed this often."""
    subscription_check_seconds: float = 600.0
    settlement_poll_seconds: float = 3600.0
    """Payouts and fees are read this often, where a store's payment provider shows them."""
    time_zone: str = "UTC"
    """Where the days of settlement statements begin and end, by its IANA name (``Europe/Berlin``)."""
    payload_retention_days: int = 30
    """Raw deliveries, which hold personal data, and the bodies of settled calls are emptied after this."""
    buyer_retention_days: int = 365
    """Buyers, addresses and notes are taken out of finished orders after this."""
    history_retention_days: int = 365
    """Results of stages and measured delays are dropped after this; ledger and audit stay."""


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The process."""

    store: str = "storebridge.sqlite3"
    """A SQLite file, or ``postgresql://...``."""
    console_listen: str = "127.0.0.1:8790"
    intake_listen: str = "127.0.0.1:8791"
    intake_url: str = ""
    """How the stores reach the intake from outside; default: ``http://`` and ``intake_listen``."""
    console_token: SecretRef | None = None
    """Demanded by console and API when they listen anywhere but on loopback."""
    secrets_key: SecretRef | None = None
    """32 bytes, base64: seals the encrypted table."""
    max_delivery_bytes: int = 2 * 1024 * 1024


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    workspaces: dict[str, WorkspaceConfig]
    server: ServerConfig = ServerConfig()


CAPS = ("most_units_per_hour", "most_skus_per_hour")
RETENTION = ("payload_retention_days", "buyer_retention_days", "history_retention_days")
MOST_OVERRIDES = 2000
MOST_PATTERNS = 50
"""Each is looked at for every SKU that has no override of its own name."""
MOST_IN_BUNDLE = 1000
COLLECTION = "collection:"
"""Begins the name of an override for every SKU of a collection."""
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""Workspaces and connections stand in addresses and metric labels."""
LISTEN = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})")
STORE_VARIABLE = "STOREBRIDGE_STORE"
"""Overrides ``server.store``: a database's address may hold a password, which does not belong in a file."""


def read_text(path: str) -> str:
    """The text of a small file that the configuration names."""
    return Path(path).read_text(encoding="utf-8")


def load_config(path: str, environ: Mapping[str, str], read_file: Callable[[str], str] = read_text) -> Config:
    """Read and check a configuration file. Raises ConfigurationError: one line, what to change where."""
    try:
        text = read_file(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(
            f"The configuration {path} cannot be read ({reason}): run `storebridge init`, or name a file with --config."
        ) from error
    config = parse_config(text, path)
    if store := environ.get(STORE_VARIABLE):
        config = msgspec.structs.replace(config, server=msgspec.structs.replace(config.server, store=store))
    return config


def parse_config(text: str, name: str) -> Config:
    """Check a whole configuration; ``name`` is how messages call it. Raises ConfigurationError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name} is not TOML: {error}.") from error
    _refuse_unknown(data, {"server", "workspaces"}, name, "")
    server = _convert(data.get("server", {}), ServerConfig, name, "server")
    _check_server(server, name)
    workspaces = data.get("workspaces")
    if not isinstance(workspaces, dict) or not workspaces:
        raise ConfigurationError(f"{name}: no workspace: add [workspaces.main] and its connections.")
    return Config(
        workspaces={key: _parse_workspace(value, name, key) for key, value in workspaces.items()},
        server=server,
    )


def _parse_workspace(data: Any, name: str, key: str) -> WorkspaceConfig:
    """One workspace; its connections are checked one by one, so that a message can name the right one."""
    where = f"workspaces.{key}"
    _check_name(key, name, where)
    if not isinstance(data, dict):
        raise ConfigurationError(f"{name}: {where} must be a table: write [{where}].")
    connections = data.get("connections")
    if not isinstance(connections, dict) or not connections:
        raise ConfigurationError(f"{name}: {where} has no connections: add [{where}.connections.shopify].")
    found: dict[str, ConnectionConfig] = {}
    for connection, settings in connections.items():
        place = f"{where}.connections.{connection}"
        _check_name(connection, name, place)
        found[connection] = _convert(settings, ConnectionConfig, name, place)
        _check_secrets(found[connection], name, place)
    overrides = _parse_overrides(data.get("overrides", {}), found, name, f"{where}.overrides")
    workspace = _convert({**data, "connections": {}, "overrides": {}}, WorkspaceConfig, name, where)
    _check_figures(workspace, name, where)
    _check_allocation(workspace.allocation, found, name, where)
    _check_bundles(workspace.bundles, name, f"{where}.bundles")
    return msgspec.structs.replace(workspace, connections=found, overrides=overrides)


def _parse_overrides(data: Any, connections: Mapping[str, object], name: str, where: str) -> dict[str, OverrideConfig]:
    if not isinstance(data, dict):
        raise ConfigurationError(f'{name}: {where} must hold tables: write [{where}."SKU"].')
    patterns = sum("*" in pattern and not pattern.startswith(COLLECTION) for pattern in data)
    if len(data) > MOST_OVERRIDES or patterns > MOST_PATTERNS:
        raise ConfigurationError(
            f"{name}: {where}: {len(data)} overrides, {patterns} of them patterns: at most {MOST_OVERRIDES} and "
            f"{MOST_PATTERNS}; put SKUs that are alike under one pattern such as TEE-*."
        )
    found: dict[str, OverrideConfig] = {}
    for pattern, settings in data.items():
        place = f'{where}."{pattern}"'
        if not pattern.strip() or len(pattern) > 255:
            raise ConfigurationError(f"{name}: {place}: name a SKU or a pattern of 1 to 255 characters.")
        if pattern.startswith(COLLECTION) and not pattern.removeprefix(COLLECTION).strip():
            raise ConfigurationError(f"{name}: {place}: name the collection: collection:Summer.")
        found[pattern] = _convert(settings, OverrideConfig, name, place)
        _check_override(found[pattern], connections, name, place)
    return found


def _check_override(override: OverrideConfig, connections: Mapping[str, object], name: str, where: str) -> None:
    if override.safety_stock is not None and override.safety_stock < 0:
        raise ConfigurationError(f"{name}: {where}.safety_stock: it cannot be below 0.")
    if override.risk is not None:
        _check_risk(override.risk, name, where)
    _check_allocation(override.allocation, connections, name, where)


def _check_allocation(
    allocation: Mapping[str, int | str], connections: Mapping[str, object], name: str, where: str
) -> None:
    _refuse_unknown(allocation, set(connections), name, f"{where}.allocation", what="connection")
    for connection, text in allocation.items():
        try:
            share_of(text)
        except ValueError as error:
            raise ConfigurationError(f"{name}: {where}.allocation.{connection}: {error}.") from error


def share_of(text: int | str) -> tuple[int | None, float | None] | None:
    """Units or percent of an allocation; None for ``velocity``: no limit. Raises ValueError."""
    if text == "velocity":
        return None
    if isinstance(text, int) and text >= 0:
        return text, None
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?) ?%", text) if isinstance(text, str) else None
    if match is None or float(match[1]) > 100:
        raise ValueError(f'{text!r} is no allocation: write units (5), a part ("30%"), or "velocity"')
    return None, float(match[1])


def _check_risk(risk: float, name: str, where: str) -> None:
    if not 1e-6 <= risk <= 0.5:
        raise ConfigurationError(f"{name}: {where}.risk: a chance from 0.000001 to 0.5; 0.001 is one in a thousand.")


def _convert(data: Any, kind: type[T], name: str, where: str) -> T:
    if isinstance(data, dict):
        _refuse_unknown(data, {f.name for f in msgspec.structs.fields(kind)}, name, where)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        place = where + path.rstrip("`").replace("[...]", "")
        raise ConfigurationError(f"{name}: {place}: {problem[:1].lower()}{problem[1:]}.") from error


def _refuse_unknown(data: Mapping[str, Any], known: set[str], name: str, where: str, *, what: str = "setting") -> None:
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known))}."
            place = f"{where}.{key}" if where else key
            raise ConfigurationError(f"{name}: {place} is not a {what}: {hint}")


def _check_name(value: str, name: str, where: str) -> None:
    if not NAME.fullmatch(value):
        raise ConfigurationError(
            f"{name}: {where}: {value!r} cannot be a name: use small letters, digits, - and _, at most 40."
        )


def _check_secrets(settings: msgspec.Struct, name: str, where: str) -> None:
    for field in msgspec.structs.fields(type(settings)):
        value = getattr(settings, field.name)
        if isinstance(value, SecretRef):
            check_secret_ref(value, f"{name}: {where}.{field.name}")


def check_secret_ref(ref: SecretRef, setting: str) -> None:
    """Raises ConfigurationError unless exactly one place is named."""
    if sum(place is not None for place in (ref.env, ref.file, ref.table)) != 1:
        raise ConfigurationError(
            f'{setting}: name exactly one place: {{ env = "NAME" }}, {{ file = "PATH" }} or {{ table = "NAME" }}.'
        )


def _check_server(server: ServerConfig, name: str) -> None:
    _check_secrets(server, name, "server")
    for setting in ("console_listen", "intake_listen"):
        try:
            parse_listen(getattr(server, setting))
        except ValueError as error:
            raise ConfigurationError(f"{name}: server.{setting}: {error}.") from error
    if server.console_listen == server.intake_listen and not server.console_listen.endswith(":0"):
        raise ConfigurationError(f"{name}: server.intake_listen: give the intake a port of its own.")
    if server.intake_url and not server.intake_url.startswith(("https://", "http://")):
        raise ConfigurationError(f"{name}: server.intake_url: it must begin with https://.")
    if not 1024 <= server.max_delivery_bytes <= 64 * 1024 * 1024:
        raise ConfigurationError(f"{name}: server.max_delivery_bytes: between 1024 and 67108864 bytes.")


def _check_figures(workspace: WorkspaceConfig, name: str, where: str) -> None:
    """Every pace is a positive number of seconds; shares and units are in range."""
    for field in msgspec.structs.fields(WorkspaceConfig):
        if field.name.endswith("_seconds") and not getattr(workspace, field.name) > 0:
            raise ConfigurationError(f"{name}: {where}.{field.name}: it must be more than 0 seconds.")
    if not 0 < workspace.mass_zero_share <= 1:
        raise ConfigurationError(f"{name}: {where}.mass_zero_share: a share above 0, at most 1.")
    _check_risk(workspace.risk, name, where)
    _check_guard(workspace.checkout_guard, name, f"{where}.checkout_guard")
    for setting in ("safety_stock", "hold_above_units", "hot_below_units", *CAPS, *RETENTION):
        if getattr(workspace, setting) < 0:
            raise ConfigurationError(f"{name}: {where}.{setting}: it cannot be below 0.")


def _check_bundles(bundles: Sequence[BundleConfig], name: str, where: str) -> None:
    recipes: dict[str, dict[str, int]] = {}
    for bundle in bundles:
        place = f'{where} "{bundle.sku}"'
        if not bundle.sku.strip() or bundle.sku in recipes:
            raise ConfigurationError(f"{name}: {place}: give each bundle the SKU of its own, once.")
        if not bundle.components:
            raise ConfigurationError(f"{name}: {place}.components: name at least one SKU and its units.")
        for sku, units in bundle.components.items():
            if not sku.strip() or not 1 <= units <= MOST_IN_BUNDLE:
                raise ConfigurationError(
                    f'{name}: {place}.components."{sku}": {units} units: a SKU and a number from 1 to {MOST_IN_BUNDLE}.'
                )
        recipes[bundle.sku] = bundle.components
    for sku in recipes:
        _refuse_circle(sku, recipes, name, where)


def _refuse_circle(sku: str, recipes: Mapping[str, Mapping[str, int]], name: str, where: str) -> None:
    """A bundle may be made of bundles, but not of itself."""
    waiting, seen = list(recipes[sku]), set[str]()
    while waiting:
        part = waiting.pop()
        if part == sku:
            raise ConfigurationError(f'{name}: {where} "{sku}": it is made of itself; take it out of its components.')
        if part not in seen:
            seen.add(part)
            waiting.extend(recipes.get(part, ()))


def _check_guard(guard: GuardConfig, name: str, where: str) -> None:
    """Wix waits a few seconds at most (G2), and a hold must outlive the buyer's typing."""
    limits: tuple[tuple[str, float, float], ...] = (
        ("answer_within_ms", 100, 4000),
        ("hold_minutes", 1, 120),
        ("most_units_per_checkout", 1, 100_000),
        ("most_share_held", 0.01, 1),
        ("probe_seconds", 1, 300),
    )
    for setting, least, most in limits:
        if not least <= getattr(guard, setting) <= most:
            raise ConfigurationError(f"{name}: {where}.{setting}: from {least:g} to {most:g}.")


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of ``host:port`` (``[::1]:8790`` for IPv6). Raises ValueError."""
    match = LISTEN.fullmatch(text)
    if match is None or int(match[2]) > 65535:
        raise ValueError(f'{text!r} is not an address: write "127.0.0.1:8790"')
    return match[1].strip("[]"), int(match[2])


def is_loopback(text: str) -> bool:
    """Whether only this machine can reach a ``host:port``."""
    host, _ = parse_listen(text)
    return host in ("localhost", "::1") or host.startswith("127.")


def refuse_unguardable(config: Config) -> None:
    """Raises ConfigurationError for a policy that none of the workspace's stores can carry out."""
    for name, workspace in config.workspaces.items():
        named: list[tuple[str, str | None]] = [("policy", workspace.policy)]
        named += [
            (f'overrides."{pattern}".policy', override.policy) for pattern, override in workspace.overrides.items()
        ]
        if any(can_be_guarded(connection) for connection in workspace.connections.values()):
            continue
        for place, policy in named:
            if policy == "guarded":
                raise ConfigurationError(
                    f"workspaces.{name}.{place}: guarded needs a Wix connection of an app (app_id, instance_id and "
                    "webhook_public_key), whose checkout can ask: add them, or use mirror, escrow or hybrid."
                )


def can_be_guarded(connection: ConnectionConfig) -> bool:
    """Whether this store's checkout can ask, and its questions can be told from forged ones."""
    app = (connection.app_id, connection.instance_id, connection.webhook_public_key)
    return connection.kind == "wix" and all(app)


def resolve_secret(
    ref: SecretRef | None,
    environ: Mapping[str, str],
    read_file: Callable[[str], str],
    *,
    setting: str,
    read_table: Callable[[str], str | None] | None = None,
) -> str | None:
    """The value that ``ref`` points at; None when nothing is configured.

    ``setting`` is how messages call it; they never show the value.
    Raises ConfigurationError when the place is empty.
    """
    if ref is None:
        return None
    check_secret_ref(ref, setting)
    if ref.env is not None:
        value, place = environ.get(ref.env), f"the environment variable {ref.env}"
    elif ref.file is not None:
        value, place = _read_secret_file(ref.file, read_file, setting), f"the file {ref.file}"
    else:
        assert ref.table is not None
        value = read_table(ref.table) if read_table is not None else None
        place = f"the encrypted table's entry {ref.table} (storebridge secrets set {ref.table})"
    if value is None or not value.strip():
        raise ConfigurationError(f"{setting}: {place} is empty or missing: put the secret there.")
    return value.strip()


def _read_secret_file(path: str, read_file: Callable[[str], str], setting: str) -> str:
    try:
        return read_file(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigurationError(f"{setting}: the file {path} cannot be read ({reason}).") from error
