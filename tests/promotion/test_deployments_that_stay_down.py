"""A rollback and a trial by hand name each kept deployment that they undeployed and that is not up again."""

from pathlib import Path

import pytest
from attrs import evolve

from desired.model import CanonicalPolicy, Install, Keep, TierName
from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import Options
from reconciler.cli.rollback_command import RollbackOptions, roll_back_and_read
from reconciler.cli.trial_answer import code_of_trial
from reconciler.cli.trial_command import Asked, _ready, _tested
from reconciler.core.exit_codes import COULD_NOT, DAMAGED, IN_SYNC, NEEDS_PERSON
from reconciler.core.report import ReportCommand, Run
from reconciler.show.documents import command_documents
from reconciler.show.text.screen import Screen
from reconciler.show.text.trial_card import render_trial_notes
from state.folder.lock import hold
from tests.promotion.kept_world import kept_versions
from tests.values import HERE, NOW
from tests.world import Behaviour, World

BOTH = {"wiki/accounts": "1.0.0", "wiki/wiki": "5.0.0"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return `accounts` at 1.1.0 with the generation of 1.0.0, and `wiki`, which needs it and is kept running."""
    world = World(tmp_path)
    world.declare("accounts", driver="swarm", canonical=CanonicalPolicy(generations=3))
    kept = CanonicalPolicy(keep=Keep.RUNNING)
    world.declare("wiki", driver="swarm", canonical=kept, install=Install(needs=("accounts",)))
    world.tag("accounts", "1.0.0")
    world.tag("wiki", "5.0.0")
    world.run()
    world.tag("accounts", "1.1.0")
    world.run()
    assert kept_versions(world) == BOTH
    return world


def let_wiki_end(world: World) -> None:
    world.behaviours[world.origins["wiki"].tags["5.0.0"]] = Behaviour(starts=False)


def context(world: World) -> CommandContext:
    return CommandContext(Options(), world.fleet, world.state, tuple(world.fleet.recipes))


def rolled_back(world: World) -> tuple[str, int]:
    world.passes += 1
    with hold(world.state.lock, "test"):
        return roll_back_and_read(world.host(), context(world), "accounts", RollbackOptions("it loses mails"))


def tried(world: World) -> command_documents.Tested:
    world.passes += 1
    asked = Asked(None, frozenset(TierName), ())
    return _tested(_ready(world.host(), context(world), "accounts", asked), asked)[0]


def test_a_rollback_names_another_deployment_that_it_undeployed_and_that_is_down_now(world: World) -> None:
    let_wiki_end(world)
    line, code = rolled_back(world)
    assert kept_versions(world) == {}
    assert code == DAMAGED
    assert line.startswith("accounts: rolled back to 1.0.0, generation 1, recorded as generation 3, read back; ")
    assert line.endswith("; wiki: its deployment is down (it could not be deployed: wiki 5.0.0 is not ready: it ended)")
    assert world.look().exit_code == DAMAGED


def test_a_rollback_after_which_all_is_up_again_names_nothing_else(world: World) -> None:
    line, code = rolled_back(world)
    assert (kept_versions(world), code) == (BOTH, IN_SYNC)
    assert "wiki" not in line


def test_a_rollback_that_cannot_see_what_is_deployed_does_not_call_it_down(world: World) -> None:
    world.unasked = "no engine answers"
    line, code = rolled_back(world)
    assert code == COULD_NOT
    assert line.endswith("; wiki: its deployment cannot be observed: no engine answers")
    assert "down" not in line


def test_a_rollback_of_a_kept_recipe_names_its_own_deployment_once(world: World) -> None:
    recipe = world.recipes["accounts"]
    world.recipes["accounts"] = evolve(recipe, canonical=evolve(recipe.canonical, keep=Keep.RUNNING))
    world.lacks = "a volume is gone"
    line, code = rolled_back(world)
    assert code == DAMAGED
    assert line.count("accounts: its deployment is down (") == 1
    assert line.count("wiki: its deployment is down (") == 1


def test_a_trial_by_hand_names_a_deployment_that_is_down_afterwards_in_text_and_json(world: World) -> None:
    assert (code_of_trial(tried(world)), kept_versions(world)) == (IN_SYNC, BOTH)
    let_wiki_end(world)
    done = tried(world)
    assert kept_versions(world) == {}
    assert code_of_trial(done) == DAMAGED
    note = "wiki: its deployment is down (it could not be deployed: wiki 5.0.0 is not ready: it ended)"
    assert render_trial_notes(done.notes, Screen()) == f"\nnote: {note}\n"
    run = Run(ReportCommand.TRIAL, "pass-9", NOW, NOW, HERE, "canon-1", "fleet-1")
    assert command_documents.trial_document(run, done, DAMAGED)["notes"] == [note]


def test_a_red_trial_stays_red_beside_a_deployment_that_is_down(world: World) -> None:
    let_wiki_end(world)
    world.tag("accounts", "1.2.0", Behaviour(passes_custom=False))
    done = tried(world)
    assert (code_of_trial(done), len(done.notes)) == (NEEDS_PERSON, 1)


def test_a_pass_over_one_recipe_names_the_deployment_of_another_that_stays_down_after_its_trial(world: World) -> None:
    world.tag("accounts", "1.2.0")
    assert world.run("accounts").report.notes == ()
    let_wiki_end(world)
    world.tag("accounts", "1.3.0")
    report = world.run("accounts").report
    assert (kept_versions(world), [row.recipe for row in report.rows]) == ({}, ["accounts"])
    assert report.notes == (
        "wiki: its deployment is down (it could not be deployed: wiki 5.0.0 is not ready: it ended)",
    )
    whole = world.run().report
    assert not any("its deployment is down" in note for note in whole.notes)
    assert whole.exit_code in {COULD_NOT, DAMAGED}
