"""Objects of upstream that fail checks of git: harmless ones are accepted with a remark, all others are refused."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Recipe
from reconciler.errors import UpstreamError
from reconciler.host.git.git_faults import (
    HARMLESS_CHECKS,
    describe_warnings,
    rejected_object,
    upstream_fault,
    warned_objects,
)
from reconciler.host.git.mirrors import GitMirrors
from reconciler.ports.repositories import MirrorRefs
from state.records import Answer
from tests.git_servers import file_server
from tests.host.git.faulty_upstream import ENVIRONMENT, GOOD, FaultyUpstream, copy_without
from tests.repositories import git

SIGNED = {
    "badDate": b"Ada <ada@example.org> then +0000",
    "badDateOverflow": b"Ada <ada@example.org> 99999999999999999999 +0000",
    "badEmail": b"Ada <ada<example.org> 1700000000 +0000",
    "badName": b"A>da <ada@example.org> 1700000000 +0000",
    "badTimezone": b"Ada <ada@example.org> 1700000000 +051800",
    "missingEmail": b"Ada",
    "missingNameBeforeEmail": b"<ada@example.org> 1700000000 +0000",
    "missingSpaceBeforeDate": b"Ada <ada@example.org>1700000000 +0000",
    "missingSpaceBeforeEmail": b"Ada<ada@example.org> 1700000000 +0000",
    "zeroPaddedDate": b"Ada <ada@example.org> 0170000000 +0000",
}


@pytest.fixture
def world(tmp_path: Path) -> FaultyUpstream:
    return FaultyUpstream(tmp_path)


def test_harmless_flaws_are_accepted_and_each_kind_is_noted(world: FaultyUpstream, tmp_path: Path) -> None:
    flawed = {kind: world.signed(signed) for kind, signed in SIGNED.items()}
    flawed["missingAuthor"] = world.signed()
    flawed["multipleAuthors"] = world.signed(GOOD, GOOD)
    flawed["nulInCommit"] = world.signed(GOOD, more=b"\nA\0change.\n")
    flawed["zeroPaddedFilemode"] = world.listed((b"0100644 a", world.upstream.blob(b"1")))
    assert flawed.keys() == {*HARMLESS_CHECKS}
    for patch, commit in enumerate(flawed.values()):
        world.upstream.tag(f"2.0.{patch}", commit)
    tagger = b"object %s\ntype commit\ntag 3.0.0\ntagger Ada <ada@example.org> 1700000000 +99999\n\nA release.\n"
    world.upstream.tag("3.0.0", world.raw("tag", tagger % world.first.encode()))

    (remark,) = world.follow().remarks

    seen = world.mirrors.refs("notes")
    assert isinstance(seen, MirrorRefs)
    assert {*seen.tags.values()} == {world.first, *flawed.values()}
    for kind, commit in flawed.items():
        assert f"{kind} (" in remark
        world.mirrors.checkout("notes", commit, tmp_path / kind)
        assert (tmp_path / kind / "a").read_bytes() == b"1"
    assert "badTimezone (2, as " in remark
    assert world.follow().remarks == ()


def a_file(world: FaultyUpstream) -> str:
    return world.upstream.blob(b"1")


def modules(world: FaultyUpstream, name: str, url: str) -> str:
    return world.upstream.blob(f'[submodule "{name}"]\n\tpath = a\n\turl = {url}\n'.encode())


HARMFUL: dict[str, Callable[[FaultyUpstream], str]] = {
    "hasDotgit": lambda world: world.listed((b"40000 .git", world.upstream.tree({"a": b"1"}))),
    "hasDotdot": lambda world: world.listed((b"100644 ..", a_file(world))),
    "hasDot": lambda world: world.listed((b"100644 .", a_file(world))),
    "fullPathname": lambda world: world.listed((b"100644 a/b", a_file(world))),
    "nullSha1": lambda world: world.listed((b"160000 a", "0" * 40)),
    "duplicateEntries": lambda world: world.listed((b"100644 a", a_file(world)), (b"100644 a", a_file(world))),
    "treeNotSorted": lambda world: world.listed((b"100644 b", a_file(world)), (b"100644 a", a_file(world))),
    "gitmodulesSymlink": lambda world: world.listed((b"120000 .gitmodules", a_file(world))),
    "gitmodulesUrl": lambda world: world.listed((b"100644 .gitmodules", modules(world, "a", "-u./x"))),
    "gitmodulesName": lambda world: world.listed((b"100644 .gitmodules", modules(world, "../a", "https://a/b"))),
    "nulInHeader": lambda world: world.signed(GOOD + b"\0"),
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_an_upstream_with_an_object_that_could_harm_is_to_blame_by_object_and_kind(
    world: FaultyUpstream, kind: str
) -> None:
    world.follow()
    before = world.mirrors.refs("notes")
    commit = HARMFUL[kind](world)
    world.upstream.tag("1.1.0", commit)
    with pytest.raises(UpstreamError, match=rf"^upstream of notes has .* check {kind}: [0-9a-f]{{40}} ") as told:
        world.follow()
    blamed = told.value.message.partition(f"{kind}: ")[2].split()[0]
    assert blamed in {commit, world.bad, *world.upstream.git("rev-list", "--objects", commit).split()}
    assert world.mirrors.refs("notes") == before
    world.upstream.untag("1.1.0")
    world.upstream.tag("1.2.0", world.first)
    world.follow()
    seen = world.mirrors.refs("notes")
    assert isinstance(seen, MirrorRefs)
    assert seen.tags.keys() == {"1.0.0", "1.2.0"}


def test_a_ref_that_is_asked_for_by_hand_is_held_to_the_same_checks(world: FaultyUpstream) -> None:
    world.follow()
    recipe = Recipe("notes", f"file://{world.upstream.path}", Path("/nowhere"))
    world.upstream.git("update-ref", "refs/heads/fix", world.signed(SIGNED["badTimezone"]))
    assert world.mirrors.fetch(recipe, "fix") is not None
    world.upstream.git("update-ref", "refs/heads/bad", HARMFUL["hasDotgit"](world))
    with pytest.raises(UpstreamError, match="hasDotgit"):
        world.mirrors.fetch(recipe, "bad")


def test_a_server_of_plain_files_which_git_itself_does_not_check_is_held_to_the_same(world: FaultyUpstream) -> None:
    world.upstream.tag("1.1.0", HARMFUL["hasDotgit"](world))
    world.upstream.git("update-server-info")
    lost, oid = copy_without(world, "main^{tree}")
    git(lost, "update-server-info")
    mirrors = GitMirrors(world.mirrors.state, ENVIRONMENT, ("http",))
    answer = world.ask()
    assert isinstance(answer, Answer)
    with file_server(lost.parent) as url:
        for name, what in (("notes", "has .* hasDotgit: "), ("copy", f"lacks object {oid}: ")):
            with pytest.raises(UpstreamError, match=f"^upstream of notes {what}"):
                mirrors.update(
                    Recipe("notes", f"{url}/{name}.git", Path("/nowhere")),
                    answer,
                    {"1.1.0": answer.tags["1.1.0"] or ""},
                )


@pytest.mark.parametrize(
    "err",
    [
        b"",
        b"fatal: unable to access 'https://forge/x': Could not resolve host: forge\n",
        b"fatal: Could not read from remote repository.\n",
        b"fatal: early EOF\nfatal: index-pack failed\n",
        b"error: Could not read 1111111111111111111111111111111111111111\n",
        b"fatal: packed object 1111111111111111111111111111111111111111 (stored in /state/notes.git/x) is corrupt\n",
        b"fatal: write error: No space left on device\n",
        b"warning: object 1111111111111111111111111111111111111111: badTimezone: bad\nfatal: early EOF\n",
    ],
)
def test_a_failure_that_the_host_or_the_network_may_cause_is_not_upstreams_fault(err: bytes) -> None:
    assert upstream_fault(err, succeeded=False) is None
    assert rejected_object(err) is None


oids = st.text("0123456789abcdef", min_size=40, max_size=40)
flaws = st.lists(st.tuples(st.sampled_from([*HARMLESS_CHECKS, "hasDot"]), oids), max_size=6)
texts = st.lists(
    st.sampled_from([b"remote: ", b"error: object ", b"1" * 40, b": hasDot: ", b"\n", b"\x1b[2J", b"x\xff"])
)


@given(texts.map(b"".join), st.booleans())
def test_a_fault_is_one_printable_line_whatever_git_says(err: bytes, succeeded: bool) -> None:  # noqa: FBT001
    fault = upstream_fault(err, succeeded=succeeded)
    assert fault is None or (fault.isprintable() and len(fault) < 250)
    assert fault is None or not succeeded


@given(flaws, flaws)
def test_each_warning_of_git_is_noted_once_and_each_refusal_is_not(
    warned: list[tuple[str, str]], refused: list[tuple[str, str]]
) -> None:
    lines = [("warning", *flaw) for flaw in warned + warned] + [("remote: error", *flaw) for flaw in refused]
    err = "".join(f"{level}: object {oid}: {kind}: bad\n" for level, kind, oid in lines).encode()
    assert {*warned_objects(err)} == {*warned}
    assert (rejected_object(err) is None) == (refused == [])
    said = describe_warnings(warned_objects(err))
    counts = Counter(kind for kind, _ in {*warned})
    assert (said == "") == (not warned)
    assert all(f"{kind} ({count}, as " in said for kind, count in counts.items())
