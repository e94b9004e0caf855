"""`mark` opens an account for Ada and posts something, `check` logs her in and reads the post.

For a way, she also posts $MARK_ID.
"""

import os
import sys

from pds import PASSWORD, ask, handle, invitation, log_in

WORDS = "The engine weaves algebraic patterns."
MORE = os.environ.get("MARK_ID")
POSTS = "app.bsky.feed.post"


def account():
    asked = {"handle": handle(), "email": "ada@example.org", "password": PASSWORD, "inviteCode": invitation()}
    return ask("com.atproto.server.createAccount", asked)


def mark():
    ada = log_in() if MORE else account()
    post = {"$type": POSTS, "text": MORE or WORDS, "createdAt": "1843-09-01T00:00:00.000Z"}
    record = {"repo": ada["did"], "collection": POSTS, "record": post}
    ask("com.atproto.repo.createRecord", record, f"Bearer {ada['accessJwt']}")


def check():
    ada = log_in()
    posts = ask("com.atproto.repo.listRecords", repo=ada["did"], collection=POSTS)["records"]
    if not {WORDS, MORE or WORDS} <= {post["value"]["text"] for post in posts}:
        sys.exit(f"Ada's posts: {posts}")


{"mark": mark, "check": check}[sys.argv[1]]()
