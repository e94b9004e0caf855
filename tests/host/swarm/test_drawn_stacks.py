from collections.abc import Sequence
from typing import Any

from attrs import evolve
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.swarm.services.service import is_current, service_of
from tests.host.swarm.drawn_stacks import Drawn, ago, fine, seen, stacks
from tests.host.swarm.recorded_services import PREFIX


@given(stacks())
def test_a_service_is_pending_while_fewer_tasks_run_than_are_wanted(stack: Sequence[Drawn]) -> None:
    now = seen(stack)
    event(f"pending: {bool(now.pending)}, failure: {type(now.failure).__name__}")
    for one in stack:
        policy = one.service["Spec"]["TaskTemplate"]["RestartPolicy"]["Condition"]
        good = [
            task
            for task in one.tasks
            if is_current(one.service, task)
            and (task["Status"]["State"] == "running" or (task["Status"]["State"] == "complete" and policy != "any"))
            and (task["Status"]["State"] == "complete" or task["Status"]["Timestamp"] <= ago(3))
            and task["DesiredState"] == "running"
        ]
        name = one.service["Spec"]["Name"].removeprefix(PREFIX)
        if len(good) < one.service["Spec"]["Mode"]["Replicated"]["Replicas"]:
            assert f"{name} " in now.pending


@given(stacks())
def test_a_stack_that_swarm_updates_or_gave_up_is_not_settled(stack: Sequence[Drawn]) -> None:
    now = seen(stack)
    updates = {one.service.get("UpdateStatus", {}).get("State") for one in stack} - {None, "completed"}
    if updates:
        event("updating" if updates == {"updating"} else "given up")
        assert now.pending or now.failure
    if updates - {"updating"}:
        assert now.failure


@given(stacks())
def test_a_failure_is_reported_also_beside_services_without_one(stack: Sequence[Drawn]) -> None:
    now, beside = seen(stack), seen([*stack, fine()])
    event(now.failure.message.split(":")[0][:25] if now.failure else "none")
    assert type(beside.failure) is type(now.failure)
    assert beside.pending == now.pending


@given(stacks(), st.randoms(use_true_random=False))
def test_the_order_of_services_and_tasks_does_not_change_the_answer(stack: Sequence[Drawn], chance: Any) -> None:  # noqa: ANN401
    mixed = [evolve(one, tasks=chance.sample(one.tasks, len(one.tasks))) for one in chance.sample(stack, len(stack))]
    first, second = seen(stack), seen(mixed)
    assert type(first.failure) is type(second.failure)
    assert bool(first.pending) == bool(second.pending)


@given(stacks())
def test_a_fault_of_the_host_counts_before_one_of_the_recipe(stack: Sequence[Drawn]) -> None:
    too_long = {"new": ago(60), "pending": ago(15)}
    waiting = [
        task
        for one in stack
        for task in one.tasks
        if is_current(one.service, task)
        and task["Status"]["Timestamp"] <= too_long.get(task["Status"]["State"], ago(1e6))
        and not service_of(one.service, one.tasks, "").has_stopping_task
    ]
    failure = seen(stack).failure
    if waiting:
        event("a task that waits")
        assert isinstance(failure, InfrastructureError)
    elif failure is not None:
        event("another failure")
        assert isinstance(failure, RecipeError)


@given(stacks(), st.sampled_from([1.0, 5.0, 60.0]))
def test_waiting_alone_does_not_remove_a_failure(stack: Sequence[Drawn], later: float) -> None:
    """Waiting alone never removes a failure. It may only add a fault of the host."""
    now, then = seen(stack), seen(stack, later)
    if now.failure is not None:
        assert then.failure is not None
    if not now.pending:
        assert not then.pending
