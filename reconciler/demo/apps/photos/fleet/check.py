"""Proves that the picture comes back as it was put in."""

import base64

from calling import expect, get
from pictured import PICTURE

expect("the picture", base64.b64decode(get("/picture", name="harvest")["data"]), PICTURE)
