"""What the shop tells of the app: an unlisted one of a partner, made for this shop."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.call import Resolvers

HOME = "https://storebridge.example"
PICTURE = f"{HOME}/icon.png"
IMAGE = dict.fromkeys(("url", "src", "originalSrc", "transformedSrc"), PICTURE)
FACTS: dict[str, Any] = {
    "banner": IMAGE,
    "icon": IMAGE,
    "developerName": "Larkfield",
    "developerType": "PARTNER",
    "developerUrl": HOME,
    "embedded": False,
    "isPostPurchaseAppInUse": False,
    "launchUrl": HOME,
    "previouslyInstalled": False,
    "pricingDetailsSummary": "",
    "publicCategory": "CUSTOM",
    "published": False,
    "shopifyDeveloped": False,
    "uninstallMessage": "",
    "webhookApiVersion": "2026-10",
}


def app_facts() -> Resolvers:
    """The fields of ``App`` and ``AppInstallation`` that do not depend on grants."""
    return {
        **{("App", name): (lambda held: lambda _app, _args, _call: held)(value) for name, value in FACTS.items()},
        ("App", "requestedAccessScopes"): lambda tokens, _args, _call: tokens.scopes,
        ("App", "availableAccessScopes"): lambda tokens, _args, _call: tokens.scopes,
        ("App", "installation"): lambda tokens, _args, _call: tokens,
        ("AppInstallation", "launchUrl"): lambda _tokens, _args, _call: HOME,
    }
