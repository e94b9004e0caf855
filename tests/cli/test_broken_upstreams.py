"""Upstreams that are down, lie or lose what they had: what is told, and that nothing is lost."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.faulty_git_server import Fault, answers, faulty_git_server
from tests.git_servers import free_port

HTML = answers(b"<html>\n<body>\nSign in\n</body>\n</html>\n")
OLDER = ("0.1.0+v1", "0.2.0+v1", "0.3.0+v1")


@contextmanager
def address(failing: Fault | None) -> Iterator[str]:
    """The URL of an upstream that fails in this way; None is one that is down."""
    if failing is None:
        yield f"http://127.0.0.1:{free_port()}/x.git"
        return
    with faulty_git_server(failing) as server:
        yield server.url


@pytest.mark.parametrize(
    ("failing", "why"),
    [
        (None, "git could not list it: .*(onnect|refused).*"),
        (answers(b""), "upstream answered, but with no refs at all"),
        (HTML, "git could not list it: .*"),
    ],
    ids=["down", "empty body", "HTML"],
)
def test_an_upstream_that_cannot_be_observed_is_reported_and_nothing_is_lost(
    settled: OneRecipeFleet, failing: Fault | None, why: str
) -> None:
    kept = settled.promoted_state()
    with address(failing) as url:
        settled.declare(upstream=url)
        said, told = settled.run(), settled.json("drift")
    assert (said.code, told.code) == (1, 1)
    lines = said.out.splitlines()
    assert re.fullmatch(r"jot +\? +1\.0\.0\+v1 +unobservable +intact +none +next pass asks again", lines[1])
    assert re.fullmatch(f"jot: {why}", lines[3])
    assert ", 1 unobservable; 0 excepted, 0 orphaned" in lines[-1]
    row = told.row("jot")
    assert (row["want"], row["cause"], row["state"], row["mirror"]) == (None, "unobservable", "intact", "unknown")
    assert settled.promoted_state() == kept
    assert settled.lines() == [FIRST, "marked"]


def test_an_upstream_without_tags_was_never_released_and_that_is_no_error(jot: OneRecipeFleet) -> None:
    jot.upstream.untag(FIRST)
    said, told = jot.run(), jot.json()
    assert (said.code, told.code) == (0, 0)
    row = said.out.splitlines()[1]
    assert re.fullmatch(r"jot +- +- +never-released +none +none +waits for a release", row)
    assert "jot: upstream has no tags" in said.out.splitlines()
    assert "1 never released" in said.out.splitlines()[-1]
    assert jot.tried() == []


def test_a_harmful_object_is_upstreams_and_keeps_no_other_recipe_from_being_promoted(settled: OneRecipeFleet) -> None:
    canonical, mirrored = settled.canonical(), settled.mirrored()
    other = settled.folder / "upstreams" / "other.git"
    shutil.copytree(settled.upstream.path, other)
    shutil.copytree(settled.recipe, settled.fleet / "recipes" / "other")
    declared = settled.fleet / "recipes" / "other" / "recipe.toml"
    declared.write_text(declared.read_text().replace("/jot.git", "/other.git"))
    leaf = bytes.fromhex(settled.upstream.tree({"a": b"1"}))
    tree = settled.upstream.git(
        "hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=b"40000 .git\0" + leaf
    )
    settled.upstream.tag(SECOND, settled.upstream.commit_tree(tree))

    told = settled.json()

    assert told.code == 1
    jot = told.row("jot")
    assert (jot["cause"], jot["state"], jot["result"], jot["action"]) == ("unobservable", "intact", "none", "none")
    assert jot["reason"] == f"upstream of jot has an object that fails git's check hasDotgit: {tree} contains '.git'"
    assert told.row("other")["result"] == "promoted"
    assert (settled.canonical(), settled.mirrored()) == (canonical, mirrored)
    settled.upstream.untag(SECOND)
    assert settled.run().code == 0


def test_harmless_flaws_and_objects_that_are_not_fetched_are_noted_and_the_release_is_tried(
    settled: OneRecipeFleet,
) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'1' * 64}\nsize 12345\n"
    head = settled.release(SECOND, big_bin=pointer)
    raw = settled.upstream.git("cat-file", "commit", head).replace("+0000\ncommitter", "+051800\ncommitter") + "\n"
    flawed = settled.upstream.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw.encode())
    settled.upstream.tag(SECOND, flawed)
    said = settled.run()
    assert said.code == 0, said.out
    where = f"badTimezone (1, as {flawed[:7]})"
    assert f"note: jot: objects of upstream fail harmless checks of git, and were accepted: {where}\n" in said.out
    unfetched = f"jot {flawed[:7]}: Git LFS is not fetched, these files are pointers: big.bin"
    assert said.out.count(f"note: jot: {unfetched}\n") == 1
    assert "objects of upstream" not in settled.run().out


def test_a_release_is_promoted_although_upstreams_head_names_no_branch(jot: OneRecipeFleet) -> None:
    jot.upstream.git("symbolic-ref", "HEAD", "refs/heads/gone")
    told = jot.json()
    assert (told.code, told.row("jot")["result"], told.row("jot")["mirror"]) == (0, "promoted", "equal")


def test_a_mirror_fetched_again_without_a_tag_that_is_gone_is_in_sync_afterwards(settled: OneRecipeFleet) -> None:
    for version in OLDER:
        settled.upstream.tag(version)
    assert settled.run().code == 0
    settled.upstream.untag(OLDER[0])
    shutil.rmtree(settled.state / "mirrors")
    assert settled.run().code == 0
    assert f"refs/tags/{OLDER[0]}" not in settled.mirrored()
    row = settled.row_of("drift")
    assert (row["mirror"], row["vanished"]) == ("equal", [OLDER[0]])


def test_an_upstream_that_lost_half_its_tags_is_used_only_after_a_person_accepts(settled: OneRecipeFleet) -> None:
    for version in OLDER:
        settled.upstream.tag(version)
    assert settled.run().code == 0
    kept = settled.promoted_state()
    for version in OLDER[:2]:
        settled.upstream.untag(version)
    said = settled.run()
    hint = "if that is right: reconcile accept jot --reason …"
    assert said.code == 1
    assert f"shrunken: 2 of 4 known release tags are gone upstream; {hint}" in said.out
    assert settled.row_of("drift")["vanished"] == list(OLDER[:2])
    assert settled.promoted_state() == kept

    accepted = settled.run("accept", "jot", "--reason", "an old mistake")
    assert (accepted.code, accepted.err) == (0, "")
    assert accepted.out == f"jot: accepted: 2 release tags are gone: {', '.join(OLDER[:2])}\n"
    after = settled.json()
    assert (after.code, after.row("jot")["cause"], after.row("jot")["result"]) == (0, "in-sync", "none")
    assert settled.row_of("--dry-run")["mirror"] == "equal"
    assert settled.canonical() == kept.canonical


def test_a_moved_tag_is_quarantined_until_it_is_accepted_and_then_tested_anew(settled: OneRecipeFleet) -> None:
    kept = settled.promoted_state()
    moved = settled.release(FIRST)
    settled.upstream.tag(FIRST, moved)
    said, told = settled.run(), settled.json("--dry-run")
    assert (said.code, told.code) == (4, 4)
    row = told.row("jot")
    assert (row["cause"], row["held_back"], row["needs_person"]) == ("moved", "quarantined", True)
    hint = f"if that is right: reconcile accept jot {FIRST} --reason …"
    assert f"needs you: quarantined: tag {FIRST} named " in said.out
    assert f" and now names {moved[:7]}; {hint}" in said.out
    assert settled.promoted_state() == kept

    assert settled.json("accept", "jot", FIRST, "--reason", "").code == 64
    accepted = settled.json("accept", "jot", FIRST, "--reason", "rebuilt by its author")
    assert accepted.document["line"].startswith(f"jot: accepted: {FIRST} names {moved[:7]} and no longer ")
    assert settled.json("--dry-run").row("jot")["reason"] == f"{FIRST} was moved to {moved[:7]} and accepted"
    done = settled.json()
    have = done.row("jot")["have"]
    assert (done.code, done.row("jot")["result"], have["commit"]) == (0, "promoted", moved)
    assert have["lineage"] == [FIRST, FIRST]
    assert settled.lines() == [FIRST, "marked"]


def test_a_tag_that_did_not_move_cannot_be_accepted(settled: OneRecipeFleet) -> None:
    said = settled.run("accept", "jot", FIRST, "--reason", "just so")
    assert (said.code, said.out) == (4, "")
    assert f"reconcile: jot: tag {FIRST} did not move" in said.err.splitlines()
    assert settled.json("accept", "jot", "--reason", "just so").code == 4


def test_a_tag_on_a_blob_is_no_release_and_the_next_one_wins(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    settled.upstream.tag("9.9.9", settled.upstream.blob(b"no commit"))
    told = settled.json()
    row = told.row("jot")
    assert (told.code, row["result"], row["have"]["version"]) == (0, "promoted", SECOND)
    assert row["not_releases"] == ["9.9.9"]
    assert settled.run("--dry-run").code == 0
    assert settled.lines() == [FIRST, "marked", SECOND]


def test_two_equal_versions_on_different_commits_are_decided_by_a_greater_one_alone(settled: OneRecipeFleet) -> None:
    kept = settled.promoted_state()
    settled.release(SECOND)
    settled.release(f"v{SECOND}")
    said = settled.run()
    assert said.code == 4
    assert re.fullmatch(r"jot +\? +1\.0\.0\+v1 +ambiguous +intact +none +needs you", said.out.splitlines()[1])
    assert "jot: needs you: the newest version has several tags on" in said.out
    assert settled.canonical() == kept.canonical
    settled.release("1.1.1")
    told = settled.json("--dry-run")
    assert (told.code, told.row("jot")["want"]["version"]) == (2, "1.1.1")


def test_a_canonical_whose_tag_is_gone_stays_and_is_ahead(settled: OneRecipeFleet) -> None:
    kept = settled.promoted_state()
    settled.upstream.untag(FIRST)
    said, told = settled.run(), settled.json("drift")
    assert (said.code, told.code) == (4, 4)
    assert f"needs you: the canonical's tag {FIRST} is gone upstream" in said.out
    assert f"note: jot: tags that are gone upstream: {FIRST}" in said.out.splitlines()
    assert (told.row("jot")["cause"], told.row("jot")["vanished"]) == ("ahead", [FIRST])
    assert settled.promoted_state() == kept
    assert settled.lines() == [FIRST, "marked"]


def test_a_mirror_that_cannot_be_read_is_reported_with_the_reason_and_fetched_again(settled: OneRecipeFleet) -> None:
    tried, mirrors = settled.tried(), settled.state / "mirrors"
    (mirrors / "jot.git" / "packed-refs").write_bytes(b"\xff\xfe" * 50)
    row = settled.row_of("--dry-run")
    assert (row["cause"], row["mirror"], row["action"]) == ("in-sync", "unknown", "repair")
    assert re.search(r"the mirror cannot be read: .*packed-refs.*; it will be fetched anew", row["reason"])

    done = settled.run()

    assert done.code == 0
    aside = mirrors / ".jot.git.damaged"
    assert f"note: jot: its mirror was broken and was fetched anew; the broken one lies in {aside}" in done.out
    assert aside.is_dir()
    again = settled.json()
    assert (again.code, again.row("jot")["mirror"], again.row("jot")["result"]) == (0, "equal", "none")
    assert again.document["notes"] == []
    assert settled.tried() == tried
