"""`mark` opens an account for Ada and posts something, `check` logs her in and reads the post."""

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

PASSWORD, WORDS = "Notes-on-the-engine-1843", "The engine weaves algebraic patterns."
POSTS = "app.bsky.feed.post"


def ask(method, body=None, authorization="", **query):
    """The answer of one of the protocol's methods: a question, or, with a body, an order."""
    request = urllib.request.Request(
        f"{os.environ['URL']}/xrpc/{method}?{urllib.parse.urlencode(query)}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
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


def mark():
    account = {"handle": handle(), "email": "ada@example.org", "password": PASSWORD, "inviteCode": invitation()}
    ada = ask("com.atproto.server.createAccount", account)
    post = {"$type": POSTS, "text": WORDS, "createdAt": "1843-09-01T00:00:00.000Z"}
    record = {"repo": ada["did"], "collection": POSTS, "record": post}
    ask("com.atproto.repo.createRecord", record, f"Bearer {ada['accessJwt']}")


def check():
    ada = ask("com.atproto.server.createSession", {"identifier": handle(), "password": PASSWORD})
    posts = ask("com.atproto.repo.listRecords", repo=ada["did"], collection=POSTS)["records"]
    if [post["value"]["text"] for post in posts] != [WORDS]:
        sys.exit(f"Ada's posts: {posts}")


{"mark": mark, "check": check}[sys.argv[1]]()
