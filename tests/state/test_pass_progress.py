"""What a pass does now, has done, and has still to do never overlap, whatever it tells."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from state.pass_progress import CurrentWork, PassProgress, PlannedWork
from tests.values import NOW

NAMES = ("blog", "notes", "wiki")
PLAN = tuple(PlannedWork(name, "promote", "1.0.0", None) for name in NAMES)
BEGUN = PassProgress("p1", "shell", NOW)

names = st.sampled_from((*NAMES, "stray"))
told = st.lists(
    st.one_of(
        st.tuples(st.just("step"), names),
        st.tuples(st.just("done"), names),
        st.tuples(st.just("result"), names),
        st.tuples(st.just("beside"), st.frozensets(names)),
    ),
    max_size=12,
)


def after(progress: PassProgress, word: str, value: object) -> PassProgress:
    match word, value:
        case "step", str():
            return progress.with_step(value, f"trying {value}", None, NOW)
        case "done", str():
            return progress.without(value)
        case "result", str():
            return progress.with_result(value, "promoted", NOW)
        case _, frozenset():
            return progress.with_beside(value)
        case _:
            raise AssertionError(word)


@given(told)
def test_a_planned_step_is_never_both_left_and_done_or_done_now(words: list[tuple[str, object]]) -> None:
    progress = BEGUN.with_plan(PLAN)
    for word, value in words:
        progress = after(progress, word, value)
    left, now, done = ([each.recipe for each in part] for part in (progress.left, progress.now, progress.done))
    assert not {*left} & {*now, *done}
    assert {*NAMES} <= {*left, *now, *done}
    assert now == sorted(set(now))
    assert {*done} <= {*NAMES}


def test_without_a_plan_nothing_is_left_and_a_plan_ends_what_was_done_before_it() -> None:
    fetching = BEGUN.with_step("notes", "fetching into the mirror", None, NOW)
    assert (fetching.left, fetching.work_of("notes")) == ((), None)
    assert fetching.with_plan(PLAN).now == ()
    assert fetching.with_plan(PLAN).left == PLAN


def test_the_next_step_of_a_recipe_keeps_when_it_began_and_how_long_it_took_last_time() -> None:
    later = NOW + timedelta(seconds=5)
    progress = BEGUN.with_step("notes", "trying 1.0.0", 7.5, NOW).with_step("notes", "1.0.0: install", None, later)
    assert progress.now == (CurrentWork("notes", "1.0.0: install", NOW, later, 7.5),)


def test_a_recipe_over_budget_that_is_tried_after_all_is_no_longer_left_to_a_later_pass() -> None:
    progress = BEGUN.with_plan((), ("notes", "wiki")).with_step("wiki", "trying 1.0.0", None, NOW)
    assert progress.with_step("notes", "1.0.0: deploying it to be kept running", None, NOW).over_budget == ("notes",)


def test_the_step_of_another_recipe_ends_this_one_unless_both_are_tried_at_the_same_time() -> None:
    alone = BEGUN.with_step("notes", "trying", None, NOW).with_step("wiki", "trying", None, NOW)
    assert [each.recipe for each in alone.now] == ["wiki"]
    beside = BEGUN.with_beside({"wiki", "notes"}).with_step("wiki", "trying", None, NOW)
    beside = beside.with_step("notes", "trying", None, NOW)
    assert [each.recipe for each in beside.now] == ["notes", "wiki"]
    assert [each.recipe for each in beside.with_beside({"wiki"}).now] == ["wiki"]
