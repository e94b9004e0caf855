"""`mark FILE` lays a page into the app, `check PATH` asks the web server for it.

For a way, the page ends with $MARK_ID.
"""

import os
import subprocess
import sys
import urllib.request

PAGE = "<!doctype html>\n<title>Notes</title>\n<p>Grüße an Ada.</p>\n"
MORE = os.environ.get("MARK_ID", "")


def mark(file):
    lay = 'cat >"$1.new" && mv "$1.new" "$1"'
    subprocess.run([os.environ["APP_RUN"], "sh", "-c", lay, "sh", file], input=(PAGE + MORE).encode(), check=True)


def check(path):
    with urllib.request.urlopen(os.environ["URL"] + path, timeout=30) as answer:
        found = answer.read().decode()
    if not found.startswith(PAGE) or (MORE and found != PAGE + MORE):
        sys.exit(f"{path} is not as it was laid there, but {found!r}")


{"mark": mark, "check": check}[sys.argv[1]](sys.argv[2])
