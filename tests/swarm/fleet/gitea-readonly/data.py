"""`mark` writes a repository with one file through the interface, `check` reads that file and who wrote it."""

import base64
import sys

from gitea import USER, ask

FILE = f"/repos/{USER}/canon/contents/notes.txt"
CONTENT = b"The engine weaves algebraic patterns.\n"


def mark():
    ask("POST", "/user/repos", {"name": "canon", "private": True})
    ask("POST", FILE, {"content": base64.b64encode(CONTENT).decode(), "message": "Write notes"})


def check():
    found = base64.b64decode(ask("GET", FILE)["content"])
    if found != CONTENT:
        sys.exit(f"notes.txt holds {found!r}")
    commits = [one["commit"]["message"].strip() for one in ask("GET", f"/repos/{USER}/canon/commits?path=notes.txt")]
    if commits != ["Write notes"]:
        sys.exit(f"the history of notes.txt is {commits}")


{"mark": mark, "check": check}[sys.argv[1]]()
