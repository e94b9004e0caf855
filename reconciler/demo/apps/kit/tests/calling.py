"""How this recipe's tests call the app: through $URL alone, so that they hold wherever it runs."""

import json
import os
import time
from collections.abc import Callable
from urllib.parse import urlencode
from urllib.request import Request, urlopen

PATIENCE = 30


def get(path: str, **query: str) -> dict:
    """What the app answers; an answer other than 200 raises."""
    return call(os.environ["URL"], path, query)


def post(path: str, **body: object) -> dict:
    """Send `body` to the app; returns its answer."""
    return call(os.environ["URL"], path, {}, json.dumps(body).encode())


def call(url: str, path: str, query: dict[str, str], body: bytes | None = None) -> dict:
    """Ask any address; a request with a body is a POST."""
    address = url.rstrip("/") + path + ("?" + urlencode(query) if query else "")
    with urlopen(Request(address, body), timeout=PATIENCE) as answer:
        return json.load(answer)


def expect(what: str, found: object, wanted: object) -> None:
    """End the test as failed, with one line that says why, unless both are equal."""
    if found != wanted:
        raise SystemExit(f"{what}: expected {wanted!r}, found {found!r}")


def eventually(what: str, found: Callable[[], object], wanted: object) -> None:
    """The same for what a worker does in its own time."""
    until = time.monotonic() + PATIENCE
    while found() != wanted and time.monotonic() < until:
        time.sleep(0.05)
    expect(what, found(), wanted)
