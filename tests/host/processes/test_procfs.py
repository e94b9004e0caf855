import os
from pathlib import Path

import pytest

from reconciler.host.processes.procfs import living_processes


def runs_program(process: Path) -> bool:
    """Return whether the process with this folder runs a program. A thread of the kernel runs none."""
    try:
        (process / "exe").readlink()
    except FileNotFoundError:
        return False
    except PermissionError:
        pass
    return True


def running_programs() -> tuple[set[int], set[int]]:
    """Return the pids of the processes that run a program, and of those that run none."""
    runs = {int(each.name): runs_program(each) for each in Path("/proc").iterdir() if each.name.isdigit()}
    return {pid for pid in runs if runs[pid]}, {pid for pid in runs if not runs[pid]}


@pytest.mark.needs("root")
def test_every_process_is_seen_that_runs_a_program_and_no_other() -> None:
    programs, others = running_programs()
    seen = {process.pid for process in living_processes()}
    programs_later, others_later = running_programs()
    assert os.getpid() in seen
    assert programs & programs_later <= seen
    assert seen & others & others_later == set()
