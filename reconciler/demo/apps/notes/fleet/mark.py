"""Writes two notes through the app."""

from calling import post
from marked import NOTES

for note in NOTES:
    post("/notes", **note | {"labels": ",".join(note["labels"])})
