"""`mark` makes Ada the owner and publishes a post of hers, `check` reads it as a visitor, and as Ada who logs in.

For a way, she publishes a second post, $MARK_ID.
"""

import os
import sys

from ghost import PASSWORD, USER, ask, get, log_in

TITLE, WORDS = "On the engine", "The engine weaves algebraic patterns."
MORE = os.environ.get("MARK_ID")


def mark():
    owner = {"name": "Ada", "email": USER, "password": PASSWORD, "blogTitle": "Notes"}
    if not MORE:
        ask("POST", "/authentication/setup/", {"setup": [owner]})
    post = {"title": MORE or TITLE, "html": f"<p>{WORDS}</p>", "status": "published"}
    ask("POST", "/posts/?source=html", {"posts": [post]}, log_in())


def check():
    page = get("/on-the-engine/").decode()
    if WORDS not in page:
        sys.exit(f"a visitor does not read it in this page: {page}")
    found = ask("GET", "/posts/?formats=html&filter=slug:on-the-engine", session=log_in())
    posts = [(post["title"], post["html"]) for post in found["posts"]]
    if posts != [(TITLE, f"<p>{WORDS}</p>")]:
        sys.exit(f"Ada's posts: {posts}")
    if MORE:
        get(f"/{MORE}/")


{"mark": mark, "check": check}[sys.argv[1]]()
