from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.folders import scratch_folder
from tests.outcome_totals import count, main, problems, read_outcomes

PLACES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["fresh", "here"]), min_size=2).filter(
    lambda places: {*places.values()} == {"fresh", "here"}
)


def ran(places: dict[str, str], where: str, outcome: str = "passed") -> dict[str, str]:
    return {test: outcome for test, place in places.items() if place == where}


@given(PLACES)
def test_where_each_test_ran_once_there_is_no_problem(places: dict[str, str]) -> None:
    assert list(problems(ran(places, "fresh"), ran(places, "here", "skipped"), ran(places, "here"))) == []


@given(PLACES, st.data())
def test_a_test_that_ran_twice_or_nowhere_or_was_skipped_is_named(places: dict[str, str], data: st.DataObject) -> None:
    fresh, lacked, here = ran(places, "fresh"), ran(places, "here", "skipped"), ran(places, "here")
    one = data.draw(st.sampled_from(sorted(here)))
    assert f"ran on the fresh machine and here: {one}" in problems({**fresh, one: "passed"}, lacked, here)
    assert f"ran nowhere: {one}" in problems(fresh, lacked, {test: "passed" for test in here if test != one})
    assert f"was skipped: {one}" in problems(fresh, lacked, {**here, one: "skipped"})
    assert f"was not skipped for what is lacking: {one}" in problems(fresh, {**lacked, one: "failed"}, here)
    assert f"is not known on the fresh machine: {one}" in problems(
        fresh, {test: "skipped" for test in lacked if test != one}, here
    )


def test_a_run_of_nothing_is_named() -> None:
    assert list(problems({}, {"a": "skipped"}, {"a": "passed"})) == ["nothing ran on the fresh machine"]
    assert list(problems({"a": "passed"}, {}, {})) == ["nothing ran here"]


def test_a_test_that_failed_after_it_passed_has_failed() -> None:
    assert read_outcomes("passed a::b[x y]\nfailed a::b[x y]\npassed c\n") == {"a::b[x y]": "failed", "c": "passed"}
    assert read_outcomes("failed a\npassed a\n") == {"a": "failed"}


def test_counts_are_of_both_runs() -> None:
    assert count({"a": "passed", "b": "failed"}, {"c": "passed"}) == "2 passed, 1 failed"
    assert count({"a": "passed", "b": "skipped"}) == "1 passed, 0 failed, 1 skipped"


@pytest.mark.parametrize(
    ("lacked", "here", "code", "sum_of_all"),
    [
        ("skipped b\n", "passed b\n", 0, "2 passed, 0 failed"),
        ("skipped b\n", "failed b\n", 1, "1 passed, 1 failed"),
        ("failed b\n", "passed b\n", 1, "2 passed, 0 failed"),
        ("skipped b\n", "", 1, "1 passed, 0 failed"),
    ],
)
def test_the_last_line_is_the_sum_and_the_code_says_whether_all_is_well(
    capsys: pytest.CaptureFixture[str], lacked: str, here: str, code: int, sum_of_all: str
) -> None:
    with scratch_folder() as folder:
        for name, text in {"fresh": "passed a\n", "lacked": lacked, "here": here}.items():
            (folder / name).write_text(text)
        assert main(*(str(folder / name) for name in ("fresh", "lacked", "here"))) == code
    assert capsys.readouterr().out.splitlines()[-1] == sum_of_all


def test_a_run_that_did_not_begin_is_a_run_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "here").write_text("passed b\n")
    assert main(*(str(tmp_path / name) for name in ("fresh", "lacked", "here"))) == 1
    assert "nothing ran on the fresh machine" in capsys.readouterr().out
