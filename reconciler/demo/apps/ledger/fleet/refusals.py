"""An entry without an amount is refused and leaves the book as it was."""

from urllib.error import HTTPError

from calling import expect, get, post

before = get("/entries")
try:
    post("/entries", day="25.11.2025", text="Stamps")
except HTTPError as refused:
    expect("the status of the refusal", refused.code, 400)
else:
    raise SystemExit("an entry without an amount was taken")
expect("the entries afterwards", get("/entries"), before)
