"""`mark` opens an account for Ada and posts something, `check` logs her in and reads the post."""

import sys

from pds import PASSWORD, ask, handle, invitation, log_in

WORDS = "The engine weaves algebraic patterns."
POSTS = "app.bsky.feed.post"


def mark():
    account = {"handle": handle(), "email": "ada@example.org", "password": PASSWORD, "inviteCode": invitation()}
    ada = ask("com.atproto.server.createAccount", account)
    post = {"$type": POSTS, "text": WORDS, "createdAt": "1843-09-01T00:00:00.000Z"}
    record = {"repo": ada["did"], "collection": POSTS, "record": post}
    ask("com.atproto.repo.createRecord", record, f"Bearer {ada['accessJwt']}")


def check():
    ada = log_in()
    posts = ask("com.atproto.repo.listRecords", repo=ada["did"], collection=POSTS)["records"]
    if [post["value"]["text"] for post in posts] != [WORDS]:
        sys.exit(f"Ada's posts: {posts}")


{"mark": mark, "check": check}[sys.argv[1]]()
