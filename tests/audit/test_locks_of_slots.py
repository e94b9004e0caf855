"""Whose locks an audit counts: those on the very lock file of a slot."""

import subprocess
import sys

import pytest

# Two file systems in which the lock files have the same inode number. Nothing outside this script sees them.
SAME_INODE = """
import os, subprocess, sys
from pathlib import Path
from reconciler.audit.deployment import process_claims
kinds = sys.argv[1:]
roots = [Path("/mnt/one"), Path("/mnt/other")]
subprocess.run(["mount", "-t", "tmpfs", "own", "/mnt"], check=True)
for root, kind in zip(roots, kinds):
    root.mkdir()
    if kind == "tmpfs":
        subprocess.run(["mount", "-t", "tmpfs", "own", root], check=True)
    else:
        layers = [Path(f"{root}-{name}") for name in ("lower", "upper", "work")]
        for layer in layers:
            layer.mkdir()
        lower, upper, work = layers
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "own", root], check=True)
    (root / "work" / "notes").mkdir(parents=True)
    (root / "work" / "notes" / "lock").touch()
one, other = (root / "work" / "notes" / "lock" for root in roots)
if kinds == ["tmpfs", "tmpfs"]:
    assert one.stat().st_ino == other.stat().st_ino
stray = subprocess.Popen(["sleep", "600"], env={**os.environ, "CANON_SLOT": str(one.parent)})
try:
    for lock in (other, one):
        holder = subprocess.Popen(["flock", lock, "sh", "-c", "echo held; exec sleep 600"], stdout=subprocess.PIPE)
        holder.stdout.readline()
        (claim,) = process_claims(roots[0])
        print(claim.verdict)
        holder.kill()
finally:
    stray.kill()
"""


@pytest.mark.needs("root", "unshare", "flock")
@pytest.mark.parametrize("kind", ["tmpfs", "overlay"])
def test_a_lock_with_the_same_inode_on_another_device_does_not_count(kind: str) -> None:
    # All end with the first process of the namespace.
    own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
    done = subprocess.run(
        [*own, sys.executable, "-c", SAME_INODE, kind, "tmpfs"], capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["disagree", "agree"], "")
