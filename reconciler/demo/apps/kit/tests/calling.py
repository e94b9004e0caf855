"""How this recipe's tests call the app: through $URL alone, so that they hold wherever it runs."""

import json
import os
import time
from collections.abc import Callable
from urllib.parse import urlencode
from urllib.request import Request, urlopen

PATIENCE = 30


def get(path: str, **query: str) -> dict:
    """Return the app's answer to a GET request. Raise an error if its status is not 200."""
    return call(os.environ["URL"], path, query)


def post(path: str, **body: object) -> dict:
    """Send `body` to the app in a POST request. Return its answer."""
    return call(os.environ["URL"], path, {}, json.dumps(body).encode())


def call(url: str, path: str, query: dict[str, str], body: bytes | None = None) -> dict:
    """Send a request to the address `url`: a GET, or a POST if there is a `body`. Return the answer."""
    address = url.rstrip("/") + path + ("?" + urlencode(query) if query else "")
    with urlopen(Request(address, body), timeout=PATIENCE) as answer:
        return json.load(answer)


def expect(what: str, found: object, wanted: object) -> None:
    """Let the test fail, with one line that says why, if `found` and `wanted` differ."""
    if found != wanted:
        raise SystemExit(f"{what}: expected {wanted!r}, found {found!r}")


def eventually(what: str, found: Callable[[], object], wanted: object) -> None:
    """Wait until `found` returns `wanted`. Let the test fail if it does not in time."""
    until = time.monotonic() + PATIENCE
    while found() != wanted and time.monotonic() < until:
        time.sleep(0.05)
    expect(what, found(), wanted)
