"""`mark` writes a repository with one file through the interface, `check` reads that file and its history.

For a way, a second file is named $MARK_ID.
"""

import base64
import os
import sys

from gitea import USER, ask

FOLDER = f"/repos/{USER}/canon/contents"
FILE = f"{FOLDER}/notes.txt"
MORE = os.environ.get("MARK_ID")
CONTENT = b"The engine weaves algebraic patterns.\n"


def mark():
    if not MORE:
        ask("POST", "/user/repos", {"name": "canon", "private": True})
    file, message = (f"{FOLDER}/{MORE}", "Write more") if MORE else (FILE, "Write notes")
    ask("POST", file, {"content": base64.b64encode(CONTENT).decode(), "message": message})


def check():
    found = base64.b64decode(ask("GET", FILE)["content"])
    if found != CONTENT:
        sys.exit(f"notes.txt holds {found!r}")
    commits = [one["commit"]["message"].strip() for one in ask("GET", f"/repos/{USER}/canon/commits?path=notes.txt")]
    if commits != ["Write notes"]:
        sys.exit(f"the history of notes.txt is {commits}")
    if MORE:
        ask("GET", f"{FOLDER}/{MORE}")


{"mark": mark, "check": check}[sys.argv[1]]()
