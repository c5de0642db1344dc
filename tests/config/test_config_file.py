"""The configuration file: one line says what is wrong and what to write instead."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from storebridge.config import (
    Config,
    SecretRef,
    is_loopback,
    load_config,
    parse_config,
    parse_listen,
    refuse_unguardable,
    resolve_secret,
)
from storebridge.errors import ConfigurationError
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import LaneTerms, Override, PoolTerms, names_of
from storebridge.model.stock import Policy, Share
from storebridge.operations.read_terms import terms_of

SHOPIFY, WIX = ConnectionName("shopify"), ConnectionName("wix")

GOOD = """
[server]
store = "file.sqlite3"

[workspaces.main]
policy = "escrow"
system_of_record = "shopify"

[[workspaces.main.groups]]
name = "main"
locations = { shopify = ["*"], wix = ["*"] }

[workspaces.main.connections.shopify]
kind = "shopify"
shop = "my-shop.myshopify.com"
client_secret = { env = "SHOPIFY_CLIENT_SECRET" }

[workspaces.main.connections.wix]
kind = "wix"
site_id = "site"
"""


def test_a_whole_file_is_read() -> None:
    config = parse_config(GOOD, "a.toml")
    workspace = config.workspaces["main"]
    assert config.server.store == "file.sqlite3"
    assert config.server.console_listen == "127.0.0.1:8790"
    assert list(workspace.connections) == ["shopify", "wix"]
    assert workspace.connections["shopify"].client_secret == SecretRef(env="SHOPIFY_CLIENT_SECRET")
    assert workspace.groups[0].locations == {"shopify": ["*"], "wix": ["*"]}


def test_a_file_on_disk_is_read_and_the_environment_may_name_the_store(tmp_path: Path) -> None:
    path = tmp_path / "storebridge.toml"
    path.write_text(GOOD)
    assert load_config(str(path), {}).server.store == "file.sqlite3"
    environ = {"STOREBRIDGE_STORE": "postgresql://me@host/name"}
    assert load_config(str(path), environ).server.store == "postgresql://me@host/name"


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_config(str(tmp_path / "none.toml"), {})
    assert str(caught.value) == (
        f"The configuration {tmp_path / 'none.toml'} cannot be read (No such file or directory): "
        "run `storebridge init`, or name a file with --config."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[server]", "[serer]", "a.toml: serer is not a setting: did you mean server?"),
        ('store = "', 'stor = "', "a.toml: server.stor is not a setting: did you mean store?"),
        (
            'store = "file.sqlite3"',
            "max_delivery_bytes = 'x'",
            "a.toml: server.max_delivery_bytes: expected `int`, got `str`.",
        ),
        (
            'store = "file.sqlite3"',
            'console_listen = "8790"',
            "a.toml: server.console_listen: '8790' is not an address: write \"127.0.0.1:8790\".",
        ),
        (
            'store = "file.sqlite3"',
            'console_listen = "127.0.0.1:8791"',
            "a.toml: server.intake_listen: give the intake a port of its own.",
        ),
        (
            'policy = "escrow"',
            "policy = 'best'",
            "a.toml: workspaces.main.policy: invalid enum value 'best'.",
        ),
        (
            'policy = "escrow"',
            "sweep_seconds = 0",
            "a.toml: workspaces.main.sweep_seconds: it must be more than 0 seconds.",
        ),
        (
            'policy = "escrow"',
            "mass_zero_share = 2.0",
            "a.toml: workspaces.main.mass_zero_share: a share above 0, at most 1.",
        ),
        (
            'shop = "my',
            'shoop = "my',
            "a.toml: workspaces.main.connections.shopify.shoop is not a setting: did you mean shop?",
        ),
        (
            'site_id = "site"',
            "site_id = 5",
            "a.toml: workspaces.main.connections.wix.site_id: expected `str | null`, got `int`.",
        ),
        (
            '{ env = "SHOPIFY_CLIENT_SECRET" }',
            "{}",
            "a.toml: workspaces.main.connections.shopify.client_secret: name exactly one place: "
            '{ env = "NAME" }, { file = "PATH" } or { table = "NAME" }.',
        ),
        (
            "[workspaces.main.connections.wix]",
            "[workspaces.main.connections.'My Wix']",
            "a.toml: workspaces.main.connections.My Wix: 'My Wix' cannot be a name: use small letters, "
            "digits, - and _, at most 40.",
        ),
    ],
)
def test_a_mistake_is_named_in_one_line(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(GOOD.replace(old, new, 1), "a.toml")
    assert str(caught.value) == message


def test_a_file_without_workspaces_says_what_to_add() -> None:
    with pytest.raises(ConfigurationError, match=r"no workspace: add \[workspaces.main\]"):
        parse_config("[server]\n", "a.toml")
    with pytest.raises(ConfigurationError, match=r"workspaces.main has no connections"):
        parse_config("[workspaces.main]\n", "a.toml")
    with pytest.raises(ConfigurationError, match=r"a.toml is not TOML: .*line 1"):
        parse_config("[server\n", "a.toml")


def test_guarded_needs_a_store_whose_checkout_can_ask() -> None:
    config: Config = parse_config(GOOD.replace("escrow", "guarded"), "a.toml")
    with pytest.raises(ConfigurationError) as caught:
        refuse_unguardable(config)
    assert str(caught.value) == (
        "workspaces.main.policy: guarded needs a Wix connection of an app (app_id, instance_id and "
        "webhook_public_key), whose checkout can ask: add them, or use mirror, escrow or hybrid."
    )


def test_a_wix_app_can_be_guarded() -> None:
    app = 'app_id = "app"\ninstance_id = "installed"\nwebhook_public_key = { env = "WIX_KEY" }\n'
    config = parse_config(GOOD.replace("escrow", "guarded") + app, "a.toml")
    refuse_unguardable(config)
    terms = terms_of("main", config.workspaces["main"])
    assert (terms.guarded_stores, terms.guard.answer_within.total_seconds()) == ((WIX,), 0.8)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("answer_within_ms = 99", "answer_within_ms: from 100 to 4000."),
        ("most_share_held = 1.5", "most_share_held: from 0.01 to 1."),
        ("hold_minutes = 0", "hold_minutes: from 1 to 120."),
    ],
)
def test_the_guards_settings_are_bounded(setting: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(f"{GOOD}\n[workspaces.main.checkout_guard]\n{setting}\n", "a.toml")
    assert str(caught.value) == f"a.toml: workspaces.main.checkout_guard.{message}"


def test_addresses_and_loopback() -> None:
    assert parse_listen("[::1]:80") == ("::1", 80)
    assert is_loopback("[::1]:80")
    assert is_loopback("127.0.0.9:1")
    assert is_loopback("localhost:1")
    assert not is_loopback("0.0.0.0:1")
    with pytest.raises(ValueError, match="is not an address"):
        parse_listen("127.0.0.1:70000")


def test_a_secret_comes_from_where_it_is_said_to_be() -> None:
    def read(path: str) -> str:
        assert path == "/etc/secret"
        return " from file\n"

    assert resolve_secret(None, {}, read, setting="s") is None
    assert resolve_secret(SecretRef(env="A"), {"A": "x"}, read, setting="s") == "x"
    assert resolve_secret(SecretRef(file="/etc/secret"), {}, read, setting="s") == "from file"
    table = {"t": "sealed"}.get
    assert resolve_secret(SecretRef(table="t"), {}, read, setting="s", read_table=table) == "sealed"


def test_a_secret_that_is_not_there_is_named_but_never_shown() -> None:
    def read(path: str) -> str:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(ConfigurationError) as caught:
        resolve_secret(SecretRef(env="A"), {"A": " "}, read, setting="connection wix: api_key")
    assert str(caught.value) == (
        "connection wix: api_key: the environment variable A is empty or missing: put the secret there."
    )
    with pytest.raises(ConfigurationError, match="the file f cannot be read"):
        resolve_secret(SecretRef(file="f"), {}, read, setting="s")
    with pytest.raises(ConfigurationError, match=r"storebridge secrets set t\) is empty"):
        resolve_secret(SecretRef(table="t"), {}, read, setting="s")


WITH_OVERRIDES = (
    GOOD
    + """
[workspaces.main.overrides."TEE-*"]
policy = "hybrid"
allocation = { wix = "30%", shopify = "velocity" }

[workspaces.main.overrides."TEE-1"]
safety_stock = 2
risk = 0.01
allocation = { wix = 5 }
"""
)


def test_the_override_of_a_skus_own_name_wins_over_a_pattern() -> None:
    config = parse_config(WITH_OVERRIDES, "a.toml")
    pools = terms_of("main", config.workspaces["main"]).for_pools()
    most = {SHOPIFY: 1_000_000_000, WIX: 99_999}
    usual = PoolTerms(Policy.ESCROW, most_per_counter=most)
    assert pools.of("MUG") == usual
    assert pools.of("TEE-2") == msgspec.structs.replace(
        usual, policy=Policy.HYBRID, allocation={WIX: Share(percent=30.0)}
    )
    assert pools.of("TEE-1") == PoolTerms(Policy.ESCROW, 2, 0.01, {WIX: Share(units=5)}, most_per_counter=most)
    assert pools.of("tee-2") == usual


def test_an_allocation_of_the_workspace_holds_where_no_override_says_otherwise() -> None:
    text = WITH_OVERRIDES.replace('policy = "escrow"', 'policy = "escrow"\nallocation = { wix = "20%", shopify = 50 }')
    text += '\n[workspaces.main.overrides."CAP"]\nallocation = { wix = "velocity" }\n'
    text += '\n[workspaces.main.overrides."HAT"]\nsafety_stock = 1\n'
    pools = terms_of("main", parse_config(text, "a.toml").workspaces["main"]).for_pools()
    fifty, fifth = Share(units=50), Share(percent=20.0)
    assert {sku: pools.of(sku).allocation for sku in ("MUG", "HAT", "CAP", "TEE-1", "TEE-2")} == {
        "MUG": {WIX: fifth, SHOPIFY: fifty},
        "HAT": {WIX: fifth, SHOPIFY: fifty},
        "CAP": {SHOPIFY: fifty},
        "TEE-1": {WIX: Share(units=5), SHOPIFY: fifty},
        "TEE-2": {WIX: Share(percent=30.0)},
    }


@pytest.mark.parametrize(
    ("allocation", "message"),
    [
        ("{ wixx = 5 }", ".wixx is not a connection: did you mean wix?"),
        ("{ wix = -5 }", '.wix: -5 is no allocation: write units (5), a part ("30%"), or "velocity".'),
    ],
)
def test_a_wrong_allocation_of_a_workspace_is_named(allocation: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(GOOD.replace('policy = "escrow"', f"allocation = {allocation}"), "a.toml")
    assert str(caught.value) == f"a.toml: workspaces.main.allocation{message}"


def test_the_longest_pattern_wins() -> None:
    pools = LaneTerms(overrides={"A-B*": Override("A-B*", safety_stock=1), "A*": Override("A*", safety_stock=2)})
    assert [pools.of(sku).safety_stock for sku in ("A-B1", "A-C", "B")] == [1, 2, 0]
    text = WITH_OVERRIDES + '\n[workspaces.main.overrides."T*"]\nsafety_stock = 9\n'
    assert terms_of("main", parse_config(text, "a").workspaces["main"]).for_pools().of("TEE-2").safety_stock == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("safety_stock = 2", "safety = 2", ".safety is not a setting: did you mean safety_stock?"),
        ("safety_stock = 2", "safety_stock = -1", ".safety_stock: it cannot be below 0."),
        ("risk = 0.01", "risk = 0.0", ".risk: a chance from 0.000001 to 0.5; 0.001 is one in a thousand."),
        ("{ wix = 5 }", "{ wixx = 5 }", ".allocation.wixx is not a connection: did you mean wix?"),
        (
            "{ wix = 5 }",
            '{ wix = "half" }',
            '.allocation.wix: \'half\' is no allocation: write units (5), a part ("30%"), or "velocity".',
        ),
        (
            "{ wix = 5 }",
            "{ wix = -5 }",
            '.allocation.wix: -5 is no allocation: write units (5), a part ("30%"), or "velocity".',
        ),
        (
            "{ wix = 5 }",
            '{ wix = "101%" }',
            '.allocation.wix: \'101%\' is no allocation: write units (5), a part ("30%"), or "velocity".',
        ),
    ],
)
def test_a_wrong_override_is_named(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(WITH_OVERRIDES.replace(old, new), "a.toml")
    assert str(caught.value) == f'a.toml: workspaces.main.overrides."TEE-1"{message}'


def test_a_workspaces_risk_is_bounded() -> None:
    with pytest.raises(ConfigurationError, match="risk: a chance from 0"):
        parse_config(GOOD.replace('policy = "escrow"', "risk = 1.0"), "a.toml")


def test_an_override_that_nobody_can_guard_is_named() -> None:
    config = parse_config(WITH_OVERRIDES.replace('"hybrid"', '"guarded"'), "a.toml")
    with pytest.raises(ConfigurationError, match=r'overrides."TEE-\*".policy: guarded needs a Wix connection'):
        refuse_unguardable(config)


def test_overrides_are_bounded() -> None:
    many = "".join(f'[workspaces.main.overrides."P{n}*"]\nsafety_stock = 1\n' for n in range(51))
    with pytest.raises(ConfigurationError, match="51 overrides, 51 of them patterns: at most 2000 and 50"):
        parse_config(GOOD + many, "a.toml")


WITH_COLLECTIONS = (
    GOOD
    + """
[workspaces.main.overrides."collection:Winter"]
safety_stock = 1

[workspaces.main.overrides."collection:shopify/summer-sale"]
safety_stock = 2

[workspaces.main.overrides."TEE-LONGEST-*"]
safety_stock = 3

[workspaces.main.overrides."TEE-LONGEST-1"]
safety_stock = 4
"""
)


def in_collections(text: str, **told: tuple[str, list[str]]) -> LaneTerms:
    """The settings, where each SKU is in what one store tells: (store, titles and handles)."""
    pools = terms_of("main", parse_config(text, "a.toml").workspaces["main"]).for_pools()
    members = {
        sku.replace("_", "-"): pools.collections_named.intersection(names_of(store, names))
        for sku, (store, names) in told.items()
    }
    return msgspec.structs.replace(pools, members=members)


def test_a_skus_own_name_wins_over_a_collection_and_a_collection_over_the_longest_pattern() -> None:
    summer = ("shopify", ["Summer Sale", "summer-sale"])
    pools = in_collections(WITH_COLLECTIONS, TEE_LONGEST_1=summer, TEE_LONGEST_2=summer, MUG=summer)
    assert {
        sku: pools.of(sku).safety_stock for sku in ("TEE-LONGEST-1", "TEE-LONGEST-2", "TEE-LONGEST-3", "MUG", "X")
    } == {
        "TEE-LONGEST-1": 4,
        "TEE-LONGEST-2": 2,
        "TEE-LONGEST-3": 3,
        "MUG": 2,
        "X": 0,
    }
    assert [pools.decided_by(sku) for sku in ("TEE-LONGEST-1", "MUG", "TEE-LONGEST-3", "X")] == [
        "override TEE-LONGEST-1",
        "override collection:shopify/summer-sale",
        "override TEE-LONGEST-*",
        "",
    ]


def test_of_several_collections_the_first_in_the_file_counts_and_one_stores_word_is_for_that_store() -> None:
    both = ("shopify", ["Summer Sale", "summer-sale", "Winter"])
    pools = in_collections(
        WITH_COLLECTIONS, A=both, B=("wix", ["summer-sale"]), C=("wix", ["Winter"]), D=("wix", ["winter"])
    )
    assert {sku: pools.of(sku).safety_stock for sku in "ABCD"} == {"A": 1, "B": 0, "C": 1, "D": 0}


def test_a_title_may_hold_a_slash_or_a_star_and_is_no_pattern() -> None:
    text = GOOD + '\n[workspaces.main.overrides."collection:Men/Tops*"]\nsafety_stock = 5\n'
    pools = in_collections(text, A=("shopify", ["Men/Tops*"]), B=("shopify", ["Men/Tops and more"]))
    assert [pools.of(sku).safety_stock for sku in ("A", "B", "collection:Men/Tops!")] == [5, 0, 0]
    many = "".join(f'[workspaces.main.overrides."collection:P{n}*"]\nsafety_stock = 1\n' for n in range(51))
    assert len(parse_config(GOOD + many, "a.toml").workspaces["main"].overrides) == 51


def test_a_campaign_may_go_by_a_collection_and_comes_before_every_override() -> None:
    pools = in_collections(WITH_COLLECTIONS.replace('policy = "escrow"', 'policy = "mirror"'), A=("wix", ["Winter"]))
    pools = msgspec.structs.replace(pools, campaigns=("collection:Winter",))
    own = pools.of("A")
    assert (own.policy, own.safety_stock, pools.decided_by("A")) == (Policy.ESCROW, 1, "campaign collection:Winter")
    assert (pools.of("B").policy, pools.decided_by("B")) == (Policy.MIRROR, "")


def test_a_collection_must_be_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(GOOD + '\n[workspaces.main.overrides."collection: "]\nsafety_stock = 1\n', "a.toml")
    assert str(caught.value) == (
        'a.toml: workspaces.main.overrides."collection: ": name the collection: collection:Summer.'
    )
