"""Keycloak's own interface, as much of it as the tests here use."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request


def ask(method, path, body=None, token=""):
    """The JSON that Keycloak answers to a JSON question."""
    data = None if body is None else json.dumps(body).encode()
    return _answer(method, path, data, "application/json", token)


def post_form(path, **fields):
    """The JSON that Keycloak answers to a form, as its OpenID endpoints take it."""
    return _answer("POST", path, urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded", "")


def _answer(method, path, data, kind, token):
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(os.environ["URL"] + path, method=method, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error}: {error.read().decode()}")


def token_of(realm, user, password):
    form = {"client_id": "admin-cli", "grant_type": "password", "scope": "openid"}
    path = f"/realms/{realm}/protocol/openid-connect/token"
    return post_form(path, username=user, password=password, **form)["access_token"]


def admin_token():
    """Of the admin whom the first start made from the recipe's secret."""
    told = subprocess.run(
        [os.environ["APP_RUN"], "cat", "/run/secrets/admin_password"], stdout=subprocess.PIPE, check=True
    )
    return token_of("master", "admin", told.stdout.decode().strip())
