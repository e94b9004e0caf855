"""The notes that are written first and must be there ever after."""

NOTES = [
    {"title": "Keys", "text": "The spare key hangs behind the mill.", "labels": ["garden", "house"]},
    {"title": "Bread", "text": "Rye needs a night of rest.", "labels": []},
]
