"""Rollbacks: what they prove before the record goes back, where it stays, and that kills in the middle lose nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

from desired.model import CanonicalPolicy, Keep
from reconciler.core.events import events_of
from reconciler.core.holds import rollback_text
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Row
from reconciler.errors import CanonError, InfrastructureError, RecipeError, UsageError
from state.records import Canonical
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import generations_present
from tests.folders import scratch_folder
from tests.ledger_lines import ledger_lines
from tests.port_calls import Call, CallRecorder, CarryOut, KillPoint, killed_run
from tests.promotion.broken_generations import (
    cut,
    fails_to_start,
    lacks_the_commit,
    loses_data,
    writes_into_its_checkout,
)
from tests.promotion.kept_world import kept_versions
from tests.rolled_back import go_back
from tests.state_checks import leftovers
from tests.world import World

BOTH = ("1.0.0", "1.1.0")


def built(root: Path, **declared: object) -> World:
    """A recipe with the generations 1 (1.0.0) and 2 (1.1.0)."""
    world = World(root)
    world.declare("notes", **declared)
    for version in BOTH:
        world.tag("notes", version)
        world.run()
    return world


def kept_running(root: Path) -> World:
    return built(root, driver="swarm", canonical=CanonicalPolicy(keep=Keep.RUNNING))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return built(tmp_path)


def have(world: World) -> Canonical:
    return world.records().canonicals["notes"]


def the_row(world: World) -> Row:
    [row] = world.run().report.rows
    return row


# ---- back ----


def test_the_record_goes_back_to_the_older_release_with_its_data_and_evidence(world: World) -> None:
    older, newer = (world.host().registry.generations("notes")[at] for at in (1, 0))
    world.origins["notes"].down = "no answer"
    went = go_back(world)
    assert have(world) == went
    assert (went.version, went.commit, went.generation, went.copy_of) == ("1.0.0", older.commit, 3, 1)
    assert (went.lineage, went.evidence) == (("1.0.0",), older.evidence)
    assert world.lived("notes") == ("1.0.0",)
    assert world.rises(went)
    assert world.host().registry.generations("notes") == (went, newer, older)
    assert [*world.state.work.iterdir(), *world.running] == []
    [line] = ledger_lines(SqliteRegistry(world.state.database), "notes", "rolled-back")
    said = {"who": "maria", "reason": "it loses mails", "from": 2, "copy_of": 1, "left": "1.1.0", "generation": 3}
    assert said.items() <= line.entry.body.items()


def test_a_rolled_back_recipe_stays_until_a_release_newer_than_the_left_one_appears(world: World) -> None:
    go_back(world)
    for _ in range(2):
        row = the_row(world)
        assert (row.result, row.step.held_back, have(world).version) == (Result.NONE, HeldBack.HELD, "1.0.0")
    assert world.look().exit_code == 0
    world.tag("notes", "1.1.1")
    assert the_row(world).result is Result.PROMOTED
    assert world.lived("notes") == have(world).lineage == ("1.0.0", "1.1.1")
    assert the_row(world).step.hold is None
    assert world.records().rollbacks == {}


def test_after_a_person_resumed_it_the_release_that_was_left_is_tried_again(world: World) -> None:
    go_back(world)
    registry = SqliteRegistry(world.state.database)
    registry.end_decisions([*registry.read().rollbacks.values()], [])
    assert the_row(world).result is Result.PROMOTED
    assert world.lived("notes") == BOTH


def test_a_second_rollback_goes_further_back_and_keeps_both_releases_away(tmp_path: Path) -> None:
    world = built(tmp_path, canonical=CanonicalPolicy(generations=4))
    world.tag("notes", "1.2.0")
    world.run()
    assert [go_back(world).version, go_back(world).version] == ["1.1.0", "1.0.0"]
    assert the_row(world).result is Result.NONE
    kept = world.records().rollbacks["notes"]
    assert (kept.from_version, kept.version, kept.left) == ("1.1.0", "1.0.0", "1.2.0")
    with pytest.raises(CanonError, match=r"no intact generation of a release before 1\.0\.0") as caught:
        go_back(world)
    assert caught.value.hint.startswith("stored generations: 5 (1.0.0, intact), 4 (1.1.0, intact), 3 (1.2.0, intact)")
    assert go_back(world, to=3).version == "1.2.0"
    back, lines = world.records().rollbacks["notes"], world.host().registry.lines(kind="rolled-back")
    assert rollback_text(back).startswith("rolled back from 1.0.0 to 1.2.0 by maria")
    assert "until a release newer than 1.2.0, or: " in rollback_text(back)
    told = [each.text.partition("; ")[2] for each in events_of(lines)]
    assert told == [
        "1.2.0 was left: it loses mails",
        "1.1.0 was left, until a release newer than 1.2.0: it loses mails",
        "1.0.0 was left, until a release newer than 1.2.0: it loses mails",
    ]


def test_a_kept_deployment_follows(tmp_path: Path) -> None:
    world = kept_running(tmp_path)
    go_back(world)
    assert kept_versions(world) == {"notes/notes": "1.0.0"}
    assert the_row(world).finding.status.state is State.INTACT
    assert kept_versions(world) == {"notes/notes": "1.0.0"}


@pytest.mark.parametrize(
    ("harm", "error", "to"),
    [
        (cut, CanonError, 1),
        (fails_to_start, RecipeError, None),
        (loses_data, RecipeError, None),
        (writes_into_its_checkout, RecipeError, None),
        (lacks_the_commit, InfrastructureError, None),
        (lambda _: None, UsageError, 2),
        (lambda _: None, UsageError, 9),
    ],
)
def test_a_generation_that_fails_its_check_is_not_made_the_canonical(
    world: World, harm: Callable[[World], None], error: type[CanonError], to: int | None
) -> None:
    harm(world)
    before = world.records()
    with pytest.raises(error):
        go_back(world, to=to)
    after = world.records()
    assert (after.canonicals, after.intents, after.rollbacks) == (before.canonicals, (), {})
    assert generations_present(world.state.generations("notes")) == (1, 2)
    assert leftovers(world.state, world.running) == []
    assert world.look().exit_code == 0


def test_a_copy_that_is_not_what_was_sealed_is_not_recorded(world: World) -> None:
    """The disk loses bytes between the check and the copy."""

    def harm_before_copy(call: Call, honest: CarryOut) -> object:
        if call.name == "snapshots.copy":
            cut(world)
        return honest()

    world.wrap = CallRecorder(harm_before_copy)
    before = have(world)
    with pytest.raises(Exception, match="reads back differently"):
        go_back(world)
    assert (have(world), world.records().intents) == (before, ())
    assert generations_present(world.state.generations("notes")) == (1, 2)


# ---- killed ----


@frozen
class RolledBackWorld:
    """What a user sees after a rollback and one more pass."""

    version: str
    lived: tuple[str, ...]
    deployed: dict[str, str]
    rolled_back: bool
    exit_code: int
    left: list[str]


def end_of(world: World) -> RolledBackWorld:
    code = world.run().report.exit_code
    version, is_back = have(world).version, bool(world.records().rollbacks)
    inside = {app for app in world.running if app.is_relative_to(world.state.kept)}
    left = leftovers(world.state, world.running.keys() - inside)
    return RolledBackWorld(version, world.lived("notes"), kept_versions(world), is_back, code, left)


BACK = RolledBackWorld("1.0.0", ("1.0.0",), {"notes/notes": "1.0.0"}, rolled_back=True, exit_code=0, left=[])
STAYED = RolledBackWorld("1.1.0", BOTH, {"notes/notes": "1.1.0"}, rolled_back=False, exit_code=0, left=[])


def test_a_rollback_killed_at_any_port_call_is_undone_or_done_by_the_next_pass() -> None:
    with scratch_folder() as root:
        template, twin = kept_running(root / "template"), root / "twin"
        undisturbed = template.copy(twin)
        undisturbed.wrap = recorder = CallRecorder()
        go_back(undisturbed)
        commit = [call.name for call in recorder.calls].index("registry.roll_back") + 1
        assert commit > 10
        # Between two calls nothing is done that lasts: the moment before a call is the moment after the one before it.
        for number in range(1, len(recorder.calls) + 1):
            world = template.copy(root / str(number))
            assert killed_run(world, KillPoint(number, after=True), go_back)
            assert end_of(world) == (BACK if number >= commit else STAYED), recorder.calls[number - 1]


def test_a_killed_rollback_is_named_as_one_by_the_pass_that_undoes_it(world: World) -> None:
    recorder = CallRecorder()
    twin = world.copy(world.root.parent / "twin")
    twin.wrap = recorder
    go_back(twin)
    number = [call.name for call in recorder.calls].index("snapshots.copy") + 1
    assert killed_run(world, KillPoint(number, after=True), go_back)
    notes = world.run().report.notes
    assert "notes: the rollback to 1.0.0, begun by a dead command, was undone" in notes
    assert go_back(world).version == "1.0.0"
