"""Synapse's own interface."""

import json
import os
import sys
import urllib.error
import urllib.request


def ask(method, path, body=None, token=""):
    request = urllib.request.Request(
        os.environ["URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error}: {error.read().decode()}")
