"""Programs that hold a lock, or leave it to a child."""

HOLDING = """
import sys
from pathlib import Path
from state.folder.lock import hold
with hold(Path(sys.argv[1]), "reconcile"):
    print("held", flush=True)
    sys.stdin.readline()
print("let go", flush=True)
sys.stdin.readline()
"""


# The child that inherits is one of those that the door starts: finite, with the descriptor passed on.
BEQUEATHING = """
import subprocess, sys
from pathlib import Path
from state.folder.lock import hold
with hold(Path(sys.argv[1]), "reconcile") as lock:
    heir = subprocess.Popen(["sleep", "600"], pass_fds=[lock.descriptor], stdout=subprocess.DEVNULL)
    bystander = subprocess.Popen(["sleep", "601"], stdout=subprocess.DEVNULL)
    print(heir.pid, bystander.pid, flush=True)
    sys.stdin.readline()
"""
