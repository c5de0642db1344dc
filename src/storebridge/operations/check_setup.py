"""Check: is everything in place to keep these stores in step? Reads only; changes nothing in any store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from storebridge.connectors.port import CallTrouble, Connector, StoreFacts
from storebridge.errors import ConfigurationError
from storebridge.mappings.bundles import LinkedBundle, in_words
from storebridge.mappings.groups import Placed, groups_sold_from, place_locations
from storebridge.mappings.link import Links, link_as_kept
from storebridge.mappings.renamed import Names
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ConnectionName, LocationId
from storebridge.model.settings import COLLECTION, LaneTerms, WorkspaceTerms, names_of
from storebridge.model.stock import Policy

Catalogues = Mapping[ConnectionName, Sequence[Variant]]


class Check(msgspec.Struct, frozen=True):
    """One thing that was checked."""

    name: str
    subject: str
    passed: bool
    detail: str
    """What was found and, if it failed, what to change and where."""
    warning: bool = False
    """It passed, and a person should look at it all the same."""


async def check_setup(
    terms: WorkspaceTerms,
    connectors: Mapping[ConnectionName, Connector],
    guards: Mapping[ConnectionName, str] | None = None,
    kept: tuple[Names, Names] = ({}, {}),
) -> tuple[Check, ...]:
    """Credentials, scopes, clock, reachability and the preconditions of the guarantee, store by store. ``guards``: the
    addresses at which guarded checkouts ask; ``kept``: under which SKUs items, and bundles', are kept in step."""
    checks: list[Check] = []
    locations: dict[ConnectionName, tuple[Location, ...]] = {}
    for name, connector in connectors.items():
        found = await _check_store(name, connector)
        checks.extend(found)
        if found[0].passed:
            locations[name] = await connector.list_locations()
    if len(locations) == len(connectors):
        checks.extend(_check_groups(terms, connectors, locations))
        checks.extend(await _check_goods(terms, connectors, kept))
    return (*checks, *(_check_guard(terms, name, address) for name, address in (guards or {}).items()))


def _check_guard(terms: WorkspaceTerms, connection: ConnectionName, address: str) -> Check:
    """A vendor asks over https only (a sandbox on this machine without), and only a person can tell it where."""
    if not address.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        detail = f"{address} is not https, and {connection} asks no other address: set server.intake_url."
        return Check("checkout_guard", connection, False, detail)
    past = (
        "stores are kept apart for ways to buy that do not ask"
        if terms.guard.bypass_channels
        else (
            "switch off ways to buy that do not ask (express wallets, the till, staff), or set bypass_channels = true"
        )
    )
    return Check("checkout_guard", connection, True, f"give the checkout extension the address {address}; {past}")


async def _check_store(name: ConnectionName, connector: Connector) -> list[Check]:
    try:
        facts = await connector.probe()
    except CallTrouble as trouble:
        return [Check("reachable", name, False, str(trouble))]
    return [Check("reachable", name, True, _who(facts)), *_findings(name, facts)]


def _who(facts: StoreFacts) -> str:
    return f"{facts.name} ({facts.account}), {facts.api_version}, {facts.currency}"


def _findings(name: ConnectionName, facts: StoreFacts) -> list[Check]:
    return [Check(f.precondition.value, name, f.holds, f.detail) for f in facts.findings]


async def _check_goods(
    terms: WorkspaceTerms, connectors: Mapping[ConnectionName, Connector], kept: tuple[Names, Names]
) -> list[Check]:
    """The collections and bundles that the configuration names, against what the stores sell; nothing is listed where
    it names none."""
    named = terms.for_pools().collections_named
    guards = Policy.GUARDED in terms.policies()
    if not terms.bundles and not named and not guards:
        return []
    catalogues = {
        name: [variant async for page in connector.list_variants() for variant in page]
        for name, connector in connectors.items()
    }
    members = _members(catalogues, named)
    links = link_as_kept(catalogues, terms.bundles, *kept)
    return [
        *_check_collections(terms, members, named),
        *(_untold(name) for name, found in catalogues.items() if named and any(v.collections is None for v in found)),
        *_check_bundles(terms, links),
        *_check_guarded(msgspec.structs.replace(terms.for_pools(), members=members), links.bundles),
    ]


def _members(catalogues: Catalogues, named: frozenset[str]) -> dict[str, frozenset[str]]:
    """In which of these collections each SKU is, in any store."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for connection, variants in catalogues.items():
        for variant in variants:
            found[variant.sku or ""].update(named.intersection(names_of(connection, variant.collections or ())))
    return {sku: frozenset(names) for sku, names in found.items() if names}


def _check_collections(
    terms: WorkspaceTerms, members: Mapping[str, frozenset[str]], named: frozenset[str]
) -> list[Check]:
    """One that is empty only warns: its override holds as soon as there is a product in it."""
    counts = Counter(name for names in members.values() for name in names)
    place = f'[workspaces.{terms.workspace}.overrides."{COLLECTION}{{}}"]'
    unknown = (
        "no store has a product in a collection of this title or handle: change {}, letters count as the stores write "
        "them, or put products into it"
    )
    return [
        Check(
            "collection",
            name,
            True,
            f"SKUs: {counts[name]}" if counts[name] else unknown.format(place.format(name)),
            warning=not counts[name],
        )
        for name in sorted(named)
    ]


def _untold(connection: ConnectionName) -> Check:
    told = (
        "the store does not let its collections be read, so what was known of them stays: grant the app the permission "
        "to read products and categories"
    )
    return Check("collection", str(connection), True, told, warning=True)


def _check_bundles(terms: WorkspaceTerms, links: Links) -> list[Check]:
    """What the configuration calls a bundle, linked as a baseline links it."""
    if not terms.bundles:
        return []
    place = f"Change [[workspaces.{terms.workspace}.bundles]], or the product in the store."
    failed = [Check("bundle", one.sku, False, f"{one.why}. {place}") for one in links.troubles]
    return failed + [
        Check("bundle", one.sku, True, f"{in_words(one.components)}; counted in {', '.join(sorted(one.variants))}")
        for one in links.bundles
    ]


def _check_guarded(own: LaneTerms, bundles: Sequence[LinkedBundle]) -> list[Check]:
    """Which goods are not guarded although they would be: a checkout's hold is derived for one pool."""
    detail = (
        "{} are divided as under escrow: a checkout cannot hold the components of a bundle. Other SKUs are guarded."
    )
    found = []
    for one in bundles:
        if any(own.of(sku).policy is Policy.GUARDED for sku in one.components):
            found.append(Check("guarded", one.sku, True, detail.format(", ".join([one.sku, *sorted(one.components)]))))
    return found


def _check_groups(
    terms: WorkspaceTerms,
    connectors: Mapping[ConnectionName, Connector],
    locations: Mapping[ConnectionName, tuple[Location, ...]],
) -> list[Check]:
    try:
        placed = place_locations(terms.groups, locations)
    except ConfigurationError as error:
        return [Check("location_groups", "groups", False, str(error))]
    checks = [Check("location_groups", "groups", True, f"locations: {len(placed)}, groups: {len(terms.groups)}")]
    strictest = terms.policies()[0]
    if strictest is Policy.MIRROR:
        return checks
    for connection, groups in groups_sold_from(placed, locations).items():
        if len(groups) > 1:
            detail = (
                f"{connection} sells online from several groups ({', '.join(sorted(groups))}): its own routing "
                f"ignores them, so {strictest.value} cannot promise zero oversell. Put these locations into one "
                f'[[workspaces.{terms.workspace}.groups]], or set policy = "mirror".'
            )
            checks.append(Check("one_group_per_store", connection, False, detail))
    for connection, connector in connectors.items():
        if connector.capabilities.sells_from_default_only:
            checks.extend(_check_default(terms, strictest, connection, placed, locations[connection]))
    return checks


def _check_default(
    terms: WorkspaceTerms,
    strictest: Policy,
    connection: ConnectionName,
    placed: Mapping[tuple[ConnectionName, LocationId], Placed],
    locations: tuple[Location, ...],
) -> list[Check]:
    """Rights at a location that the checkout does not look at are no rights: it shows and sells another number."""
    outside = [one for one in locations if not one.is_default and (connection, one.location_id) in placed]
    if not outside:
        return []
    names = ", ".join(sorted(one.name for one in outside))
    detail = (
        f"{connection} sells from its default location only, and {names} is in a group as well: units there cannot be "
        f"sold, so {strictest.value} cannot keep its promise. Take {names} out of "
        f'[[workspaces.{terms.workspace}.groups]], or set policy = "mirror".'
    )
    return [Check("default_location_only", connection, False, detail)]
