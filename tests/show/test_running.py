"""What people read of a pass that runs: on a screen, and as a line for each change."""

from datetime import timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.watch_command import fitting
from reconciler.core.events import Event
from reconciler.show.text.running import RunningNow, running_line, running_lines, status_line
from reconciler.show.text.running_changes import change_lines, with_unseen
from reconciler.show.text.screen import PLAIN
from state.pass_progress import PassProgress, PlannedWork, SeenPass
from tests.values import NOW

LATER = NOW + timedelta(seconds=75)
BEGUN = PassProgress("p1", "timer", NOW)
PLANNED = BEGUN.with_plan(
    [
        PlannedWork("blog", "promote", "2.0.0", 90.0),
        PlannedWork("notes", "promote", "1.1.0", 40.0),
        PlannedWork("shop", "redeploy", "", None),
        PlannedWork("wiki", "promote", "1.0.0", None),
    ]
)
TRYING = PLANNED.with_result("blog", "promoted", NOW).with_step("notes", "1.1.0: upgrade", 40.0, NOW)
NOBODY = RunningNow(None)


def alive(progress: PassProgress) -> RunningNow:
    return RunningNow(SeenPass(progress, is_alive=True))


def died(progress: PassProgress) -> RunningNow:
    return RunningNow(SeenPass(progress, is_alive=False))


def texts(before: RunningNow | None, after: RunningNow, end: Event | None = None) -> list[str]:
    """Return the lines of changes without their time."""
    return [line.split("  ", 1)[1] for line in change_lines(before, after, end, NOW)]


def test_the_screen_names_what_runs_what_is_left_and_what_is_done() -> None:
    assert running_lines(alive(TRYING), LATER, PLAIN) == [
        "pass p1 (timer) runs since 2026-03-02 04:00:00 UTC, 1 min 15 s",
        "NOW    RELEASE  DOING    FOR         IN ALL      LAST TIME",
        "notes  1.1.0    upgrade  1 min 15 s  1 min 15 s  40 s",
        "left: shop (repair), wiki 1.0.0 (no time known)",
        "done: 1 of 4: blog promoted",
    ]
    assert running_line(TRYING, LATER).endswith("1 min 15 s: notes 1.1.0 upgrade")


def test_the_screen_says_how_long_the_steps_that_are_left_took_last_time() -> None:
    lines = running_lines(alive(PLANNED), LATER, PLAIN)
    assert lines[1] == "it is between two steps"
    assert lines[2].startswith("left: blog 2.0.0 (last time 1 min 30 s), notes 1.1.0 (last time 40 s), shop (repair)")
    assert lines[2].endswith("; together 2 min 10 s last time")


def test_the_screen_names_what_the_budget_leaves_to_a_later_pass() -> None:
    lines = running_lines(alive(BEGUN.with_plan([], ("blog", "notes"))), NOW, PLAIN)
    assert lines[2:] == ["over budget, left to a later pass: blog, notes"]


def test_before_the_plan_and_after_its_last_step_the_screen_says_what_a_pass_does_then() -> None:
    assert running_lines(alive(BEGUN), NOW, PLAIN)[1:] == [
        "it asks upstreams and updates mirrors; the plan is not made yet"
    ]
    assert running_lines(alive(BEGUN.with_plan([])), NOW, PLAIN)[1:] == [
        "nothing is to be done; it looks once more at what is there"
    ]
    one = BEGUN.with_plan(PLANNED.left[:1]).with_result("blog", "red", NOW)
    assert running_lines(alive(one), NOW, PLAIN)[1:] == [
        "it looks once more at what is there",
        "done: 1 of 1: blog red",
    ]


def test_a_pass_that_died_is_never_shown_as_running() -> None:
    (line,) = running_lines(died(TRYING), LATER, PLAIN)
    assert line.startswith("no pass runs; the one that began on 2026-03-02 04:00:00 UTC died (notes 1.1.0 upgrade)")
    held = evolve(died(TRYING), holder="pid 7 (reconcile prove)")
    assert running_lines(held, LATER, PLAIN)[0].endswith("; the pass lock is held by pid 7 (reconcile prove)")
    assert "runs since" not in running_lines(held, LATER, PLAIN)[0]


def test_a_pass_that_cannot_be_seen_from_here_is_shown_neither_as_running_nor_as_dead() -> None:
    (line,) = running_lines(RunningNow(SeenPass(BEGUN, is_alive=None)), LATER, PLAIN)
    assert line.startswith("no pass is seen to run; the one that began on 2026-03-02 04:00:00 UTC may still run")


def test_hostile_text_reaches_no_terminal() -> None:
    evil = BEGUN.with_step("notes", "\x1b[2Jtrying", None, NOW)
    shown = [*running_lines(alive(evil), NOW, PLAIN), *change_lines(None, alive(evil), None, NOW)]
    assert not any("\x1b" in line for line in shown)


def test_each_change_is_one_line_and_no_change_is_none() -> None:
    assert texts(None, NOBODY) == ["no pass runs"]
    assert texts(NOBODY, NOBODY) == []
    assert texts(NOBODY, alive(BEGUN)) == ["pass p1 (timer) runs since 2026-03-02 04:00:00 UTC"]
    assert texts(alive(BEGUN), alive(BEGUN.with_plan([]))) == ["planned: nothing is to be done"]
    assert texts(alive(BEGUN), alive(PLANNED))[0].startswith("planned: blog 2.0.0 (last time 1 min 30 s), ")
    assert texts(alive(PLANNED), alive(TRYING)) == ["blog: promoted", "notes 1.1.0 upgrade (last time 40 s)"]
    assert texts(alive(TRYING), alive(TRYING)) == []


def test_the_end_of_a_pass_has_the_results_that_were_not_seen_and_how_it_ended() -> None:
    body = {"results": {"blog": "promoted", "notes": "red"}}
    end = Event(9, NOW, "pass-end", "", "", "pass-end", "", "exit code 4: 2 tried", body)
    assert texts(alive(TRYING), NOBODY, end) == ["notes: red", "pass p1 is over: exit code 4: 2 tried", "no pass runs"]
    assert texts(alive(TRYING), died(TRYING))[0] == "pass p1 is over: it recorded no end"
    following = evolve(BEGUN, pass_id="p2")
    assert texts(alive(TRYING), alive(following), end)[1:] == [
        "pass p1 is over: exit code 4: 2 tried",
        "pass p2 (timer) runs since 2026-03-02 04:00:00 UTC",
    ]


HELD = RunningNow(None, "pid 7 (reconcile)")


def test_a_pass_that_is_no_longer_seen_is_over_only_if_something_says_so() -> None:
    unseen = "pass p1 is no longer seen; perhaps it cannot write what it does"
    hidden = RunningNow(SeenPass(TRYING, is_alive=None))
    assert texts(alive(TRYING), HELD) == [f"{unseen}; the pass lock is held by pid 7 (reconcile)"]
    assert texts(alive(TRYING), hidden) == ["pass p1 is no longer seen; its process cannot be seen from here"]
    over = "pass p1 is over: it recorded no end"
    for after in (NOBODY, died(TRYING), evolve(died(TRYING), holder="pid 7"), alive(evolve(BEGUN, pass_id="p2"))):
        assert texts(alive(TRYING), after)[0] == over


def test_the_end_of_a_pass_that_was_no_longer_seen_is_told_when_it_comes() -> None:
    end = Event(9, NOW, "pass-end", "", "", "pass-end", "", "exit code 4: 2 tried", {"results": {"notes": "red"}})
    unseen = with_unseen(alive(TRYING), HELD, None)
    assert texts(unseen, with_unseen(unseen, HELD, None)) == []
    ended = with_unseen(unseen, NOBODY, end)
    assert texts(unseen, ended, end) == ["notes: red", "pass p1 is over: exit code 4: 2 tried", "no pass runs"]
    assert texts(ended, NOBODY) == []


def test_a_pass_that_is_seen_again_is_told_without_what_was_told_before() -> None:
    unseen = with_unseen(alive(PLANNED), HELD, None)
    again = with_unseen(unseen, alive(TRYING), None)
    assert texts(unseen, again) == [
        "pass p1 (timer) runs since 2026-03-02 04:00:00 UTC",
        "blog: promoted",
        "notes 1.1.0 upgrade (last time 40 s)",
    ]
    assert texts(again, alive(TRYING)) == []


def test_status_has_a_line_if_a_pass_may_run_that_is_not_seen() -> None:
    assert status_line(NOBODY, NOW) == status_line(died(TRYING), NOW) == ""
    assert status_line(HELD, NOW) == "no pass is seen to run; the pass lock is held by pid 7 (reconcile)"
    assert "may still run" in status_line(RunningNow(SeenPass(TRYING, is_alive=None)), NOW)
    assert status_line(alive(TRYING), LATER) == running_line(TRYING, LATER)


@given(st.integers(0, 60), st.integers(1, 40))
def test_what_does_not_fit_on_the_screen_is_counted(count: int, height: int) -> None:
    lines = [str(number) for number in range(count)]
    shown = fitting(lines, height)
    assert len(shown) == min(count, height)
    if count > height:
        assert shown[-1] == f"… {count - height + 1} more lines: reconcile status"
