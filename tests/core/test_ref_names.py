"""Names of refs, compared with what git itself allows."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.ref_names import LONGEST, is_commit_id, is_full_name, ref_fault

PARTS = [
    "a",
    "main",
    "é",
    "/",
    ".",
    "..",
    ".lock",
    "@",
    "@{",
    "{",
    "}",
    "-",
    " ",
    "~",
    "^",
    ":",
    "?",
    "*",
    "[",
    "\\",
    "\t",
]


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("".join))
def test_a_name_is_refused_just_where_git_allows_no_branch_of_it_or_where_it_looks_like_an_option(name: str) -> None:
    git = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False, capture_output=True)
    # Git joins slashes and drops those at the start; a name of ours is to be written as it is.
    allowed = git.returncode == 0 and not name.startswith(("-", "/"))
    assert (ref_fault(name) is None) is allowed


@pytest.mark.parametrize(
    ("ref", "fault"),
    [
        ("", "is empty"),
        ("x" * (LONGEST + 1), f"is longer than {LONGEST} bytes"),
        ("--upload-pack=touch", "begins with a dash"),
        ("main\nrefs/heads/other", "has a control character"),
        ("main:refs/heads/main", "has a blank or one of ~ ^ : ? * [ \\"),
        ("refs/pull/../heads/main", "has two dots in a row"),
        ("main@{1}", "has @{"),
    ],
)
def test_the_first_fault_is_told(ref: str, fault: str) -> None:
    assert ref_fault(ref) == fault


def test_a_name_in_bytes_that_are_no_text_is_allowed_as_git_allows_it() -> None:
    assert ref_fault("caf\udce9") is None


def test_full_names_and_whole_commit_ids_are_told_from_short_ones() -> None:
    assert [is_full_name(ref) for ref in ("refs/pull/7/head", "main", "x/refs/heads/main")] == [True, False, False]
    assert [is_commit_id(ref) for ref in ("a" * 40, "a" * 39, "A" * 40, f"{'a' * 40}\n")] == [True, False, False, False]
