"""Which signals the threads of this process block, by the kernel."""

import signal
import threading
from pathlib import Path

STOPPING = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}


def blocked_in(thread: str) -> set[signal.Signals]:
    """Return which of STOPPING the running thread with this name blocks."""
    [found] = [each for each in threading.enumerate() if each.name == thread]
    status = Path(f"/proc/self/task/{found.native_id}/status").read_text()
    [mask] = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigBlk:")]
    return {number for number in STOPPING if mask >> (number - 1) & 1}
