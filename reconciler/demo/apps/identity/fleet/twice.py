"""A name that is claimed cannot be claimed again."""

from urllib.error import HTTPError

from calling import expect, post

post("/claims", name="liskov")
try:
    post("/claims", name="liskov")
except HTTPError as refused:
    expect("the status of the refusal", refused.code, 409)
else:
    raise SystemExit("a claimed name was claimed again")
