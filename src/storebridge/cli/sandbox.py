"""``sandbox``: only the two pretend stores, until interrupted."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from storebridge.cli.output import give, tell
from storebridge.cli.stopping import stop_on_signals
from storebridge.config import parse_listen
from storebridge.errors import ConfigurationError
from storebridge_sandbox.app import Loaded, Stores, build_stores, load_both, serve_stores, write_config
from storebridge_sandbox.catalogue import CatalogueUnreadable
from storebridge_sandbox.faults import PROFILES, FaultSettings, read_settings
from storebridge_sandbox.history import Clock, make_history
from storebridge_sandbox.seed_catalogue import PRODUCTS
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.state_file import StateUnreadable, load_state, save_state
from storebridge_sandbox.switches import SwitchUnknown, all_switches, read_assignments, set_switches, shown
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.world import system_now

CONNECTION = "wix"
"""What the written configuration calls the Wix store: its deliveries go to an address with this name."""
VARIANTS = 430
"""As many as the usual number of made-up products has."""
ORDERS_PER_LINE = 10_000
CURRENCY = re.compile("[A-Z]{3}")


def sandbox(
    *,
    shopify_port: Annotated[int, Parameter(help="Shopify's port; 0 takes a free one.")] = 9101,
    wix_port: Annotated[int, Parameter(help="Wix's port; 0 takes a free one.")] = 9102,
    wix_catalog: Annotated[Literal["v3", "v1"], Parameter(help="Catalogue generation of the Wix site.")] = "v3",
    wix_currency: Annotated[str, Parameter(help="Currency of the Wix site; the Shopify shop's is EUR.")] = "EUR",
    catalogue: Annotated[Path | None, Parameter(help="A Shopify product export instead of the made-up one.")] = None,
    variants: Annotated[int, Parameter(help="How many made-up variants, about.")] = VARIANTS,
    orders: Annotated[int, Parameter(help="A past: so many orders of the last 90 days in each store.")] = 0,
    seed: Annotated[int, Parameter(help="Same seed, same stores.")] = 1,
    faults: Annotated[str, Parameter(help="none, some, storm, or a TOML file of settings.")] = "none",
    state: Annotated[
        Path | None,
        Parameter(
            help="Go on from this file where it exists, and write it when stopped: goods, orders, subscriptions."
        ),
    ] = None,
    write_config_to: Annotated[
        Path | None, Parameter(name="--write-config", help="Write a configuration that leads to these stores.")
    ] = None,
    intake_listen: Annotated[str, Parameter(help="Where the bridge takes webhooks.")] = "127.0.0.1:8791",
    console_listen: Annotated[str, Parameter(help="Console's address in that configuration.")] = "127.0.0.1:8790",
    switch: Annotated[
        tuple[str, ...],
        Parameter(help="NAME=VALUE: play an unverified vendor behaviour the other way; --list-switches names them."),
    ] = (),
    list_switches: Annotated[
        bool, Parameter(help="Name every switch with its settings and stop.", negative="")
    ] = False,
    json: Annotated[bool, Parameter(help="One JSON object on the last line of stdout.", negative="")] = False,
) -> int:
    """Serve a pretend Shopify store and a pretend Wix store with the same goods."""
    if list_switches:
        return name_switches(as_json=json)
    parse_addresses(intake_listen, console_listen)
    if state is not None and not state.parent.is_dir():
        raise ConfigurationError(f"--state {state}: there is no directory {state.parent}.")
    if variants < 1 or orders < 0:
        raise ConfigurationError("--variants must be at least 1, and --orders at least 0.")
    if not CURRENCY.fullmatch(wix_currency):
        raise ConfigurationError(f"--wix-currency {wix_currency}: give a code of three capital letters, such as USD.")
    settings, from_file = read_faults(faults)
    options, quirks = read_switches(from_file, switch)
    text = None if catalogue is None else read_catalogue_file(catalogue)
    plan = Plan(
        (shopify_port, wix_port),
        options,
        WixOptions(
            catalog=wix_catalog,
            currency=wix_currency,
            webhook_url=f"http://{intake_listen}/hooks/{CONNECTION}",
            quirks=quirks,
        ),
        settings,
        seed,
        text,
        variants,
        orders,
        state,
        write_config_to,
        intake_listen,
        console_listen,
        json,
    )
    try:
        asyncio.run(_serve(plan))
    except CatalogueUnreadable as error:
        raise ConfigurationError(f"--catalogue {catalogue}: {error}.") from error
    except OSError as error:
        raise ConfigurationError(f"The stores cannot be served ({error.strerror}): give other ports.") from error
    return 0


class Plan(msgspec.Struct, frozen=True):
    """What is served and where."""

    ports: tuple[int, int]
    shopify: ShopifyOptions
    wix: WixOptions
    faults: FaultSettings
    seed: int
    catalogue: bytes | None
    variants: int
    orders: int
    state: Path | None
    config: Path | None
    intake_listen: str
    console_listen: str
    json: bool


async def _serve(plan: Plan) -> None:
    clock = Clock(system_now)
    stores = build_stores(
        seed=plan.seed, shopify_options=plan.shopify, wix_options=plan.wix, faults=plan.faults, now=clock
    )
    try:
        loaded = load_goods(stores, plan, clock)
        served = await serve_stores(stores, *plan.ports)
        stopped = stop_on_signals()  # before anybody is told that it runs: a signal just after must not lose the state
        try:
            if plan.config is not None:
                write_config(
                    stores,
                    plan.config,
                    shopify_url=served.shopify_url,
                    wix_url=served.wix_url,
                    intake_listen=plan.intake_listen,
                    console_listen=plan.console_listen,
                )
            _announce(plan, loaded, served.shopify_url, served.wix_url)
            await stopped.wait()
        finally:
            await served.stop()
    finally:
        await stores.stop()
    keep_state(stores, plan)


def load_goods(stores: Stores, plan: Plan, clock: Clock) -> Loaded:
    """What the state file holds, or else the catalogue. Raises ConfigurationError for a file that is no state."""
    if plan.state is None or not plan.state.exists():
        products = max(1, round(plan.variants * PRODUCTS / VARIANTS))
        loaded = load_both(stores, plan.catalogue, seed=plan.seed, products=products)
        for made in make_history(stores, clock, orders=plan.orders, seed=plan.seed):
            if made % ORDERS_PER_LINE == 0:
                tell(f"{made} of {plan.orders} past orders in each store")
        return loaded
    try:
        load_state(stores, plan.state, seed=plan.seed)
    except StateUnreadable as error:
        raise ConfigurationError(f"--state {plan.state}: {error}.") from error
    except OSError as error:
        raise ConfigurationError(f"--state {plan.state} cannot be read ({error.strerror}).") from error
    if plan.catalogue is not None:
        tell(f"{plan.state} says what the stores sell; the catalogue is not read.")
    shelves = stores.shopify.shelves
    return Loaded(len(shelves.products), len(shelves.variants), ())


def keep_state(stores: Stores, plan: Plan) -> None:
    """Write the state file, when one is named. Raises ConfigurationError when it cannot be written."""
    if plan.state is None:
        return
    try:
        save_state(stores, plan.state, seed=plan.seed)
    except OSError as error:
        raise ConfigurationError(f"--state {plan.state} cannot be written ({error.strerror}).") from error


def _announce(plan: Plan, loaded: Loaded, shopify_url: str, wix_url: str) -> None:
    for row in loaded.skipped:
        tell(f"skipped, line {row.line}: {row.reason}")
    said = {
        "shopify": shopify_url,
        "wix": wix_url,
        "products": loaded.products,
        "variants": loaded.variants,
        "skipped": len(loaded.skipped),
        "config": None if plan.config is None else str(plan.config),
    }
    lines = [
        f"Shopify: {shopify_url}",
        f"Wix:     {wix_url}",
        "Open either in a browser to shop there; /staff is the staff's side.",
        f"{loaded.products} products, {loaded.variants} variants; {len(loaded.skipped)} lines skipped.",
    ]
    if plan.config is not None:
        lines.append(f"Configuration: {plan.config}. Now: storebridge serve --config {plan.config}")
    give(said, lines, as_json=plan.json)


def parse_addresses(*addresses: str) -> None:
    """Raises ConfigurationError for one that is no ``host:port``."""
    for address in addresses:
        try:
            parse_listen(address)
        except ValueError as error:
            raise ConfigurationError(str(error)) from error


def read_faults(name: str) -> tuple[FaultSettings, dict[str, Any]]:
    """A profile by name, or a TOML file of settings, and the switches that the file sets. Raises ConfigurationError."""
    if name in PROFILES:
        return PROFILES[name], {}
    try:
        data = tomllib.loads(Path(name).read_text(encoding="utf-8"))
        switches = msgspec.convert(data.pop("switches", {}), dict[str, dict[str, Any]])
        flat = {f"{store}.{field}": value for store, held in switches.items() for field, value in held.items()}
        return read_settings(msgspec.json.encode(data)), flat
    except OSError as error:
        raise ConfigurationError(f"--faults {name}: give {', '.join(PROFILES)}, or a TOML file.") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--faults {name}: {error}.") from error


def read_switches(from_file: Mapping[str, Any], typed: tuple[str, ...]) -> tuple[ShopifyOptions, WixQuirks]:
    """Both stores' switches; what was typed wins over the file. Raises ConfigurationError."""
    try:
        return set_switches({**from_file, **read_assignments(typed)})
    except SwitchUnknown as error:
        raise ConfigurationError(f"--switch: {error}.") from error


def name_switches(*, as_json: bool) -> int:
    """Every switch with its settings."""
    switches = all_switches().values()
    lines = [
        f"{one.name}={shown(one.default)}  (or {', '.join(map(shown, one.others))})"
        f"{f'  {one.assumption}' if one.assumption else ''}\n    {one.meaning}"
        for one in switches
    ]
    give({"switches": [one.listed() for one in switches]}, lines, as_json=as_json)
    return 0


def read_catalogue_file(path: Path) -> bytes:
    """A product export's content. Raises ConfigurationError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"--catalogue {path} cannot be read ({error.strerror}).") from error
