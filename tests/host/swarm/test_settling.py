"""When a stack counts as up although nothing happens any more: its tasks only have to run for long enough."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from tests.host.swarm.drawn_stacks import Drawn, seen, stacks

MOMENT = 0.001


@given(stacks(), st.floats(-40, 5))
def test_a_stack_is_up_once_the_time_is_over_that_its_health_names_and_not_before(
    stack: Sequence[Drawn], later: float
) -> None:
    health = seen(stack, later)
    event("never" if health.settles_in is None else f"waits: {health.settles_in > timedelta()}")
    if health.settles_in is None:
        assert health.pending
        return
    seconds = health.settles_in.total_seconds()
    assert not seen(stack, later + seconds + MOMENT).pending
    assert seconds == 0 or seen(stack, later + seconds - MOMENT).pending
