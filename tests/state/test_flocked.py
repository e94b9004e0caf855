"""Whether a file is locked, and by which device the file is recognised."""

import subprocess
import sys
from pathlib import Path

import pytest

from state.folder.holders import device_of_mount, is_flocked
from state.folder.lock import hold
from tests.child_processes import kill_child, next_line, python_child, wait_until
from tests.state.lock_holders import HOLDING

MOUNTS = rb"""29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
35 29 0:26 / /mnt/with\040a\040space rw master:2 - tmpfs own rw
290 29 259:300 / /srv rw - xfs /dev/nvme0n1p1 rw
"""
# Two file systems in which the lock files have the same inode number. Nothing outside this script sees them.
SAME_INODE = """
import subprocess, sys
from pathlib import Path
from state.folder.holders import is_flocked
subprocess.run(["mount", "-t", "tmpfs", "own", "/mnt"], check=True)
roots = [Path("/mnt/one"), Path("/mnt/other")]
for root in roots:
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "own", root], check=True)
    (root / "lock").touch()
one, other = (root / "lock" for root in roots)
assert one.stat().st_ino == other.stat().st_ino
holder = subprocess.Popen(["flock", one, "sh", "-c", "echo held; exec sleep 600"], stdout=subprocess.PIPE)
holder.stdout.readline()
print(is_flocked(one), is_flocked(other))
"""


def test_a_file_is_locked_only_while_a_process_holds_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_flocked(path)
    with hold(path, "reconcile"):
        assert is_flocked(path)
    assert path.exists()
    assert not is_flocked(path)
    with python_child(HOLDING, path) as process:
        assert next_line(process) == "held"
        assert is_flocked(path)
        kill_child(process)
    wait_until(lambda: not is_flocked(path))


@pytest.mark.parametrize(
    ("mount", "device"), [(29, "fe:01"), (35, "00:1a"), (290, "103:12c"), (2, None), (1, None), (254, None)]
)
def test_the_device_of_a_file_is_that_of_its_mount(mount: int, device: str | None) -> None:
    fdinfo = f"pos:\t0\nflags:\t012000000\nmnt_id:\t{mount}\nino:\t290\n"
    assert device_of_mount(fdinfo, MOUNTS) == device


@pytest.mark.needs("root", "unshare", "flock")
def test_a_lock_on_a_file_of_the_same_inode_on_another_device_does_not_count() -> None:
    # All end with the first process of the namespace.
    own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
    done = subprocess.run([*own, sys.executable, "-c", SAME_INODE], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["True", "False"], "")
