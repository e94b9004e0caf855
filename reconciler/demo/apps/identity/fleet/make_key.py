"""Makes a rotation key: a JSON web key of 32 random bytes, with its thumbprint as kid."""

import base64
import hashlib
import json
import secrets


def encoded(data: bytes) -> str:
    """Return bytes as base64url text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


key = {"k": encoded(secrets.token_bytes(32)), "kty": "oct"}
thumb = json.dumps(key, separators=(",", ":"))
print(json.dumps(key | {"kid": encoded(hashlib.sha256(thumb.encode()).digest())}))
