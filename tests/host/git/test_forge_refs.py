"""What a push to the forge has to do, and how git's answers to it are read."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.git.forge_refs import (
    PUSHED,
    batches,
    plan_push,
    push_problem,
    pushed_input,
    read_forge_refs,
    refusals,
    split_refs,
)

OBJECTS = st.sampled_from(["a" * 40, "b" * 40])
NAMES = st.sampled_from(["refs/heads/main", "refs/tags/1.0.0+v1", "refs/tags/2.0.0+v1", "refs/pull/1/head"])
REFS = st.dictionaries(NAMES, OBJECTS)
OURS = st.dictionaries(NAMES.filter(lambda name: "pull" not in name), OBJECTS)


@given(OURS, REFS, OURS)
def test_only_what_the_forge_lacks_is_pushed_and_no_tag_that_it_has_or_had(
    wanted: dict[str, str], forge: dict[str, str], before: dict[str, str]
) -> None:
    plan = plan_push(wanted, forge, before)
    assert {*plan.missing} <= {name for name in wanted if forge.get(name) != wanted[name]}
    for name in plan.missing:
        assert name == "refs/heads/main" or (name not in forge and name not in before)


@given(OURS, REFS, OURS)
def test_each_wanted_ref_is_there_or_pushed_or_a_problem(
    wanted: dict[str, str], forge: dict[str, str], before: dict[str, str]
) -> None:
    plan = plan_push(wanted, forge, before)
    differing = [name for name in wanted if forge.get(name) != wanted[name]]
    assert len(plan.missing) + len(plan.problems) == len(differing)
    assert plan_push(wanted, wanted, before) == plan_push({}, {}, before)


@given(st.dictionaries(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), OBJECTS))
def test_refs_are_read_as_git_prints_them_and_nothing_else_is(refs: dict[str, str]) -> None:
    named = {f"refs/tags/{name}": oid for name, oid in refs.items() if not name.endswith("^{}")}
    lines = [f"{oid}\t{name}" for name, oid in named.items()]
    printed = "\n".join([*lines, "c" * 40 + "\tHEAD", "d" * 40 + "\trefs/tags/x^{}", "garbage"]).encode()
    assert read_forge_refs(printed) == named


@given(OURS, OURS)
def test_refs_that_the_forge_had_are_split_from_refs_that_it_must_have(
    wanted: dict[str, str], had: dict[str, str]
) -> None:
    remembered = {name.replace("refs/", PUSHED, 1): oid for name, oid in had.items()}
    assert split_refs({**wanted, **remembered, "refs/asked/last": "c" * 40}) == (wanted, had)


@given(st.sets(NAMES | st.integers(0, 2000).map("refs/tags/{}.0.0".format)))
def test_each_ref_is_pushed_once_and_no_tag_together_with_a_branch(refs: set[str]) -> None:
    parts = [*batches(sorted(refs))]
    assert sorted(ref for part in parts for ref in part) == sorted(refs)
    assert all(len({ref.startswith("refs/tags/") for ref in part}) == 1 for part in parts)
    assert [part for part in parts if len(part) > 500] == []


def test_a_refusal_is_read_with_its_reason() -> None:
    # Recorded from git 2.39 against a bare repository and against a forge with a protected branch.
    printed = (
        b"To ssh://forge/notes.git\n"
        b"*\trefs/tags/1.0.0+v1:refs/tags/1.0.0+v1\t[new tag]\n"
        b"!\trefs/heads/main:refs/heads/main\t[rejected] (non-fast-forward)\n"
        b"!\trefs/tags/2.0.0+v1:refs/tags/2.0.0+v1\t[remote rejected] (pre-receive hook declined)\n"
        b" \trefs/heads/next:refs/heads/next\t1111111..2222222\n"
        b"Done\n"
    )
    assert refusals(printed) == {
        "refs/heads/main": "non-fast-forward",
        "refs/tags/2.0.0+v1": "pre-receive hook declined",
    }
    assert push_problem("refs/heads/main", "non-fast-forward") == "the branch main was refused: non-fast-forward"


def test_refs_of_the_forge_are_remembered_and_lost_refs_stay_remembered() -> None:
    wanted = {"refs/tags/1": "a" * 40, "refs/tags/2": "b" * 40, "refs/tags/3": "a" * 40}
    before = {"refs/tags/1": "a" * 40, "refs/tags/3": "a" * 40}
    changes = pushed_input(wanted, {"refs/tags/1": "a" * 40, "refs/tags/2": "b" * 40}, before)
    assert changes == b"update refs/pushed/tags/2\0" + b"b" * 40 + b"\0\0"
    assert pushed_input(wanted, before, before) == b""
