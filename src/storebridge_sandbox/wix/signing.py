"""Webhook bodies as Wix sends them: a raw RS256 JWT around JSON strings inside JSON strings."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from storebridge_sandbox.wix.app_key import PRIVATE_KEY_PEM
from storebridge_sandbox.wix.wire import encode_token

HEADER = encode_token(b'{"alg":"RS256","typ":"JWT"}')
LIFETIME_SECONDS = 3600


@cache
def app_key() -> rsa.RSAPrivateKey:
    """The key that the vendor signs this app's webhooks with."""
    key = serialization.load_pem_private_key(PRIVATE_KEY_PEM.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the app's key is no RSA key")
    return key


@cache
def public_key_pem() -> str:
    """What the app's dashboard shows."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return app_key().public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def sign_jwt(claims: dict[str, Any], key: rsa.RSAPrivateKey | None = None) -> bytes:
    """A compact JWS, as the bytes of a request body."""
    signed = f"{HEADER}.{encode_token(msgspec.json.encode(claims))}".encode()
    signature = (key or app_key()).sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return signed + b"." + encode_token(signature).encode()


def webhook_body(envelope: dict[str, Any], at_seconds: int) -> bytes:
    """``envelope`` has ``instanceId``, ``eventType``, ``identity`` and ``data``; the last two are JSON already."""
    data = msgspec.json.encode(envelope).decode()
    return sign_jwt({"data": data, "iat": at_seconds, "exp": at_seconds + LIFETIME_SECONDS})
