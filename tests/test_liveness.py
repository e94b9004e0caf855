"""What counts as ended since an app was ready."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.readiness.liveness import LONGEST_ONE_SHOT, ended_since
from reconciler.ports.app import EndedPart, NotRunning, RunningApp

FAILED = EndedPart("worker ended: exit code 3")
SHORT = EndedPart("migrate ended: exit code 0", succeeded=True, duration=timedelta(seconds=4))
LONG = EndedPart("worker ended: exit code 0", succeeded=True, duration=LONGEST_ONE_SHOT)
MOVED = EndedPart("worker was stopped from outside", is_host_fault=True, stopped=True)


def seen(*up: str, lost: str = "", **ended: EndedPart) -> RunningApp:
    return running_app(up, ended, lost)


def running_app(up: Iterable[str], ended: Mapping[str, EndedPart], lost: str = "") -> RunningApp:
    return RunningApp("1.0.0", "c" * 40, True, "http://a", "a:1", failure=lost, up=frozenset(up), ended=ended)  # noqa: FBT003


@pytest.mark.parametrize(
    ("ready", "now", "said"),
    [
        (seen("a"), seen("a"), None),
        (seen("a", b=FAILED), seen("a", b=FAILED), None),
        (seen("a"), seen("c", a=FAILED), FAILED.message),
        (seen("a"), seen("a", b=FAILED), FAILED.message),
        (seen("a"), seen("c"), "a is gone, and how it ended is unknown"),
        (seen("a"), seen("a", "b"), None),
        (seen("a", "m"), seen("a", m=SHORT), None),
        (seen("a", "w"), seen("a", w=LONG), LONG.message),
        (seen("a"), seen("a", w=LONG), None),
        (seen("a", w=LONG), seen("a", w=LONG), None),
        (seen("a"), seen(lost="web ended with exit code 3"), "web ended with exit code 3"),
        (seen("a"), NotRunning("web ended with exit code 0"), "web ended with exit code 0"),
        (seen("a"), NotRunning(), "nothing of it runs"),
        (seen("a", "b"), seen(a=FAILED, b=MOVED), MOVED.message),
        (seen("a", "b"), seen(a=FAILED, b=FAILED), FAILED.message),
    ],
)
def test_a_part_that_ended_since_the_app_was_ready_is_named(
    ready: RunningApp, now: RunningApp | NotRunning, said: str | None
) -> None:
    ending = ended_since(ready, now)
    assert (ending.message if ending else None) == said
    assert ending is None or ending.is_host_fault is (said == MOVED.message)


PARTS = st.sampled_from("abcde")


@st.composite
def looks(draw: st.DrawFn) -> RunningApp:
    up = draw(st.frozensets(PARTS))
    ended = draw(st.dictionaries(PARTS, st.sampled_from([FAILED, SHORT, LONG, MOVED])))
    return running_app(up, {part: ending for part, ending in ended.items() if part not in up})


@given(looks())
def test_nothing_ended_while_all_is_as_it_was_when_it_was_ready(ready: RunningApp) -> None:
    assert ended_since(ready, ready) is None


@given(looks(), looks())
def test_an_app_has_stayed_up_exactly_if_its_parts_are_the_same_and_none_failed(
    ready: RunningApp, now: RunningApp
) -> None:
    ending = ended_since(ready, now)
    failed = {part for part, how in now.ended.items() if not how.succeeded} - ready.ended.keys()
    gone = {part for part in ready.up - now.up if now.ended.get(part, LONG) != SHORT and part not in ready.ended}
    assert (ending is None) == (not failed and not gone)
