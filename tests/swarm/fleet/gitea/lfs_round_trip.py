"""A large file goes to Gitea by git-lfs, and a fresh clone has it again: a pointer in git, itself in the work tree."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from gitea import PASSWORD, USER, ask

LARGE = hashlib.shake_256(b"large").digest(3_000_000)


def git(where, *arguments):
    done = subprocess.run(["git", *SETTINGS, *arguments], cwd=where, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"git {arguments[0]} exited {done.returncode}")
    return done.stdout


# Gitea hands out addresses below its public name, which leads nowhere here: so it is asked as if it were a proxy.
SETTINGS = [
    part
    for setting in (
        f"http.proxy={os.environ['URL']}",
        "filter.lfs.process=git-lfs filter-process",
        "filter.lfs.clean=git-lfs clean -- %f",
        "filter.lfs.smudge=git-lfs smudge -- %f",
        "filter.lfs.required=true",
        "user.name=Ada",
        "user.email=ada@example.org",
        "init.defaultBranch=main",
        "core.hooksPath=/dev/null",
    )
    for part in ("-c", setting)
]

repository = ask("POST", "/user/repos", {"name": f"lfs-{os.getpid()}", "private": True})
address = repository["clone_url"].replace("://", f"://{USER}:{PASSWORD}@")

with tempfile.TemporaryDirectory() as folder:
    work, clone = Path(folder, "work"), Path(folder, "clone")
    git(folder, "init", "--quiet", work)
    (work / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (work / "large.bin").write_bytes(LARGE)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", "Add a large file")
    git(work, "remote", "add", "origin", address)
    git(work, "lfs", "push", "origin", "main")
    git(work, "push", "--quiet", "origin", "main")
    git(folder, "clone", "--quiet", address, clone)
    if not git(clone, "show", "HEAD:large.bin").startswith(b"version https://git-lfs"):
        sys.exit("large.bin is in git itself")
    if (clone / "large.bin").read_bytes() != LARGE:
        sys.exit("large.bin came back as something else")

ask("DELETE", f"/repos/{repository['full_name']}")
