"""Gitea's own interface, as much of it as the tests here use; Ada is the admin that `make_admin.py` makes."""

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

USER, PASSWORD = "ada", "Notes-on-the-engine-1843"


def ask(method, path, body=None):
    """The JSON that Gitea answers to Ada."""
    credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(
        f"{os.environ['URL']}/api/v1{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Basic {credentials}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error}: {error.read().decode()}")


def inside(*argv):
    """Run a command within the app."""
    code = subprocess.run([os.environ["APP_RUN"], *argv], check=False).returncode
    if code:
        sys.exit(f"{argv[0]} exited {code}")
