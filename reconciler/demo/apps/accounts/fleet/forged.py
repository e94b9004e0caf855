"""A token with a signature that is not ours is refused."""

from urllib.error import HTTPError

from calling import expect, get

try:
    get("/whoami", token="1." + 64 * "0")
except HTTPError as refused:
    expect("the status of the refusal", refused.code, 403)
else:
    raise SystemExit("a forged token was taken")
