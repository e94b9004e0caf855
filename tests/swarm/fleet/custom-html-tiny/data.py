"""`mark` lays a first page into the app, `check` asks the web server for it."""

import os
import subprocess
import sys
import urllib.request

PAGE = "<!doctype html>\n<title>Notes</title>\n<p>Grüße an Ada.</p>\n"


def mark():
    lay = 'cat >"$1.new" && mv "$1.new" "$1"'
    told = [os.environ["APP_RUN"], "sh", "-c", lay, "sh", "/var/public/index.html"]
    subprocess.run(told, input=PAGE.encode(), check=True)


def check():
    with urllib.request.urlopen(os.environ["URL"], timeout=30) as answer:
        found = answer.read().decode()
    if found != PAGE:
        sys.exit(f"the first page is not as it was laid there, but {found!r}")


{"mark": mark, "check": check}[sys.argv[1]]()
