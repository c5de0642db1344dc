"""OAuth and the app's instance: ``/oauth2/token``, the older ``/oauth/access``, ``/oauth2/token-info``,
``/apps/v1/instance``."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.access.state import Access
from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.wire import application_error, validation_error

PERMISSIONS = (
    "SCOPE.STORES.PRODUCT_READ",
    "SCOPE.STORES.PRODUCT_READ_ADMIN",
    "SCOPE.STORES.PRODUCT_WRITE",
    "SCOPE.STORES.INVENTORY_ITEM_READ",
    "SCOPE.STORES.INVENTORY_ITEM_WRITE",
    "SCOPE.STORES.CATALOG_READ_LIMITED",
    "SCOPE.DC-STORES.READ-PRODUCTS",
    "SCOPE.DC-STORES.MANAGE-PRODUCTS",
    "SCOPE.DC-STORES.READ-ORDERS",
    "SCOPE.DC-STORES.MANAGE-ORDERS",
)


class AccessAnswers:
    """Answers about who may call."""

    def __init__(self, access: Access, options: WixOptions) -> None:
        self._access = access
        self._options = options

    def operations(self) -> list[Operation]:
        return [
            Operation("token", ("POST",), "/oauth2/token", self.token, open_door=True),
            Operation("legacyAccess", ("POST",), "/oauth/access", self.legacy, open_door=True),
            Operation("tokenInfo", ("POST",), "/oauth2/token-info", self.token_info, open_door=True),
            Operation("getAppInstance", ("GET",), "/apps/v1/instance", self.instance),
        ]

    def token(self, call: Call) -> dict[str, Any]:
        """A token for the app on one site; asked for again when it ends, there is no refresh."""
        asked = call.arguments
        if asked.get("grant_type") != "client_credentials":
            raise validation_error("grant_type", "is not supported", "INVALID_ENUM_VALUE")
        for name in ("client_id", "client_secret", "instance_id"):
            if not isinstance(asked.get(name), str) or not asked[name]:
                raise validation_error(name, "must not be empty", "REQUIRED_FIELD")
        held = (self._access.app_id, self._access.app_secret)
        if (asked["client_id"], asked["client_secret"]) != held:
            raise application_error(401, "INVALID_CLIENT", "The client id or secret is wrong")
        if asked["instance_id"] != self._access.instance_id or not self._access.installed:
            raise application_error(404, "INSTANCE_NOT_FOUND", "The app is not installed as this instance")
        token, lives = self._access.issue()
        return {"access_token": token, "token_type": "Bearer", "expires_in": lives}

    def legacy(self, call: Call) -> dict[str, Any]:
        """The grant of apps made before client credentials: a code once, then its refresh token."""
        asked, access = call.arguments, self._access
        if (asked.get("client_id"), asked.get("client_secret")) != (access.app_id, access.app_secret):
            raise application_error(401, "INVALID_CLIENT", "The client id or secret is wrong")
        grant = asked.get("grant_type")
        if grant == "authorization_code":
            pair = access.exchange(str(asked.get("code", "")))
            if pair is not None:
                return {"access_token": pair[0], "refresh_token": pair[1]}
        elif grant == "refresh_token":
            refresh_token = str(asked.get("refresh_token", ""))
            token = access.refresh(refresh_token)
            if token is not None:
                return {"access_token": token, "refresh_token": refresh_token}
        else:
            raise validation_error("grant_type", "is not supported", "INVALID_ENUM_VALUE")
        raise application_error(400, "INVALID_GRANT", "The code or refresh token is used up, old or unknown")

    def token_info(self, call: Call) -> dict[str, Any]:
        ends = self._access.lives_until(str(call.arguments.get("token", "")))
        if ends is None:
            return {"active": False}
        return {
            "active": True,
            "subjectType": "APP",
            "subjectId": self._access.app_id,
            "exp": str(int(ends.timestamp())),
            "clientId": self._access.app_id,
            "siteId": self._access.site_id,
            "instanceId": self._access.instance_id,
        }

    def instance(self, _call: Call) -> dict[str, Any]:
        return {
            "instance": {
                "instanceId": self._access.instance_id,
                "appName": "Storebridge",
                "appVersion": "1.0.0",
                "isFree": True,
                "permissions": [name for name in PERMISSIONS if name not in self._options.denied_scopes],
                "availablePlans": [],
                "copiedFromTemplate": False,
                "freeTrialAvailable": False,
            },
            "site": {
                "siteDisplayName": self._options.site_name,
                "locale": "en",
                "paymentCurrency": self._options.currency,
                "installedWixApps": ["stores"],
                "siteId": self._access.site_id,
            },
        }
