"""A trial by hand of a release whose promotion depends on ways, in a world in memory."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve

from desired.model import Upgrade, WayName, Ways
from reconciler.cli.trial_answer import code_of_trial
from reconciler.core.exit_codes import COULD_NOT, NEEDS_PERSON
from reconciler.ports.commands import CommandResult
from reconciler.show.documents.junit import junit
from tests.gated_ways import GOOD, by_hand, passed, reds, version, ways_in_ledger
from tests.ways_world import NEWER, OLDER, TIMED_OUT, WaysWorld
from tests.world import World


@pytest.mark.parametrize(
    ("older", "answers", "code", "element"),
    [
        (set(), [], 0, []),
        ({"exits"}, [], NEEDS_PERSON, ["failure"]),
        ({"loses"}, [TIMED_OUT, TIMED_OUT], COULD_NOT, ["error"]),
    ],
)
def test_a_trial_by_hand_tries_the_gates_and_remembers_nothing(
    tmp_path: Path, older: set[str], answers: list[CommandResult], code: int, element: list[str]
) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK)
    notes.older, notes.answers[OLDER, "check MARK_ID"] = older, [*answers]
    notes.answers[NEWER, "check"] = [None, None, None, *answers] if answers else []
    tested = by_hand(notes)
    assert (code_of_trial(tested), reds(notes), version(notes)) == (code, [], OLDER)
    suite = ET.fromstring(junit(tested.trial, tested.ways, tested.conditions))  # noqa: S314  we have just made it
    [case] = [each for each in suite if each.get("name") == "back"]
    assert [child.tag for child in case] == element
    assert int(suite.get("failures", "")) == element.count("failure")
    before = code_of_trial(evolve(tested, trial=evolve(tested.trial, tiers=tested.trial.tiers[:1])))
    assert before == 0


def test_a_trial_by_hand_goes_back_to_the_release_to_which_a_pass_would(tmp_path: Path) -> None:
    notes = WaysWorld.gated(tmp_path, WayName.BACK, upgrade=Upgrade("0.5.0", reason="its tag is gone since"))
    notes.older = {"exits"}
    tested = by_hand(notes)
    assert (tested.trial.base.release, code_of_trial(tested)) == (None, NEEDS_PERSON)
    assert ways_in_ledger(notes) == [("back", "no")]
    passed(notes)
    assert (version(notes), ways_in_ledger(notes)) == (OLDER, [("back", "no")] * 2)


def test_a_trial_by_hand_deploys_no_unsigned_release_and_says_that_nothing_is_proved(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("notes", ways=Ways(gates=(WayName.BACK,)), signed=True)
    older = world.tag("notes", OLDER)
    world.signatures[world.tag("notes", NEWER)] = GOOD
    world.state.create()
    tested = by_hand(WaysWorld(world))
    assert tested.trial.base.release is None
    assert code_of_trial(tested) == COULD_NOT
    assert older not in {commit for _, _, commit in world.deployed}
    [back] = tested.ways
    assert back.reason == f"{OLDER} is not deployed: its tag is unsigned: the tag has no signature"
