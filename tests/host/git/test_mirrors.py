import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Recipe, Unobservable
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.git.mirrors import GitMirrors
from reconciler.host.git.refs import RefPlan, Refs, RefTarget, plan_refs, read_packed_refs, read_show_ref
from reconciler.host.git.upstream import GitUpstream
from reconciler.host.text import decoded
from reconciler.ports.repositories import Alterations, MirrorRefs, MirrorUpdate, TagQuery
from state.folder.folder import StateFolder
from state.records import Answer
from tests.faulty_git_server import FAULTS, faulty_git_server
from tests.git_servers import Forge, forge
from tests.repositories import HOSTILE_TAGS, UpstreamRepository, git

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with forge(tmp_path_factory.mktemp("forge") / "forge") as running:
        yield running


class MirroredUpstream:
    """One upstream on the forge, and our mirrors of it."""

    def __init__(self, served: Forge, folder: Path) -> None:
        name = re.sub(r"\W+", "-", folder.name)
        self.upstream = served.repository(name)
        self.recipe = Recipe("notes", served.address(name), Path("/nowhere"))
        self.mirrors = GitMirrors(StateFolder(folder), ENVIRONMENT, ("http",))

    @property
    def copy(self) -> Path:
        return self.mirrors.state.mirror("notes")

    def answer(self) -> Answer:
        reply = GitUpstream(ENVIRONMENT, ("http",)).ask([TagQuery(self.recipe, None)])["notes"]
        assert isinstance(reply, Answer)
        return reply

    def follow(self) -> MirrorUpdate:
        """Update to just what upstream says now."""
        answer = self.answer()
        return self.mirrors.update(self.recipe, answer, commits_of(answer))

    def look(self) -> MirrorRefs:
        refs = self.mirrors.refs("notes")
        assert isinstance(refs, MirrorRefs)
        return refs


def commits_of(answer: Answer) -> dict[str, str]:
    return {name: commit for name, commit in answer.tags.items() if commit}


def everything(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return all files below a folder with their dates and contents."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mtime_ns,
            path.lstat().st_ino,
            b"" if path.is_dir() else path.read_bytes(),
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def world(served: Forge, tmp_path: Path) -> MirroredUpstream:
    return MirroredUpstream(served, tmp_path)


# ---- following ----


def test_a_mirror_holds_main_and_the_tags_as_upstream_made_them(world: MirroredUpstream) -> None:
    first = world.upstream.commit({"a": b"1"})
    world.upstream.tag("1.0.0")
    second = world.upstream.commit({"a": b"2"})
    tag_object = world.upstream.tag("1.1.0", annotated=True)
    outer = world.upstream.tag("1.2.0", tag_object, annotated=True)
    world.upstream.tag("not-mirrored")
    answer = world.answer()
    wanted = {"1.0.0": first, "1.1.0": second, "1.2.0": second}

    assert world.mirrors.refs("notes") is None
    assert world.mirrors.update(world.recipe, answer, wanted) == MirrorUpdate()

    assert world.look() == MirrorRefs(second, wanted)
    held = UpstreamRepository(world.copy).refs()
    assert held == {
        "refs/heads/main": second,
        "refs/tags/1.0.0": first,
        "refs/tags/1.1.0": tag_object,
        "refs/tags/1.2.0": outer,
    }
    git(world.copy, "fsck", "--strict", "--no-dangling")


def test_only_news_is_fetched_and_a_second_update_changes_no_ref(world: MirroredUpstream) -> None:
    world.upstream.commit({f"file{n}": os.urandom(4000) for n in range(50)})
    world.upstream.tag("1.0.0")
    world.follow()
    first = {path.stat().st_ino: path.stat().st_size for path in world.copy.glob("objects/pack/*.pack")}
    before = world.look()
    world.follow()
    assert world.look() == before
    world.upstream.commit({"a": b"2"})
    world.upstream.tag("1.1.0")
    world.follow()
    packs = {path.stat().st_ino: path.stat().st_size for path in world.copy.glob("objects/pack/*.pack")}
    assert first.items() < packs.items()
    assert all(size < 2000 for inode, size in packs.items() if inode not in first)


def test_main_is_followed_when_it_is_rewound(world: MirroredUpstream) -> None:
    first = world.upstream.commit()
    world.upstream.commit({"a": b"2"})
    world.follow()
    world.upstream.rewind(first)
    third = world.upstream.commit({"a": b"3"})
    world.follow()
    assert world.look() == MirrorRefs(third, {})


@pytest.mark.parametrize("name", ["trunk", "main/next", "häupt"])
def test_main_is_followed_under_another_name(world: MirroredUpstream, name: str) -> None:
    commit = world.upstream.commit()
    world.upstream.tag("1.0.0")
    world.follow()
    world.upstream.git("symbolic-ref", "HEAD", f"refs/heads/{name}")
    world.upstream.git("update-ref", "-d", "refs/heads/main")
    world.upstream.git("update-ref", f"refs/heads/{name}", commit)
    world.follow()
    assert world.look() == MirrorRefs(commit, {"1.0.0": commit})
    assert world.mirrors.resolve("notes", name) == commit
    assert world.mirrors.resolve("notes", "main") is None


def test_releases_are_mirrored_though_upstreams_head_dangles_and_main_comes_back(
    world: MirroredUpstream, tmp_path: Path
) -> None:
    commit = world.upstream.commit({"a": b"1"})
    world.upstream.tag("1.0.0")
    world.upstream.git("symbolic-ref", "HEAD", "refs/heads/gone")
    world.follow()
    assert world.look() == MirrorRefs("", {"1.0.0": commit})
    world.mirrors.checkout("notes", commit, tmp_path / "out")
    assert (tmp_path / "out" / "a").read_bytes() == b"1"
    assert world.mirrors.resolve("notes", "1.0.0") == commit
    world.follow()
    world.upstream.git("symbolic-ref", "HEAD", "refs/heads/main")
    world.follow()
    assert world.look() == MirrorRefs(commit, {"1.0.0": commit})
    world.upstream.git("symbolic-ref", "HEAD", "refs/heads/gone")
    world.follow()
    assert world.look() == MirrorRefs("", {"1.0.0": commit})
    git(world.copy, "fsck", "--strict", "--no-dangling")


def test_a_vanished_tag_stays_until_it_is_no_longer_wanted(world: MirroredUpstream) -> None:
    commit = world.upstream.commit()
    world.upstream.tag("1.0.0")
    world.upstream.tag("1.1.0")
    world.follow()
    world.upstream.untag("1.0.0")
    world.mirrors.update(world.recipe, world.answer(), {"1.0.0": commit, "1.1.0": commit})
    assert world.look().tags == {"1.0.0": commit, "1.1.0": commit}
    world.follow()
    assert world.look().tags == {"1.1.0": commit}


def test_a_moved_tag_stays_until_its_new_commit_is_wanted(world: MirroredUpstream) -> None:
    first = world.upstream.commit()
    world.upstream.tag("1.0.0")
    world.follow()
    second = world.upstream.commit({"a": b"2"})
    world.upstream.tag("1.0.0")
    world.mirrors.update(world.recipe, world.answer(), {"1.0.0": first})
    assert world.look() == MirrorRefs(second, {"1.0.0": first})
    world.follow()
    assert world.look() == MirrorRefs(second, {"1.0.0": second})


def test_a_tag_that_exists_nowhere_any_more_does_not_keep_other_tags_from_being_fetched(
    world: MirroredUpstream,
) -> None:
    commit = world.upstream.commit()
    world.upstream.tag("1.1.0")
    world.mirrors.update(world.recipe, world.answer(), {"1.0.0": "5" * 40, "1.1.0": commit})
    assert world.look() == MirrorRefs(commit, {"1.1.0": commit})


def test_tags_that_peel_to_no_commit_are_named_and_not_mirrored(world: MirroredUpstream) -> None:
    commit = world.upstream.commit()
    world.upstream.tag("1.0.0")
    blob = world.upstream.blob(b"x")
    world.upstream.tag("2.0.0", blob)
    world.upstream.tag("3.0.0", blob, annotated=True)
    world.upstream.tag("4.0.0", world.upstream.tree({"a": b"1"}))
    assert world.follow().without_commit == {"2.0.0", "3.0.0", "4.0.0"}
    assert world.look() == MirrorRefs(commit, {"1.0.0": commit})


def test_hostile_names_are_mirrored_and_never_executed(
    world: MirroredUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    commit = world.upstream.commit()
    for name in HOSTILE_TAGS:
        world.upstream.tag(name)
    world.follow()
    assert world.look().tags == {decoded(name): commit for name in HOSTILE_TAGS}
    assert list(place.iterdir()) == []


def test_more_tags_than_are_fetched_at_once_are_followed(world: MirroredUpstream) -> None:
    commit = world.upstream.commit()
    names = world.upstream.tag_all(f"1.0.{patch}" for patch in range(510))
    world.follow()
    assert world.look() == MirrorRefs(commit, dict.fromkeys(names, commit))


def test_the_wanted_tags_are_found_among_ten_thousand(world: MirroredUpstream) -> None:
    commit = world.upstream.commit()
    world.upstream.tag_all(f"build-{number}" for number in range(10_000))
    world.upstream.tag_all(["1.0.0", "1.1.0"])
    answer = world.answer()
    assert len(answer.tags) == 10_002
    world.mirrors.update(world.recipe, answer, {"1.0.0": commit, "1.1.0": commit})
    assert world.look() == MirrorRefs(commit, {"1.0.0": commit, "1.1.0": commit})


# ---- refusing ----


def change(world: MirroredUpstream) -> Callable[[], None]:
    """Publish a release, and hand over a check that the mirror is as it was before and still takes the release."""
    world.upstream.commit({"a": b"1"})
    world.upstream.tag("1.0.0")
    world.follow()
    before = world.look()
    world.upstream.commit({"a": b"2"})
    world.upstream.tag("1.1.0", annotated=True)

    def unharmed() -> None:
        assert world.look() == before
        git(world.copy, "fsck", "--strict", "--no-dangling")
        assert [path.name for path in world.mirrors.state.mirrors.iterdir() if not path.name.endswith(".lock")] == [
            "notes.git"
        ]
        world.follow()
        assert world.look().tags.keys() >= {"1.0.0", "1.1.0"}

    return unharmed


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
def test_a_git_that_could_not_look_has_found_nothing_missing_and_nothing_broken(
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


# ---- looking ----


def test_looking_changes_nothing(world: MirroredUpstream, tmp_path: Path) -> None:
    commit = world.upstream.commit()
    world.upstream.tag("1.0.0")
    world.follow()
    world.mirrors.checkout("notes", commit, tmp_path / "out")
    before = everything(world.mirrors.state.mirrors)
    world.look()
    world.mirrors.resolve("notes", "1.0.0")
    world.mirrors.alterations("notes", commit, tmp_path / "out")
    assert everything(world.mirrors.state.mirrors) == before


def test_looking_at_refs_that_are_not_packed_finds_them_all(world: MirroredUpstream) -> None:
    commit = world.upstream.commit()
    world.upstream.tag("1.0.0", annotated=True)
    world.follow()
    git(world.copy, "update-ref", "refs/tags/1.1.0", commit)
    assert world.look() == MirrorRefs(commit, {"1.0.0": commit, "1.1.0": commit})


@pytest.mark.parametrize("harm", ["unreadable", "torn", "a folder"])
def test_a_mirror_that_cannot_be_read_is_not_an_empty_one(world: MirroredUpstream, harm: str) -> None:
    world.upstream.commit()
    world.follow()
    packed = world.copy / "packed-refs"
    if harm == "unreadable":
        packed.write_bytes(b"\xff\xfe" * 50)
    elif harm == "torn":
        packed.write_bytes(packed.read_bytes()[:-30])
    else:
        packed.unlink()
        packed.mkdir()
    reply = world.mirrors.refs("notes")
    assert isinstance(reply, Unobservable)
    assert reply.reason.isprintable()


def test_a_dropped_mirror_is_gone(world: MirroredUpstream) -> None:
    world.upstream.commit()
    world.follow()
    world.mirrors.drop("notes")
    assert world.mirrors.refs("notes") is None
    assert list(world.mirrors.state.mirrors.iterdir()) == []
    world.mirrors.drop("notes")


# ---- naming ----


def test_a_ref_is_found_as_tag_then_branch_then_commit(world: MirroredUpstream) -> None:
    first = world.upstream.commit()
    second = world.upstream.commit({"a": b"2"})
    world.upstream.tag("1.0.0", first, annotated=True)
    world.upstream.tag("main", first)
    world.follow()
    resolve = {ref: world.mirrors.resolve("notes", ref) for ref in ("1.0.0", "main", second, second[:9])}
    assert resolve == {"1.0.0": first, "main": first, second: second, second[:9]: second}


@pytest.mark.parametrize(
    "ref",
    ["", "nope", "--help", "-x", "1.0.0^{tree}", "HEAD~1", "@{u}", "main:a", "refs/../x", "a b", "5" * 40, "\n", "x*"],
)
def test_an_invalid_name_resolves_to_none(world: MirroredUpstream, ref: str) -> None:
    world.upstream.commit()
    world.upstream.tag("1.0.0")
    world.follow()
    assert world.mirrors.resolve("notes", ref) is None
    assert world.mirrors.fetch(world.recipe, ref) is None
    assert world.mirrors.resolve("absent", "main") is None


def test_a_branch_or_tag_that_is_asked_for_is_fetched_beside_what_is_served(
    world: MirroredUpstream, tmp_path: Path
) -> None:
    world.upstream.commit()
    world.follow()
    before = world.look()
    side = world.upstream.commit_tree(world.upstream.tree({"a": b"side"}))
    world.upstream.git("update-ref", "refs/heads/feature/x", side)
    world.upstream.tag("nightly", side, annotated=True)
    world.upstream.tag("blob", world.upstream.blob(b"x"))
    assert world.mirrors.resolve("notes", side) is None
    assert world.mirrors.fetch(world.recipe, "feature/x") == side
    assert world.mirrors.fetch(world.recipe, "nightly") == side
    assert world.mirrors.fetch(world.recipe, "blob") is None
    assert world.look() == before
    world.mirrors.checkout("notes", side, tmp_path / "out")
    assert (tmp_path / "out" / "a").read_bytes() == b"side"


# ---- checkouts ----


def test_a_checkout_holds_just_the_committed_bytes(world: MirroredUpstream, tmp_path: Path) -> None:
    files = {
        "a": b"one\ntwo\n",
        "sub/run.sh": b"#!/bin/sh\r\n",
        ".gitattributes": b"* text eol=crlf\n*.id ident\n*.lfs filter=lfs\n",
        "x.id": b"$Id$\n",
        "x.lfs": b"pointer\n",
        "link": b"/etc/passwd",
        "ünicode": b"",
    }
    commit = world.upstream.commit(files, modes={"sub/run.sh": "100755", "link": "120000"})
    world.follow()
    out = tmp_path / "slot" / "checkout"
    world.mirrors.checkout("notes", commit, out)
    written = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if not path.is_dir()}
    assert written == files
    assert not (out / "link").is_symlink()
    assert [path.name for path in out.rglob("*") if path.is_file() and path.stat().st_mode & 0o100] == ["run.sh"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["checkout"]
    assert world.mirrors.alterations("notes", commit, out) == Alterations()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12345\n" % (b"1" * 64)


def test_submodules_and_pointers_of_lfs_are_told_of_and_no_alteration(world: MirroredUpstream, tmp_path: Path) -> None:
    files = {"a": b"1", "big.bin": POINTER, "text": POINTER * 9, "short": POINTER[:40], ".gitmodules": b""}
    lines = [f"100644 blob {world.upstream.blob(content)}\t{name}\n" for name, content in files.items()]
    lines += [f"160000 commit {'5' * 40}\tmodule{number}\n" for number in range(7)]
    tree = world.upstream.git("mktree", "--missing", stdin="".join(lines).encode())
    world.upstream.rewind(commit := world.upstream.commit_tree(tree))
    world.follow()
    world.mirrors.checkout("notes", commit, tmp_path / "out")
    seen = world.mirrors.alterations("notes", commit, tmp_path / "out")
    assert (seen.changed, seen.added) == ((), ())
    assert seen.unfetched == (
        "submodules are not fetched: module0, module1, module2, module3, module4 and 2 more",
        "Git LFS is not fetched, these files are pointers: big.bin",
    )
    (tmp_path / "out" / "big.bin").write_bytes(b"the content")
    assert world.mirrors.alterations("notes", commit, tmp_path / "out").changed == ("big.bin",)


def test_a_checkout_goes_into_a_new_folder_only(world: MirroredUpstream, tmp_path: Path) -> None:
    commit = world.upstream.commit()
    world.follow()
    with pytest.raises(FileExistsError):
        world.mirrors.checkout("notes", commit, tmp_path)


def test_a_checkout_larger_than_allowed_is_refused_before_a_byte_is_written(
    world: MirroredUpstream, tmp_path: Path
) -> None:
    commit = world.upstream.commit({"zeros": bytes(5_000_000)})
    world.follow()
    small = evolve(world.mirrors, most=1_000_000)
    with pytest.raises(RecipeError, match="5000000"):
        small.checkout("notes", commit, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_checkout_of_an_unknown_commit_is_an_infrastructure_error(world: MirroredUpstream, tmp_path: Path) -> None:
    world.upstream.commit()
    world.follow()
    with pytest.raises(InfrastructureError):
        world.mirrors.checkout("notes", "5" * 40, tmp_path / "out")


def same_look(path: Path, content: bytes) -> None:
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_link(path: Path, target: str) -> None:
    path.rename(path.parent.parent / "moved")
    path.symlink_to(target)


def replaced_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def bytecode(folder: Path) -> None:
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").touch()


ALTERATIONS: dict[str, tuple[Callable[[Path], object], Alterations]] = {
    "content": (lambda out: (out / "a").write_bytes(b"2"), Alterations(changed=("a",))),
    "content, size and date kept": (lambda out: same_look(out / "a", b"9"), Alterations(changed=("a",))),
    "deleted": (lambda out: (out / "a").unlink(), Alterations(changed=("a",))),
    "made executable": (lambda out: (out / "a").chmod(0o755), Alterations(changed=("a",))),
    "replaced by a link": (lambda out: replaced_by_link(out / "a", "d/b"), Alterations(changed=("a",))),
    "replaced by a pipe": (lambda out: replaced_by_pipe(out / "a"), Alterations(changed=("a",))),
    "a folder replaced by a link to its like": (
        lambda out: replaced_by_link(out / "d", "../moved"),
        Alterations(changed=("d/b",), added=("d",)),
    ),
    "added": (lambda out: (out / "d" / "new\x1b").write_bytes(b""), Alterations(added=("d/new\\x1b",))),
    "added bytecode": (bytecode, Alterations(added=("__pycache__/x.pyc",))),
    "added link": (lambda out: (out / "l").symlink_to("/etc"), Alterations(added=("l",))),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_every_alteration_is_seen(world: MirroredUpstream, tmp_path: Path, what: str) -> None:
    commit = world.upstream.commit({"a": b"1", "d/b": b"1"})
    world.follow()
    world.mirrors.checkout("notes", commit, tmp_path / "out")
    alter, seen = ALTERATIONS[what]
    alter(tmp_path / "out")
    assert world.mirrors.alterations("notes", commit, tmp_path / "out") == seen


# ---- deciding ----

commits = st.sampled_from(["a" * 40, "b" * 40, "c" * 40])
tag_maps = st.dictionaries(st.sampled_from(["1.0.0", "1.1.0", "2.0.0", "3.0.0"]), commits)


@st.composite
def updates(draw: st.DrawFn) -> tuple[Refs, Answer, dict[str, str]]:
    held = {name: RefTarget(commit, commit) for name, commit in draw(tag_maps).items()}
    head = draw(commits)
    branches = draw(st.lists(st.sampled_from(["main", "trunk"]), unique=True))
    heads = {branch: RefTarget(commit, commit) for branch in branches for commit in [draw(commits)]}
    return Refs(heads, held), Answer("", "main", head, draw(tag_maps)), draw(tag_maps)


@given(updates())
def test_a_goal_is_what_is_wanted_as_far_as_it_can_be_had(drawn: tuple[Refs, Answer, dict[str, str]]) -> None:
    held, answer, tags = drawn
    goal = plan_refs(held, answer, tags)
    reached = {**goal.stays, **goal.fetched}
    for name, commit in tags.items():
        available = answer.tags.get(name) == commit or (name in held.tags and held.tags[name].peeled == commit)
        assert (reached.get(name) == commit) is available
    for name, commit in reached.items():
        assert commit == tags[name] or commit == held.tags[name].peeled
    assert set(goal.dropped) == set(held.tags) - set(tags)
    assert goal.fetch_head is (held.heads.get("main") != RefTarget(answer.head, answer.head))


@given(updates())
def test_what_is_fetched_is_only_what_is_missing(drawn: tuple[Refs, Answer, dict[str, str]]) -> None:
    held, answer, tags = drawn
    goal: RefPlan = plan_refs(held, answer, tags)
    assert all(held.tags.get(name) != RefTarget(commit, commit) for name, commit in goal.fetched.items())
    assert not set(goal.fetched) & set(goal.stays)


def test_both_ways_to_read_refs_agree(world: MirroredUpstream) -> None:
    world.upstream.commit()
    world.upstream.tag("1.0.0", world.upstream.tag("0.9.0", annotated=True), annotated=True)
    world.follow()
    shown = read_show_ref(git(world.copy, "show-ref", "--dereference"))
    assert read_packed_refs((world.copy / "packed-refs").read_bytes()) == shown
    assert len(shown.tags) == 2
