"""The interface of the AT protocol, as much of it as the tests here use; Ada's account is made by `data.py`."""

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

PASSWORD = "Notes-on-the-engine-1843"


def ask(method, body=None, authorization="", **query):
    """The answer of one of the protocol's methods: a question, or, with a body, an order."""
    data = None if body is None else json.dumps(body).encode()
    return json.loads(call(method, data, authorization=authorization, **query))


def call(method, data=None, kind="application/json", authorization="", **query):
    """The bytes that a method answers, to data of a kind where there is any."""
    request = urllib.request.Request(
        f"{os.environ['URL']}/xrpc/{method}?{urllib.parse.urlencode(query)}",
        data=data,
        headers={"Content-Type": kind} | ({"Authorization": authorization} if authorization else {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method}: {error}: {error.read().decode()}")


def handle():
    return "ada" + ask("com.atproto.server.describeServer")["availableUserDomains"][0]


def invitation():
    """A code that the server's admin gives out."""
    told = subprocess.run(
        [os.environ["APP_RUN"], "cat", "/run/secrets/pds_admin_password"], stdout=subprocess.PIPE, check=True
    )
    admin = base64.b64encode(b"admin:" + told.stdout.strip()).decode()
    return ask("com.atproto.server.createInviteCode", {"useCount": 1}, f"Basic {admin}")["code"]


def log_in():
    return ask("com.atproto.server.createSession", {"identifier": handle(), "password": PASSWORD})
