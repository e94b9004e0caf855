"""`mark` writes a note through the interface, `check` reads it."""

import os
import sys
import urllib.error
import urllib.request

NOTE = f"{os.environ['URL']}/notes/ada"
WORDS = b"The engine weaves algebraic patterns."


def ask(method, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(NOTE, data, method=method), timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {NOTE}: {error}")


def mark():
    ask("PUT", WORDS)


def check():
    found = ask("GET")
    if found != WORDS:
        sys.exit(f"the note says {found!r}")


{"mark": mark, "check": check}[sys.argv[1]]()
