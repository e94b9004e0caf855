import os
from pathlib import Path

import pytest

from reconciler.host.text import decoded
from reconciler.ports.repositories import MirrorRefs, MirrorUpdate
from tests.host.git.mirrored_upstream import MirroredUpstream
from tests.repositories import HOSTILE_TAGS, UpstreamRepository, git

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


def test_only_new_objects_are_fetched_and_a_second_update_changes_no_ref(world: MirroredUpstream) -> None:
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


def test_releases_are_mirrored_while_upstreams_head_names_no_branch_and_main_returns_later(
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
