"""The web server is of the release that is tried: the tag's part after the `+`."""

import os
import sys
import urllib.request

with urllib.request.urlopen(os.environ["URL"], timeout=30) as answer:
    server = answer.headers["Server"]
version = os.environ["VERSION"].partition("+")[2]
if not server.startswith(f"nginx/{version}"):
    sys.exit(f"{server} answers, not nginx {version}")
print(f"{server} answers")
