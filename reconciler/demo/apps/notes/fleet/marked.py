"""The notes that are written first and must be there ever after."""

NOTES = [
    {"title": "Keys", "text": "The spare key hangs behind the mill.", "labels": ["garden", "house"]},
    {"title": "Bread", "text": "Rye needs a night of rest.", "labels": []},
]


def written_for(mark_id: str) -> dict:
    """Return the note to write, and to look for, while a way is tried. `mark_id` is the text in MARK_ID."""
    return {"title": f"Way {mark_id}", "text": "Written when a way was tried.", "labels": []}
