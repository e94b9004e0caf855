"""Proves that the page which mark.py wrote is still served."""

import os
import urllib.request
from urllib.parse import urljoin

with urllib.request.urlopen(urljoin(os.environ["URL"], "/canon.txt")) as answer:
    body = answer.read().decode()
assert body.strip() == "kept by canon", f"another page is served: {body[:80]!r}"
