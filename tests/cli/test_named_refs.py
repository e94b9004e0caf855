"""What --ref takes: pull requests, full names and commit ids; and what it refuses."""

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.repositories import UpstreamRepository

PULL = "refs/pull/7/head"
OPTIONS = ("--tiers", "install")


def tried(jot: OneRecipeFleet, ref: str) -> dict[str, str]:
    """Return what a trial of `ref` was of."""
    said = jot.json("trial", "jot", "--ref", ref, *OPTIONS)
    assert said.code == 0, said
    want: dict[str, str] = said.row("jot")["want"]
    return want


def test_a_pull_request_is_tried_by_its_ref_and_by_its_commit_and_leaves_no_such_ref_in_the_mirror(
    settled: OneRecipeFleet,
) -> None:
    before = settled.mirrored()
    commit = settled.propose(PULL)
    for ref in (PULL, commit):
        assert tried(settled, ref) == {"version": ref, "commit": commit}
        assert {**settled.mirrored(), **before} == {**before, "refs/asked/last": commit}
    assert settled.row_of("--dry-run")["action"] == "none"
    assert settled.promoted_state().tags == {f"refs/tags/{FIRST}": before[f"refs/tags/{FIRST}"]}


def test_a_full_name_means_only_itself(settled: OneRecipeFleet) -> None:
    head = settled.upstream.head()
    other = settled.propose("refs/heads/topic")
    settled.upstream.tag("topic", head)
    assert tried(settled, "topic") == {"version": "topic", "commit": head}
    assert tried(settled, "refs/heads/topic")["commit"] == other
    assert tried(settled, f"refs/tags/{FIRST}")["commit"] == head
    for ref in ("refs/asked/last", "refs/heads/refs/heads/topic", "refs/pull/8/head"):
        assert settled.run("trial", "jot", "--ref", ref, *OPTIONS).code == 64, ref


def test_a_commit_id_is_that_commit_also_where_a_branch_has_its_name(settled: OneRecipeFleet) -> None:
    commit, head = settled.propose(PULL), settled.upstream.head()
    assert head
    settled.upstream.git("update-ref", f"refs/heads/{commit}", head)
    assert tried(settled, commit)["commit"] == commit
    absent = settled.run("trial", "jot", "--ref", "5" * 40)
    assert (absent.code, absent.out) == (64, "")
    assert absent.err.splitlines()[-2].endswith(f"a commit is named {'5' * 40}")


@pytest.mark.parametrize(
    ("ref", "shown"),
    [
        ("--upload-pack=touch hacked", "--upload-pack=touch hacked is not the name of a ref: it begins with a dash"),
        ("main:refs/heads/main", "it has a blank or one of ~ ^ : ? * [ \\"),
        ("+refs/heads/*", "it has a blank or one of"),
        ("refs/pull/7/head\nrefs/heads/main", "refs/pull/7/head\\nrefs/heads/main is not"),
        ("\x1b[2J", "\\x1b[2J is not the name of a ref: it has a control character"),
        ("../../canon.db", "it has two dots in a row"),
    ],
)
def test_a_hostile_name_is_refused_before_anything_is_done(settled: OneRecipeFleet, ref: str, shown: str) -> None:
    settled.release(SECOND)
    before = settled.mirrored()
    said = settled.run("trial", "jot", "--ref", ref)
    assert (said.code, said.out) == (64, "")
    error, hint = said.err.splitlines()
    assert shown in error
    assert hint == "  name a release, a branch, a whole commit id, or a ref such as refs/pull/7/head"
    assert settled.mirrored() == before


def test_what_a_person_asked_for_is_not_given_to_the_teams_forge(settled: OneRecipeFleet) -> None:
    forge = UpstreamRepository.make(settled.folder / "forge" / "jot.git")
    fleet = settled.fleet / "fleet.toml"
    fleet.write_text(fleet.read_text() + f'[mirror]\npush = "file://{forge.path.parent}/{{recipe}}.git"\n')
    settled.propose(PULL)
    assert tried(settled, PULL)["version"] == PULL
    pushed = settled.run("-q")
    assert pushed.code == 0, pushed
    assert forge.refs().keys() == {"refs/heads/main", f"refs/tags/{FIRST}"}


def test_without_a_name_an_upstream_that_was_seen_and_has_no_release_is_a_wrong_use_and_one_that_is_gone_is_not(
    jot: OneRecipeFleet,
) -> None:
    jot.upstream.git("update-ref", "-d", f"refs/tags/{FIRST}")
    said = jot.run("trial", "jot")
    assert (said.code, said.out) == (64, "")
    assert said.err.splitlines()[-2:] == [
        "reconcile: jot: nothing to try: upstream has no release",
        "  name what to try: --ref REF",
    ]
    jot.upstream.path.rename(jot.folder / "gone")
    assert jot.run("trial", "jot").code == 1
