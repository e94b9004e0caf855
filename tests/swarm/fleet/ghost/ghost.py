"""Ghost's own interface, asked as a proxy that has taken off the encryption asks."""

import json
import os
import sys
import urllib.error
import urllib.request

USER, PASSWORD = "ada@example.org", "Notes-on-the-engine-1843"
_ADMIN = "/ghost/api/admin"


def ask(method, path, body=None, session=""):
    """The JSON that the administrators' interface answers, to what comes from its own pages."""
    headers = {"Origin": _origin()} | ({"Cookie": session} if session else {})
    return json.loads(_call(method, _ADMIN + path, body, headers)[1])


def get(path):
    return _call("GET", path, None, {})[1]


def _call(method, path, body, headers):
    """The headers and the body of an answer that has come whole.

    Ghost sends the cookie of a session at once, but the last byte only when its database holds that session.
    """
    request = urllib.request.Request(
        os.environ["URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "X-Forwarded-Proto": "https"} | headers,
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error}: {error.read().decode()}")


def log_in():
    """The cookie of a new session of the owner."""
    owner = {"username": USER, "password": PASSWORD}
    headers, _ = _call("POST", f"{_ADMIN}/session/", owner, {"Origin": _origin()})
    return headers["Set-Cookie"].partition(";")[0]


def _origin():
    return json.loads(get(f"{_ADMIN}/site/"))["site"]["url"].rstrip("/")
