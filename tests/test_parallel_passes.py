"""A pass that tries several recipes at once reaches the state of one that tries them one after the other."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.model import CanonicalPolicy, Install, Keep
from reconciler.core.outcome import Outcome, Result
from reconciler.errors import InterruptedPassError
from reconciler.stages.loop import Pass
from tests.folders import scratch_folder
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.state_checks import false_claims, leftovers
from tests.turn_workers import TurnWorkers
from tests.world import Behaviour, World

NAMES = ("alpha", "beta", "delta", "gamma")
BEHAVIOURS: Mapping[str, Behaviour] = {
    "good": Behaviour(),
    "no start": Behaviour(starts=False),
    "breaks old data": Behaviour(breaks_lived=True),
    "loses data": Behaviour(loses_data=True),
    "fails its tests": Behaviour(passes_custom=False),
    "alters itself": Behaviour(writes_into_checkout=True),
    "slow": Behaviour(slow=True),
    "slow once": Behaviour(slow_in=1),
    # The seventh time is when the promotion deploys the candidate.
    "slow once when promoted": Behaviour(slow_in=7),
    "bound to its place": Behaviour(is_bound=True),
    "dies": Behaviour(dies=True),
}
BEHAVIOUR = st.sampled_from(["good", "good", "good", *BEHAVIOURS])


@frozen
class End:
    """All in which a pass could differ for a user; by recipe, but for the exit code."""

    results: Mapping[str, Result | None]
    canonicals: Mapping[str, tuple[int, str, str, tuple[str, ...]]]
    reds: Mapping[str, frozenset[str]]
    known: Mapping[str, frozenset[str]]
    kept: Mapping[str, str]
    exit_code: int


def end_of(world: World, done: Pass) -> End:
    """Return the end of a pass. Checks that records are proved by snapshots, and that nothing is left over."""
    records, kept = world.records(), world.state.kept
    stays = {folder: given for folder, (_, given) in world.running.items() if folder.is_relative_to(kept)}
    assert leftovers(world.state, world.running.keys() - stays.keys()) == []
    for have in records.canonicals.values():
        assert false_claims(world.state, have) == []
    return End(
        {row.recipe: row.result for row in done.report.rows},
        {name: (have.generation, have.version, have.commit, have.lineage) for name, have in records.canonicals.items()},
        {name: frozenset(memory.reds) for name, memory in records.memories.items()},
        {name: frozenset(memory.known) for name, memory in records.memories.items()},
        {str(folder.relative_to(kept)): given.version for folder, given in stays.items()},
        done.report.exit_code,
    )


def make_world(root: Path, before: Sequence[str], behaviours: Sequence[str]) -> World:
    """Return a world in which the recipes `before` have a canonical, and all a new release. gamma needs alpha."""
    world = World(root)
    world.declare("alpha", driver="swarm", canonical=CanonicalPolicy(keep=Keep.RUNNING))
    world.declare("beta", driver="swarm")
    world.declare("delta", driver="swarm")
    world.declare("gamma", driver="swarm", install=Install(needs=("alpha",)))
    for name in NAMES:
        world.tag(name, "1.0.0")
    if before:
        world.run(*before)
    for name, behaviour in zip(NAMES, behaviours, strict=True):
        world.tag(name, "2.0.0", BEHAVIOURS[behaviour])
    return world


@given(
    before=st.sets(st.sampled_from(NAMES)),
    behaviours=st.tuples(*[BEHAVIOUR] * len(NAMES)),
    parallel=st.integers(2, 4),
    lost=st.sets(st.sampled_from(NAMES), max_size=2),
    chance=st.randoms(use_true_random=False),
)
@settings(max_examples=max(8, settings().max_examples // 16))
def test_several_at_once_end_as_one_after_the_other(
    before: set[str], behaviours: Sequence[str], parallel: int, lost: set[str], chance: Random
) -> None:
    with scratch_folder() as root:
        world = make_world(root / "one", sorted(before), behaviours)
        beside = world.copy(root / "beside")
        expected = end_of(world, world.run())
        workers = TurnWorkers(beside, parallel, chance.choice, lambda name: name in lost)
        assert end_of(beside, beside.run(workers=workers)) == expected
        assert workers.most > 1


@given(st.integers(1, 400), st.randoms(use_true_random=False))
@settings(max_examples=max(4, settings().max_examples // 32))
def test_a_signal_ends_all_that_run_and_the_next_pass_goes_on(turn: int, chance: Random) -> None:
    with scratch_folder() as root:
        world = make_world(root, ["beta"], ["good"] * len(NAMES))
        done = world.run(workers=TurnWorkers(world, 3, chance.choice, interrupted_at=turn))
        assert (
            leftovers(world.state, [folder for folder in world.running if not folder.is_relative_to(world.state.kept)])
            == []
        )
        assert done.signal in {2, None}
        end = end_of(world, world.run())
        assert set(end.results.values()) <= {Result.PROMOTED, Result.REPAIRED, Result.NONE, None}
        assert {version for _, version, _, _ in end.canonicals.values()} == {"2.0.0"}


def test_a_signal_between_two_outcomes_ends_all_that_run() -> None:
    def interrupt(_: Outcome) -> None:
        raise InterruptedPassError(15)

    with scratch_folder() as root:
        world = make_world(root, [], ["good"] * len(NAMES))
        workers, still_running = TurnWorkers(world, 2, lambda names: names[0]), list[list[str]]()

        def note(call: Call, honest: CarryOut) -> object:
            if call.name == "registry.append":
                still_running.append(workers.running)
            return honest()

        world.wrap = CallRecorder(note)
        done = world.run(workers=workers, told=interrupt)
        assert (done.signal, still_running[-1]) == (15, [])
        assert leftovers(world.state, [app for app in world.running if not app.is_relative_to(world.state.kept)]) == []


@pytest.mark.parametrize("parallel", [1, 2])
def test_what_a_signal_kept_from_being_tried_is_told_as_every_outcome_is(parallel: int) -> None:
    with scratch_folder() as root:
        world = make_world(root, [], ["good"] * len(NAMES))
        told: dict[str, Result] = {}

        def interrupt_second(outcome: Outcome) -> None:
            told[outcome.step.recipe] = outcome.result
            if len(told) == 2:
                raise InterruptedPassError(15)

        workers = TurnWorkers(world, parallel, lambda names: names[0]) if parallel > 1 else None
        done = world.run(workers=workers, told=interrupt_second)
        assert done.signal == 15
        assert Result.NOT_TRIED in told.values()
        assert told == {row.recipe: row.result for row in done.report.rows}
