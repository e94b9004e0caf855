"""The rotation key, and what it signs."""

import base64
import hashlib
import hmac
import json
import os
from pathlib import Path

KEY_BYTES = 32


def encoded(data: bytes) -> str:
    """Return bytes as base64url text without padding, as JSON web keys and signatures have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes of a base64url text without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def loaded() -> dict:
    """Return the key in $SECRETS_DIR. End the app if it is not a whole key with its own thumbprint."""
    text = Path(os.environ["SECRETS_DIR"], "rotation_key").read_text(encoding="utf-8")
    try:
        key = json.loads(text)
        thumb = json.dumps({"k": key["k"], "kty": key["kty"]}, separators=(",", ":"))
        sound = key["kty"] == "oct" and len(decoded(key["k"])) == KEY_BYTES
        sound = sound and key["kid"] == encoded(hashlib.sha256(thumb.encode()).digest())
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise SystemExit("rotation_key is not a JSON web key of 32 bytes with its thumbprint")
    return key


def signature(key: dict, claim: str) -> str:
    """Return the signature of a claim. It begins with the id of the key."""
    return key["kid"] + "." + encoded(hmac.new(decoded(key["k"]), claim.encode(), "sha256").digest())
