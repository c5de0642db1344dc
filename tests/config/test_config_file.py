"""The configuration file: one line says what is wrong and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from storebridge.config import (
    Config,
    SecretRef,
    is_loopback,
    load_config,
    parse_config,
    parse_listen,
    refuse_unbuilt_policies,
    resolve_secret,
)
from storebridge.errors import ConfigurationError

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


@pytest.mark.parametrize("policy", ["guarded"])
def test_a_policy_that_is_not_built_is_refused(policy: str) -> None:
    config: Config = parse_config(GOOD.replace("escrow", policy), "a.toml")
    with pytest.raises(ConfigurationError) as caught:
        refuse_unbuilt_policies(config)
    assert str(caught.value) == f"workspaces.main.policy: {policy} is not built yet: use mirror, escrow or hybrid."


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
