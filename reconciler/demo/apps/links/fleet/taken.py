"""A name that is given cannot be taken over."""

from urllib.error import HTTPError

from calling import expect, post

post("/links", name="menu", address="https://house.example/menu")
try:
    post("/links", name="menu", address="https://elsewhere.example")
except HTTPError as refused:
    expect("the status of the refusal", refused.code, 409)
else:
    raise SystemExit("a given name was taken over")
