"""The notes that are written first and must be there ever after."""

NOTES = [
    {"title": "Keys", "text": "The spare key hangs behind the mill.", "labels": ["garden", "house"]},
    {"title": "Bread", "text": "Rye needs a night of rest.", "labels": []},
]


def written_for(mark_id: str) -> dict:
    """The note that is written for the way of this id."""
    return {"title": f"Way {mark_id}", "text": "Written when a way was tried.", "labels": []}
