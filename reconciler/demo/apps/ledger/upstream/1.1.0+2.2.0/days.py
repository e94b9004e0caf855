"""Days as people type them, and as they are kept."""

from datetime import datetime

from serving import RefusedError


def kept(typed: str) -> str:
    """24.11.2025 or 2025-11-24, kept as 2025-11-24."""
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(typed, form).date().isoformat()
        except ValueError:
            continue
    raise RefusedError(422, f"not a day: {typed}")
