"""Looks for the pass that runs, without disturbing it: takes no lock and writes nothing."""

from reconciler.show.text.running import RunningNow
from state.folder.folder import StateFolder
from state.folder.holders import holder, is_flocked
from state.running_pass import read_progress


def look_at_passes(state: StateFolder) -> RunningNow:
    """Return the pass that last wrote the progress file of this state folder, and whether the pass still runs.

    If the pass is not seen to run now, or if there is no such file, the returned value says who holds the pass lock.
    """
    seen = read_progress(state.running_pass)
    if seen is not None and seen.is_alive:
        return RunningNow(seen)
    return RunningNow(seen, _holder(state))


def _holder(state: StateFolder) -> str:
    """Return a text on the process that holds the pass lock: its pid, command and start; "" if there is none.

    The kernel's list of locks is read first, because the list is short. The open files of all processes are searched
    only if the list has a lock on the lock file.
    """
    return str(holder(state.lock) or "") if is_flocked(state.lock) else ""
