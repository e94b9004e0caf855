"""Proves that the marked notes are all there, word for word."""

from calling import expect, get
from marked import NOTES

found = get("/notes")
for note in NOTES:
    expect(f"the note {note['title']}", [each for each in found if each["title"] == note["title"]], [note])
