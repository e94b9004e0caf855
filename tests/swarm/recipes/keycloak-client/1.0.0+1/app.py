"""Logs in at Keycloak as the client that it is, and keeps who Keycloak first said it was: POST /login."""

import json
import os
import urllib.parse
import urllib.request
from pathlib import Path

from notes import Notes, serve

OPENID = f"http://{os.environ['KEYCLOAK_PEER']}/realms/people/protocol/openid-connect"


def asked(path, form=None, token=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(urllib.request.Request(OPENID + path, data, headers), timeout=30) as answer:
        return json.load(answer)


def log_in():
    """Who Keycloak says we are."""
    secret = Path("/run/secrets/client_secret").read_text()
    client = {"client_id": "notes", "client_secret": secret, "grant_type": "client_credentials", "scope": "openid"}
    return asked("/userinfo", token=asked("/token", client)["access_token"])["sub"]


class Client(Notes):
    def do_POST(self):
        if self.path != "/login":
            return self.answer(404)
        who = log_in()
        known = self.folder / "login.txt"
        if not known.exists():
            known.write_text(who)
        return self.answer(200 if who == known.read_text() else 409)


serve(Client)
