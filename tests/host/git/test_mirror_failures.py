import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from reconciler.errors import InfrastructureError
from reconciler.ports.repositories import MirrorRefs
from tests.faulty_git_server import FAULTS, faulty_git_server
from tests.host.git.mirrored_upstream import ROOT, MirroredUpstream, change, commits_of
from tests.repositories import git


@pytest.mark.parametrize("name", FAULTS)
def test_a_failing_forge_leaves_the_mirror_as_it_was(world: MirroredUpstream, name: str) -> None:
    unharmed = change(world)
    answer = world.answer()
    mirrors = evolve(world.mirrors, fetch_seconds=1.0)
    with faulty_git_server(FAULTS[name][0]) as server, pytest.raises(InfrastructureError):
        mirrors.update(evolve(world.recipe, upstream=server.url), answer, commits_of(answer))
    unharmed()


@pytest.mark.parametrize("what", ["tag moved", "tag gone", "main moved", "main gone"])
def test_an_upstream_that_changes_between_answer_and_fetch_is_for_the_next_pass(
    world: MirroredUpstream, what: str
) -> None:
    unharmed = change(world)
    answer = world.answer()
    if what == "tag moved":
        world.upstream.tag("1.1.0", world.upstream.commit_tree(world.upstream.tree({"a": b"3"})))
    elif what == "tag gone":
        world.upstream.untag("1.1.0")
    elif what == "main moved":
        world.upstream.commit({"a": b"3"})
    else:
        world.upstream.git("update-ref", "-d", "refs/heads/main")
    with pytest.raises(InfrastructureError):
        world.mirrors.update(world.recipe, answer, commits_of(answer))
    if what == "tag gone":
        world.upstream.tag("1.1.0")
    if what == "main gone":
        world.upstream.rewind(answer.head)
    unharmed()


@pytest.mark.parametrize("bad", [b"40000 .git\0", b"100644 ..\0", b"100644 a/b\0"])
def test_objects_that_git_calls_harmful_are_refused(world: MirroredUpstream, bad: bytes) -> None:
    unharmed = change(world)
    head = world.upstream.head()
    assert head
    leaf = world.upstream.tree({"a": b"1"}) if bad.startswith(b"4") else world.upstream.blob(b"1")
    raw = bad + bytes.fromhex(leaf)
    tree = world.upstream.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=raw)
    world.upstream.tag("1.2.0", world.upstream.commit_tree(tree, head))
    with pytest.raises(InfrastructureError, match="notes"):
        world.follow()
    world.upstream.untag("1.2.0")
    unharmed()


def test_more_than_allowed_is_refused(world: MirroredUpstream) -> None:
    unharmed = change(world)
    before = world.upstream.head()
    assert before
    world.upstream.commit({"large": os.urandom(300_000)})
    answer = world.answer()
    with pytest.raises(InfrastructureError):
        evolve(world.mirrors, most=100_000).update(world.recipe, answer, commits_of(answer))
    world.upstream.rewind(before)
    unharmed()


def test_an_update_in_a_folder_without_room_leaves_the_mirror_as_it_was(world: MirroredUpstream) -> None:
    unharmed = change(world)
    answer = world.answer()
    obstacle = world.mirrors.state.mirrors / ".notes.git.incoming"
    obstacle.write_text("no folder can be made here")
    with pytest.raises(InfrastructureError):
        world.mirrors.update(world.recipe, answer, commits_of(answer))
    obstacle.unlink()
    unharmed()


# ---- dying and coming back ----

_UPDATE = """
import fcntl, os, sys
from pathlib import Path
from desired.model import Recipe
from reconciler.host.git.mirrors import GitMirrors
from state.folder.folder import StateFolder
from state.records import Answer
folder, lock, url, head, tags = sys.argv[1:]
held = os.open(lock, os.O_RDWR | os.O_CREAT)
fcntl.flock(held, fcntl.LOCK_EX)
environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
mirrors = GitMirrors(StateFolder(Path(folder)), environment, ("http",), held)
tags = dict(tag.split("=") for tag in tags.split(","))
print("begins", flush=True)
mirrors.update(Recipe("notes", url, Path("/")), Answer("", "main", head, tags), tags)
print("done", flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.11, 0.14, 0.18, 0.22, 0.3])
def test_an_update_killed_at_any_moment_is_made_up_for_by_the_next(
    world: MirroredUpstream, tmp_path: Path, delay: float
) -> None:
    world.upstream.commit({"a": b"1"})
    world.upstream.tag("1.0.0")
    world.follow()
    before = world.look()
    world.upstream.commit({f"file{n}": os.urandom(5000) for n in range(100)})
    world.upstream.tag("1.1.0")
    answer = world.answer()
    tags = ",".join(f"{name}={commit}" for name, commit in answer.tags.items())
    lock = tmp_path / "lock"
    arguments = [world.mirrors.state.root, lock, world.recipe.upstream, answer.head, tags]
    command = [sys.executable, "-c", _UPDATE, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as killed:
        assert killed.stdout
        killed.stdout.readline()
        try:
            killed.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            killed.send_signal(signal.SIGKILL)

    # The commands that outlive it hold its lock; whoever comes next waits for them.
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert world.look() in (before, MirrorRefs(answer.head, commits_of(answer)))
        world.follow()
    assert world.look() == MirrorRefs(answer.head, commits_of(answer))
    git(world.copy, "fsck", "--strict", "--no-dangling")
    assert not list(world.copy.glob("refs/incoming/*/*"))
    assert not [path for path in world.copy.rglob("*") if path.name.startswith("tmp_")]
