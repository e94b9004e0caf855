"""The rotation key, and what it signs."""

import base64
import hashlib
import hmac
import json
import os
from pathlib import Path

KEY_BYTES = 32


def encoded(data: bytes) -> str:
    """Base64url without padding, as JSON web keys and signatures have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The reverse."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def loaded() -> dict:
    """The key of $SECRETS_DIR; anything that is not a whole key with its own thumbprint ends the app."""
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
    """The signature under a claim, naming the key it was made with."""
    return key["kid"] + "." + encoded(hmac.new(decoded(key["k"]), claim.encode(), "sha256").digest())
