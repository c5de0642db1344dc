"""What Wix signs: compact tokens, RS256 with the app's key, checked over the raw bytes before anything is decoded."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from storebridge.connectors.bounded_json import UnreadableJson, read_bounded_json
from storebridge.connectors.port import BadSignature
from storebridge.errors import ConfigurationError

MAX_HEADER_BYTES = 2048
SMALLEST_KEY_BITS = 2048
_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Signatures:
    """Checks tokens against the app's public keys; several while a key is rotated."""

    def __init__(self, public_keys: Sequence[str], most_bytes: int) -> None:
        self._keys = tuple(public_key(text) for text in public_keys)
        self._most_bytes = most_bytes
        self._registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        self._registry.max_header_length = MAX_HEADER_BYTES
        self._registry.max_payload_length = most_bytes

    def check(self, token: bytes) -> bytes:
        """The payload of a token that one of the keys signed, still undecoded. Raises BadSignature."""
        if len(token) > self._most_bytes:
            raise BadSignature("the delivery is too large")
        if not _COMPACT.fullmatch(token):
            raise BadSignature("the delivery is not a signed token")
        _check_header(token.partition(b".")[0])
        for key in self._keys:
            try:
                return jws.deserialize_compact(token, key, registry=self._registry).payload
            except (JoseError, ValueError, TypeError):
                continue
        raise BadSignature("none of the app's keys signed this delivery")


def public_key(text: str) -> RSAKey:
    """The app's public key from PEM, or from base64 of PEM as the dashboard shows it."""
    pem = text.strip()
    try:
        if not pem.startswith("-----"):
            pem = base64.b64decode("".join(pem.split()), validate=True).decode("ascii")
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "webhook_public_key is no PEM public key, nor base64 of one; copy it from the app's dashboard."
        ) from None
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS:
        raise ConfigurationError(
            f"webhook_public_key must be an RSA key of {SMALLEST_KEY_BITS} bits or more: copy it from the app's "
            "dashboard."
        )
    return RSAKey.import_key(key)


def _check_header(segment: bytes) -> None:
    """The algorithm is ours to choose, not the token's: RS256, and none of the extensions."""
    if len(segment) > MAX_HEADER_BYTES:
        raise BadSignature("the token's header is too long")
    try:
        raw = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
        header = read_bounded_json(raw)
    except (ValueError, UnreadableJson):
        raise BadSignature("the token's header cannot be read") from None
    if not isinstance(header, dict) or header.get("alg") != "RS256":
        raise BadSignature("the token is not signed with RS256")
    if "crit" in header or "b64" in header:
        raise BadSignature("the token's header asks for an extension")
