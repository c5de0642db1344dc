"""A ``storebridge.toml`` that leads the bridge to the pretend stores, with their secrets in files beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec

Policy = Literal["mirror", "escrow", "hybrid", "guarded"]
OWNER_ONLY = 0o600
SECRETS_FOLDER = "sandbox-secrets"


class Credentialed(Protocol):
    """A store as far as its credentials go."""

    def credentials(self) -> Mapping[str, str]: ...


class CredentialedPair(Protocol):
    """Two stores as far as their credentials go."""

    @property
    def shopify(self) -> Credentialed: ...

    @property
    def wix(self) -> Credentialed: ...


def write_config(
    stores: CredentialedPair,
    path: Path | str,
    *,
    shopify_url: str,
    wix_url: str,
    intake_url: str = "",
    intake_listen: str = "127.0.0.1:8791",
    console_listen: str = "127.0.0.1:8790",
    store: str = "storebridge.sqlite3",
    policy: Policy = "mirror",
) -> None:
    """Write the file. An existing file is replaced; secrets go into files that only the owner can read."""
    target = Path(path).absolute()
    folder = target.parent / SECRETS_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = {
        "store": store,
        "console_listen": console_listen,
        "intake_listen": intake_listen,
        "intake_url": intake_url or f"http://{intake_listen}",
    }
    workspace = {"policy": policy, "system_of_record": "shopify", "baseline": "automatic"}
    sections = [
        _section("server", server),
        _section("workspaces.main", workspace),
        _section("workspaces.main.connections.shopify", _shopify(stores.shopify, shopify_url, folder)),
        _section("workspaces.main.connections.wix", _wix(stores.wix, wix_url, folder)),
    ]
    _write(target, "\n".join(sections))


def _shopify(store: Credentialed, url: str, folder: Path) -> dict[str, str | Path]:
    told = store.credentials()
    return {
        "kind": "shopify",
        "api_url": url,
        "shop": told["shop"],
        "client_id": told["client_id"],
        "client_secret": _secret(folder / "shopify-client-secret", told["client_secret"]),
    }


def _wix(store: Credentialed, url: str, folder: Path) -> dict[str, str | Path]:
    told = store.credentials()
    return {
        "kind": "wix",
        "api_url": url,
        "site_id": told["site_id"],
        "app_id": told["app_id"],
        "app_secret": _secret(folder / "wix-app-secret", told["app_secret"]),
        "instance_id": told["instance_id"],
        "webhook_public_key": _secret(folder / "wix-webhook-public-key.pem", told["webhook_public_key"]),
    }


def _secret(path: Path, value: str) -> Path:
    _write(path, value)
    return path


def _write(path: Path, text: str) -> None:
    """Written beside it and moved into place, so that no one reads half a file or a secret too early."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _section(name: str, values: Mapping[str, str | Path]) -> str:
    lines = [f"{key} = {_value(value)}\n" for key, value in values.items()]
    return f"[{name}]\n{''.join(lines)}"


def _value(value: str | Path) -> str:
    """A TOML basic string is written like a JSON one; a path is where a secret lies."""
    if isinstance(value, Path):
        return f"{{ file = {_value(str(value))} }}"
    return msgspec.json.encode(value).decode()
