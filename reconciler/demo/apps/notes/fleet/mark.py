"""Writes two notes through the app. When a way is tried, writes a note of its own instead, named by MARK_ID."""

import os

from calling import post
from marked import NOTES, written_for

for note in [written_for(os.environ["MARK_ID"])] if os.environ.get("MARK_ID") else NOTES:
    post("/notes", **note | {"labels": ",".join(note["labels"])})
