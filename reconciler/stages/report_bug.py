"""Writes the traceback of a bug where a person finds it."""

import traceback

from reconciler.errors import in_one_line, reason_of
from reconciler.ports.host import Host


def report_bug(host: Host, recipe: str, bug: Exception) -> str:
    """Write the traceback of a bug to a file beside the recipe's logs. Return a message with the path of the file."""
    path = host.state.trial_logs(recipe) / "bug.txt"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(bug)), encoding="utf-8", errors="backslashreplace")
    except OSError as failed:
        at = traceback.extract_tb(bug.__traceback__)[-1:]
        where = "".join(f" at {frame.filename}:{frame.lineno}" for frame in at)
        return f"{reason_of(bug)}{where}; please report it; its traceback could not be written: {in_one_line(failed)}"
    return f"{reason_of(bug)}; please report it with {path}"
