import fcntl
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from desired.releases import Unobservable
from reconciler.errors import InfrastructureError
from reconciler.host.git.mirrors import GitMirrors
from reconciler.ports.repositories import MirrorRefs
from tests.host.git.mirrored_upstream import ENVIRONMENT, ROOT, MirroredUpstream, change, commits_of
from tests.repositories import git


def test_leftovers_of_a_killed_run_do_not_stop_the_next_run(world: MirroredUpstream) -> None:
    change(world)
    (world.copy / "packed-refs.lock").touch()
    (world.copy / "HEAD.lock").touch()
    (world.copy / "refs" / "tags" / "1.1.0.lock").touch()
    (world.copy / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half")
    (world.copy / "objects" / "tmp_objdir-incoming-x" / "pack").mkdir(parents=True)
    incoming = world.copy / "refs" / "incoming" / "heads"
    incoming.mkdir(parents=True)
    (incoming / "main").write_text(f"{world.look().head}\n")
    (world.mirrors.state.mirrors / ".notes.git.incoming" / "objects").mkdir(parents=True)
    (world.copy / "refs" / "tags" / "1.1.0").write_bytes(bytes(41))
    world.follow()
    assert world.look() == MirrorRefs(world.answer().head, commits_of(world.answer()))
    assert not [path for path in world.copy.rglob("*") if path.name.endswith(".lock") or "tmp_" in path.name]
    git(world.copy, "fsck", "--strict", "--no-dangling")


def test_recover_removes_the_quarantines_of_killed_runs_and_not_one_of_a_run_that_lives(
    world: MirroredUpstream,
) -> None:
    world.upstream.commit()
    world.follow()
    mirrors = world.mirrors.state.mirrors
    left = [mirrors / f".{name}.git.{purpose}" for name in ("notes", "gone") for purpose in ("asked", "incoming")]
    for path in left:
        (path / "objects" / "pack").mkdir(parents=True)
    held = left[0]
    with Path(f"{held}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        world.mirrors.recover()
        assert [path for path in left if path.exists()] == [held]
        world.mirrors.drop("notes")
        assert held.exists()
    world.mirrors.recover()
    assert not held.exists()


def test_an_incomplete_repository_is_made_again(world: MirroredUpstream) -> None:
    world.upstream.commit()
    (world.copy / "objects").mkdir(parents=True)
    assert world.mirrors.refs("notes") is None or isinstance(world.mirrors.refs("notes"), Unobservable)
    world.follow()
    assert world.look().head == world.upstream.head()


@pytest.mark.parametrize(
    "harm", ["no objects", "an index without its pack", "no refs folder", "torn refs", "cut packs"]
)
def test_a_broken_mirror_is_moved_away_and_a_new_one_is_made(
    world: MirroredUpstream, tmp_path: Path, harm: str
) -> None:
    commit = world.upstream.commit()
    world.upstream.tag("1.0.0")
    world.follow()
    packs = sorted((world.copy / "objects" / "pack").glob("*"))
    match harm:
        case "no objects":
            shutil.rmtree(world.copy / "objects")
            (world.copy / "objects").mkdir()
        case "an index without its pack":
            next(pack for pack in packs if pack.suffix == ".pack").unlink()
        case "no refs folder":
            shutil.rmtree(world.copy / "refs")
        case "torn refs":
            torn = (world.copy / "packed-refs").read_bytes()[:-30]
            (world.copy / "packed-refs").write_bytes(torn)
        case _:
            for pack in packs:
                pack.chmod(0o600)
                pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])
    if harm in {"no objects", "an index without its pack"}:
        assert world.mirrors.refs("notes") is None
    with pytest.raises(InfrastructureError):
        world.mirrors.checkout("notes", commit, tmp_path / "before")
    laid_aside = world.follow().broken_copy
    assert world.look() == MirrorRefs(commit, {"1.0.0": commit})
    world.mirrors.checkout("notes", commit, tmp_path / "after")
    assert laid_aside == world.mirrors.state.mirrors / ".notes.git.damaged"
    assert laid_aside.is_dir()
    assert world.follow().broken_copy is None
    world.mirrors.drop("notes")
    assert list(world.mirrors.state.mirrors.iterdir()) == []


@pytest.mark.parametrize("ends", ["kill -9 $$", "echo 'fatal: unable to open x: Input/output error' >&2; exit 128", ""])
def test_a_failed_git_call_is_not_taken_for_a_missing_object_or_a_broken_mirror(
    world: MirroredUpstream, tmp_path: Path, ends: str
) -> None:
    commit = world.upstream.commit()
    world.follow()
    (tmp_path / "bin").mkdir()
    if ends:
        (tmp_path / "bin" / "git").write_text(f"#!/bin/sh\n{ends}\n")
        (tmp_path / "bin" / "git").chmod(0o755)
    path = f"{tmp_path / 'bin'}:{ENVIRONMENT['PATH']}" if ends else str(tmp_path / "bin")
    mirrors = GitMirrors(world.mirrors.state, {**ENVIRONMENT, "PATH": path}, ("http",))
    with pytest.raises(InfrastructureError):
        mirrors.resolve("notes", commit)
    with pytest.raises(InfrastructureError):
        mirrors.update(world.recipe, world.answer(), {})
    assert not list(world.mirrors.state.mirrors.glob("*.damaged"))
    assert world.mirrors.resolve("notes", commit) == commit


def test_a_checkout_of_a_commit_that_is_not_whole_names_the_mirror_and_the_way_out(
    world: MirroredUpstream, tmp_path: Path
) -> None:
    commit = world.upstream.commit()
    world.follow()
    shutil.rmtree(world.copy / "objects" / "pack")
    with pytest.raises(InfrastructureError, match=re.escape(str(world.copy))) as told:
        world.mirrors.checkout("notes", commit, tmp_path / "out")
    assert told.value.hint.startswith("move that folder away and keep it, ")
    assert not (tmp_path / "out").exists()


# ---- side by side ----

_WRITER = """
import sys, time
from pathlib import Path
from reconciler.host.git.mirror_repository import locked
copy = Path(sys.argv[1])
with locked(copy):
    (copy / "refs" / "asked").mkdir(parents=True, exist_ok=True)
    (copy / "refs" / "asked" / "last.lock").touch()
    (copy / "objects" / "tmp_objdir-incoming-x").mkdir()
    print("writes", flush=True)
    sys.stdin.read()
    print(sorted(path.name for path in copy.rglob("*") if "last.lock" in path.name or "tmp_objdir" in path.name))
    (copy / "refs" / "asked" / "last.lock").unlink()
    (copy / "objects" / "tmp_objdir-incoming-x").rmdir()
"""


def test_an_update_leaves_alone_what_another_process_is_writing_to_the_served_copy(world: MirroredUpstream) -> None:
    change(world)
    command = [sys.executable, "-c", _WRITER, str(world.copy)]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as writer,
        ThreadPoolExecutor() as pool,
    ):
        assert writer.stdout
        assert writer.stdout.readline() == "writes\n"
        update = pool.submit(world.follow)
        with pytest.raises(TimeoutError):
            update.result(timeout=1)
        left, _ = writer.communicate("")
        update.result()
    assert left == "['last.lock', 'tmp_objdir-incoming-x']\n"
    assert world.look().tags.keys() == {"1.0.0", "1.1.0"}


def test_refs_asked_for_by_hand_and_updates_do_not_undo_each_other(world: MirroredUpstream) -> None:
    world.upstream.commit({"a": b"0"})
    world.follow()
    asked, wanted = {}, {}

    def ask() -> None:
        for number in range(6):
            commit = world.upstream.commit_tree(world.upstream.tree({"b": f"{number}".encode()}))
            world.upstream.git("update-ref", f"refs/heads/fix-{number}", commit)
            asked[commit] = world.mirrors.fetch(world.recipe, f"fix-{number}")

    def update() -> None:
        for number in range(6):
            wanted[f"1.0.{number}"] = world.upstream.head() or ""
            world.upstream.tag(f"1.0.{number}")
            world.follow()

    with ThreadPoolExecutor() as pool:
        for done in (pool.submit(ask), pool.submit(update)):
            done.result()
    assert [*asked] == [*asked.values()]
    assert world.look().tags == wanted
    assert all(world.mirrors.resolve("notes", commit) == commit for commit in asked)


def test_a_dropped_mirror_leaves_a_lock_that_somebody_holds(world: MirroredUpstream) -> None:
    world.upstream.commit()
    world.follow()
    held, free = (world.mirrors.state.mirrors / f".notes.git.{purpose}.lock" for purpose in ("asked", "incoming"))
    with held.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        world.mirrors.drop("notes")
        assert (held.exists(), free.exists()) == (True, False)
