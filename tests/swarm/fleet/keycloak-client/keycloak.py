"""Keycloak's own interface, as far as the tests here use it. `make_realm.py` makes the realm, and Ada who rules it."""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

REALM, USER, PASSWORD = "people", "ada", "Notes-on-the-engine-1843"
OPENID = f"/realms/{REALM}/protocol/openid-connect"
# A recipe that needs Keycloak is told where it is; Keycloak itself has its own address.
HERE = os.environ.get("KEYCLOAK_URL") or os.environ["URL"]


def person(user, password, first, last):
    """Somebody who can log in at once."""
    return {
        "username": user,
        "email": f"{user}@example.org",
        "emailVerified": True,
        "firstName": first,
        "lastName": last,
        "enabled": True,
        "credentials": [{"type": "password", "value": password, "temporary": False}],
    }


def ask(method, path, body=None, token=""):
    """The JSON that Keycloak answers to a JSON question."""
    data = None if body is None else json.dumps(body).encode()
    return _answer(method, path, data, "application/json", token)


def post_form(path, **fields):
    """The JSON that Keycloak answers to a form, as its OpenID endpoints take it."""
    return _answer("POST", path, urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded", "")


def _answer(method, path, data, kind, token):
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(HERE + path, method=method, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error}: {error.read().decode()}")


def token_of(user=USER, password=PASSWORD, realm=REALM):
    path = f"/realms/{realm}/protocol/openid-connect/token"
    form = {"client_id": "admin-cli", "grant_type": "password", "scope": "openid"}
    return post_form(path, username=user, password=password, **form)["access_token"]
