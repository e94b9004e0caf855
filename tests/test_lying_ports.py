"""One port call of a trial or a promotion returns success without its effect: no label may then claim too much."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from desired.model import Data
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Row
from state.state_errors import RegistryError
from tests.folders import entries_below, scratch_folder
from tests.harmless_lies import EFFECTS, HARMLESS, KEPT
from tests.lying_ports import (
    NEVER_FAIL,
    OTHER,
    OWN,
    ActsOnOtherRecipe,
    DoesNothing,
    RaisesError,
    UnpacksRecordedSnapshot,
)
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.state_checks import false_claims, leftovers
from tests.world import Behaviour, World

Answer = Callable[[Call, CarryOut], object]
LIES: Mapping[str, Callable[[World], Answer]] = {"nothing": DoesNothing, "elsewhere": ActsOnOtherRecipe}
SUCCESS = {Result.PROMOTED, Result.REPAIRED}


def upgradable(root: Path, behaviour: Behaviour | None = None, data: Data | None = None) -> World:
    """Return a world of two recipes with canonicals at 1.0.0 and releases 1.1.0; `behaviour` is that of OWN 1.1.0."""
    world = World(root)
    for name in (OWN, OTHER):
        world.declare(name, **({"data": data} if data is not None else {}))
        world.tag(name, "1.0.0")
    world.run()
    world.tag(OWN, "1.1.0", behaviour)
    world.tag(OTHER, "1.1.0")
    return world


def copied(root: Path) -> World:
    """Return a copy of that world, as in the tests: a pass checks and records the files of a copied folder again."""
    return upgradable(root / "template").copy(root / "copy")


def bound(root: Path) -> World:
    """Return a world in which 1.1.0 passes its trial but does not come up from its candidate. No check is declared."""
    return upgradable(root, Behaviour(is_bound=True), Data())


def calls_of_an_upgrade(make: Callable[[Path], World]) -> tuple[list[Call], list[Call]]:
    """Return the calls of the trial and of the promotion, which includes reading back and recording."""
    with scratch_folder() as root:
        world = make(root)
        recorder = world.wrap = CallRecorder(unrecorded=frozenset({"clock"}))
        world.run(OWN)
    names = [str(call.args[1]) if call.name == "progress.step" else call.name for call in recorder.calls]
    parts = names.index("trying 1.1.0"), names.index("registry.begin"), names.index("progress.done")
    trial, promotion = recorder.calls[parts[0] : parts[1]], recorder.calls[parts[1] : parts[2]]
    return [each for each in trial if each.port != "progress"], [each for each in promotion if each.port != "progress"]


TRIAL, PROMOTION = calls_of_an_upgrade(copied)
PROMOTION_THAT_FAILS = calls_of_an_upgrade(bound)[1]


# It only returns the time that the release asks for to become ready.
FIRST_STATUS = next(str(call) for call in PROMOTION if call.name == "driver.status")


@pytest.fixture(scope="module")
def template() -> Iterator[World]:
    with scratch_folder() as root:
        yield upgradable(root)


@pytest.fixture
def world(template: World) -> Iterator[World]:
    with scratch_folder() as root:
        yield template.copy(root)


def lying_pass(world: World, liar: Answer, at: Call) -> Row:
    """Run a pass over OWN in which `liar` answers one call, and return its row."""

    def answer(call: Call, honest: CarryOut) -> object:
        return liar(call, honest) if str(call) == str(at) else honest()

    recorder = world.wrap = CallRecorder(answer)
    try:
        done = world.run(OWN)
    finally:
        world.wrap = lambda _, port: port
    assert str(at) in {str(call) for call in recorder.calls}
    return done.report.rows[0]


def failing_pass(world: World, *, after: bool, at: Call) -> Row | None:
    """Run a pass in which one call fails, and return its row; None if the failure of the registry ends the pass."""
    try:
        return lying_pass(world, RaisesError(after=after), at)
    except RegistryError:
        assert at.port == "registry"
        return None


def is_true(world: World, name: str) -> bool:
    """Whether the canonical of `name` is its 1.1.0 in every respect, by the files alone."""
    have = world.records().canonicals[name]
    right = (have.version, have.commit) == ("1.1.0", world.origins[name].tags["1.1.0"])
    return (
        right
        and false_claims(world.state, have) == []
        and world.lived(name) == ("1.0.0", "1.1.0")
        and world.rises(have)
    )


def nothing_of(world: World, name: str) -> bool:
    """Whether `name` has no running app, no slot and no open intent."""
    records = world.records()
    open_intents = [intent for intent in records.intents if intent.recipe == name]
    return not world.running and not (world.state.work / name).exists() and not open_intents


@pytest.mark.parametrize("at", PROMOTION, ids=str)
@pytest.mark.parametrize("lie", LIES)
def test_a_promotion_with_one_lying_call_is_reported_only_if_it_is_true(world: World, lie: str, at: Call) -> None:
    old = world.records().canonicals
    others = entries_below(world.state.canonical(OTHER, 1))

    row = lying_pass(world, LIES[lie](world), at)

    if at.name in HARMLESS[lie] or str(at) == FIRST_STATUS:
        assert row.result is Result.PROMOTED
        assert is_true(world, OWN)
        assert nothing_of(world, OWN)
    else:
        assert row.result is Result.GREEN_NOT_PROMOTED
    assert false_claims(world.state, world.records().canonicals[OWN]) == []
    assert false_claims(world.state, old[OWN]) == []
    assert world.rises(old[OWN])
    assert world.records().canonicals[OTHER] == old[OTHER]
    assert entries_below(world.state.canonical(OTHER, 1)) == others


@pytest.mark.parametrize("at", PROMOTION, ids=str)
@pytest.mark.parametrize("lie", LIES)
def test_one_pass_without_a_lie_promotes_everything_and_leaves_nothing_behind(world: World, lie: str, at: Call) -> None:
    row = lying_pass(world, LIES[lie](world), at)
    fell = row.step.held_back is HeldBack.RED_BEFORE

    world.run(retry=[OWN] if fell else [])

    assert is_true(world, OWN)
    if (stray := world.state.slot(OTHER)).exists():
        # The lie made this folder without a lock: Canon takes it for a person's until it is moved away.
        assert (lie, at.name) == ("elsewhere", "driver.load")
        stray.rename(world.root / "away")
        world.run()
    if (lie, at.name) == ("elsewhere", "registry.remember"):
        # The lie replaced the recorded tags of the other recipe by those of OWN, so they seem to have moved.
        assert world.look(OTHER).rows[0].step.held_back is HeldBack.QUARANTINED
    else:
        assert is_true(world, OTHER)
    assert leftovers(world.state, world.running) == KEPT.get((lie, at.name), [])


@pytest.mark.parametrize("at", [each for each in PROMOTION if each.name not in NEVER_FAIL], ids=str)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_promotion_with_one_failing_call_is_reported_as_it_is_and_repaired(
    world: World, at: Call, *, after: bool
) -> None:
    old = world.records().canonicals

    row = failing_pass(world, after=after, at=at)

    new = world.records().canonicals[OWN]
    assert row is None or row.result not in SUCCESS or new != old[OWN]
    assert new == old[OWN] or is_true(world, OWN)
    assert false_claims(world.state, old[OWN]) == []
    fell = row is not None and row.step.held_back is HeldBack.RED_BEFORE
    world.run(retry=[OWN] if fell else [])
    assert is_true(world, OWN)
    assert is_true(world, OTHER)
    assert leftovers(world.state, world.running) == []


def test_a_candidate_is_not_proved_by_the_snapshot_before_it(world: World) -> None:
    (unpacking,) = [call for call in PROMOTION if call.name == "snapshots.unpack"]
    assert lying_pass(world, UnpacksRecordedSnapshot(world), unpacking).result is Result.GREEN_NOT_PROMOTED


@pytest.mark.parametrize("at", PROMOTION_THAT_FAILS, ids=str)
def test_a_candidate_that_does_not_come_up_is_never_promoted_whatever_call_lies(at: Call) -> None:
    with scratch_folder() as root:
        world = bound(root)
        old = world.records().canonicals[OWN]

        row = lying_pass(world, DoesNothing(world), at)

        assert row.result is Result.GREEN_NOT_PROMOTED
        assert world.records().canonicals[OWN] == old


@pytest.mark.parametrize(
    ("lie", "at"),
    [(lie, at) for lie in LIES for at in TRIAL if lie == "nothing" or at.method in EFFECTS],
    ids=str,
)
def test_a_trial_in_which_one_call_lies_promotes_only_what_is_true(world: World, lie: str, at: Call) -> None:
    old = world.records().canonicals

    row = lying_pass(world, LIES[lie](world), at)

    have = world.records().canonicals[OWN]
    assert (have != old[OWN]) is (row.result in SUCCESS)
    assert have == old[OWN] or is_true(world, OWN)
    assert world.restless == []
    assert false_claims(world.state, old[OWN]) == []
    assert world.records().canonicals[OTHER] == old[OTHER]
    assert nothing_of(world, OWN)
