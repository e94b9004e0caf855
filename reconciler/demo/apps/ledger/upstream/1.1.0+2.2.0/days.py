"""Days as people type them, and as they are kept."""

from datetime import datetime

from serving import RefusedError


def kept(typed: str) -> str:
    """Return a day as 2025-11-24. It may be typed like that, or as 24.11.2025; else raise RefusedError."""
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(typed, form).date().isoformat()
        except ValueError:
            continue
    raise RefusedError(422, f"not a day: {typed}")
