"""Looks at the pass that runs, without disturbing it: takes no lock and writes nothing."""

from reconciler.show.text.running import RunningNow
from state.folder.folder import StateFolder
from state.folder.holders import holder, is_flocked
from state.running_pass import read_progress


def look_at_passes(state: StateFolder) -> RunningNow:
    """Return the pass that runs for this state folder. If none is seen alive, also return who holds the pass lock."""
    seen = read_progress(state.running_pass)
    if seen is not None and seen.is_alive:
        return RunningNow(seen)
    return RunningNow(seen, _holder(state))


def _holder(state: StateFolder) -> str:
    """Return pid, command and start time of the process that holds the pass lock, as one text; "" if none is found.

    The kernel's list of locks is read first, since it is short. The open files of all processes are only searched if
    the list has a lock on this file.
    """
    return str(holder(state.lock) or "") if is_flocked(state.lock) else ""
