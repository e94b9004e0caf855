from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Unobservable
from reconciler.host.git.refs import RefPlan, Refs, RefTarget, plan_refs, read_packed_refs, read_show_ref
from reconciler.ports.repositories import MirrorRefs
from state.records import Answer
from tests.host.git.mirrored_upstream import MirroredUpstream
from tests.repositories import git


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


# ---- looking ----


def test_reading_a_mirror_changes_nothing(world: MirroredUpstream, tmp_path: Path) -> None:
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


def test_a_requested_branch_or_tag_is_fetched_without_changing_the_mirrors_refs(
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


def test_a_pull_request_and_a_commit_that_only_it_names_are_fetched_and_what_upstream_lacks_is_none(
    world: MirroredUpstream,
) -> None:
    world.upstream.commit()
    world.follow()
    before = world.look()
    tree = world.upstream.tree({"a": b"proposed"})
    first, second = world.upstream.commit_tree(tree), world.upstream.commit_tree(tree)
    world.upstream.git("update-ref", "refs/pull/1/head", first)
    world.upstream.git("update-ref", "refs/pull/2/head", second)
    assert world.mirrors.fetch(world.recipe, "refs/pull/1/head") == first
    assert world.mirrors.fetch(world.recipe, second) == second
    for lacking in ("refs/pull/3/head", "pull/1/head", "5" * 40, tree):
        assert world.mirrors.fetch(world.recipe, lacking) is None
    assert world.look() == before


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
def test_the_planned_refs_are_the_wanted_ones_as_far_as_they_can_be_fetched(
    drawn: tuple[Refs, Answer, dict[str, str]],
) -> None:
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
def test_only_missing_refs_are_fetched(drawn: tuple[Refs, Answer, dict[str, str]]) -> None:
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
