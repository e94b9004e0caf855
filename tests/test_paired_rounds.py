"""A benchmark that is ended leaves nothing running."""

import signal
import subprocess
import sys
import time
from pathlib import Path

RUN = """
import sys
from benchmarks.paired_rounds import Way, end_on_sigterm, run
end_on_sigterm()
try:
    run(Way(["sh", "-c", sys.argv[1]]))
finally:
    print("cleaned up")
"""


def test_sigterm_ends_a_command_and_its_children_and_lets_the_benchmark_clean_up(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = f"sleep 600 & echo $! > {pid}.new; mv {pid}.new {pid}; wait"
    benchmark = subprocess.Popen([sys.executable, "-c", RUN, command], stdout=subprocess.PIPE, text=True)
    while not pid.exists():
        assert benchmark.poll() is None
        time.sleep(0.02)
    benchmark.send_signal(signal.SIGTERM)
    printed, _ = benchmark.communicate()
    assert (benchmark.returncode, printed) == (143, "cleaned up\n")
    assert _ends(int(pid.read_text()))


def _ends(pid: int) -> bool:
    """Whether a process ends within half a minute. A killed process is still there for a moment."""
    for _ in range(1500):
        if _has_ended(pid):
            return True
        time.sleep(0.02)
    return False


def _has_ended(pid: int) -> bool:
    """Whether a process is gone, or ended and not yet waited for by its parent."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state.startswith(("Z", "X"))
