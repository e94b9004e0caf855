"""Proves that the text comes back as it was given, byte for byte."""

import hashlib

from calling import expect, get
from pasted import TEXT

expect("the paste", get("/paste", name=hashlib.sha256(TEXT.encode()).hexdigest())["text"], TEXT)
