"""Proves that the marked notes are all there, word for word; so is the note of a way, if MARK_ID names one."""

import os

from calling import expect, get
from marked import NOTES, written_for

found = get("/notes")
for note in [*NOTES, *([written_for(os.environ["MARK_ID"])] if os.environ.get("MARK_ID") else [])]:
    expect(f"the note {note['title']}", [each for each in found if each["title"] == note["title"]], [note])
