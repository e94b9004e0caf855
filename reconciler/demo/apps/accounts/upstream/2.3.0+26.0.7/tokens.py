"""Tokens: an account's number and a signature under it, made with a key that must outlive every upgrade."""

import hmac
import os
from pathlib import Path

from serving import RefusedError

KEY = Path(os.environ["SECRETS_DIR"], "signing_key").read_bytes().strip()


def token(account: int) -> str:
    """Return the token of an account: its number and a signature."""
    return f"{account}.{hmac.new(KEY, str(account).encode(), 'sha256').hexdigest()}"


def owner(presented: str) -> int:
    """Return the account of a token. Raise RefusedError if this app did not sign it."""
    account = presented.partition(".")[0]
    if not account.isdecimal() or not hmac.compare_digest(presented.encode(), token(int(account)).encode()):
        raise RefusedError(403, "not a token of ours")
    return int(account)
