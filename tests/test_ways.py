"""What ways conclude, over an app in a world in memory whose releases do as asked."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from attrs import define, evolve

from desired.model import TierName, WayName, Ways
from desired.releases import Release, Signature
from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import Options
from reconciler.cli.trial_command import Asked, _ready, _run
from reconciler.core.report import ReportCommand
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import way_text
from reconciler.errors import InfrastructureError, InterruptedPassError
from reconciler.ports.commands import CommandResult
from reconciler.ports.storage import Registry
from reconciler.stages.observe import observe
from reconciler.stages.planning import RunRequest
from reconciler.stages.proof import prove
from reconciler.stages.ways_of_canonicals import try_ways
from state.records import KnownTag
from tests.ways_world import NEWER, OLDER, TIMED_OUT, WaysWorld
from tests.world import World
from tests.world_mirrors import WorldMirrors

NO, ERROR = WayAnswer.NO, WayAnswer.ERROR
GOOD = Signature(signer="ada (ABCD)")


@pytest.fixture
def notes(tmp_path: Path) -> WaysWorld:
    return WaysWorld.upgraded(tmp_path)


@pytest.mark.parametrize(
    ("older", "kind"),
    [
        ({"exits"}, "refuses"),
        ({"loses"}, "loses"),
        ({"loses", "exits"}, "loses"),
        ({"damages"}, "damages"),
        ({"damages", "exits"}, "damages"),
        ({"spoils", "exits"}, "breaks"),
    ],
)
def test_the_newer_release_tells_what_became_of_the_data_also_if_the_older_one_exits(
    notes: WaysWorld, older: set[str], kind: str
) -> None:
    notes.older = older
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.kind) == (NO, kind), back


@pytest.mark.parametrize(
    ("release", "check", "earlier"),
    [(OLDER, "check", 0), (OLDER, "check MARK_ID", 0), (NEWER, "check", 0), (NEWER, "check MARK_ID", 2)],
)
def test_a_check_that_times_out_once_does_not_change_what_is_told_of_the_data(
    notes: WaysWorld, release: str, check: str, earlier: int
) -> None:
    notes.older = {"loses"}
    notes.answers[release, check] = [*[None] * earlier, TIMED_OUT]
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.kind) == (NO, "loses"), back


@pytest.mark.parametrize("release", [OLDER, NEWER])
def test_a_check_that_times_out_twice_proves_nothing_of_the_data(notes: WaysWorld, release: str) -> None:
    notes.older = {"loses"}
    notes.answers[release, "check" if release == NEWER else "check MARK_ID"] = [TIMED_OUT, TIMED_OUT]
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.kind) == (ERROR, None), back
    assert "not done in time" in back.reason


def test_data_that_the_older_release_damaged_when_it_took_too_long_is_told_although_it_does_not_the_next_time(
    notes: WaysWorld,
) -> None:
    def be_slow_once() -> None:
        older = notes.commit_of(OLDER)
        notes.world.behaviours[older] = evolve(notes.world.behaviours[older], slow_in=1)
        notes.older = {"damages"}
        notes.on_older = notes.older.clear

    notes.on_older = be_slow_once
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.kind, notes.older) == (NO, "damages", set()), back


def test_a_release_that_does_not_come_up_after_a_clean_stop_is_not_said_to_be_killed(notes: WaysWorld) -> None:
    notes.stop_spoils = True
    [stop] = notes.tried(WayName.STOP)
    assert stop.stop is not None
    assert (stop.answer, stop.kind, stop.stop.killed) == (NO, "no-restart", ())
    assert "kill" not in way_text(stop)


@pytest.mark.parametrize(("kills", "answer", "kind"), [(1, WayAnswer.YES, None), (99, NO, "killed")])
def test_a_release_that_has_to_be_killed_is_stopped_once_more(
    notes: WaysWorld, kills: int, answer: WayAnswer, kind: str | None
) -> None:
    notes.kills = kills
    [stop] = notes.tried(WayName.STOP)
    assert (stop.answer, stop.kind) == (answer, kind), stop


def test_a_check_that_times_out_twice_after_a_stop_does_not_show_that_data_is_lost(notes: WaysWorld) -> None:
    notes.answers[NEWER, "check MARK_ID"] = [None, None, TIMED_OUT] * 2
    [stop] = notes.tried(WayName.STOP)
    assert (stop.answer, stop.kind) == (ERROR, None), stop


def test_an_older_release_whose_tag_is_unsigned_is_never_deployed_until_it_is_signed(tmp_path: Path) -> None:
    notes = WaysWorld.upgraded(tmp_path)
    notes.world.signatures[notes.commit_of(NEWER)] = GOOD
    notes.world.declare("notes", signed=True)
    before = len(notes.world.deployed)
    back, stop = notes.tried(WayName.BACK, WayName.STOP)
    assert (back.answer, stop.answer) == (WayAnswer.SKIP, WayAnswer.YES)
    assert back.reason == f"{OLDER} is not deployed: its tag is unsigned: the tag has no signature"
    assert OLDER not in {version for _, version, _ in notes.world.deployed[before:]}
    assert notes.tried(WayName.BACK, WayName.STOP) == []
    notes.world.signatures[notes.commit_of(OLDER)] = GOOD
    [back] = notes.tried(WayName.BACK, WayName.STOP)
    assert (back.answer, back.base) == (WayAnswer.YES, Release(OLDER, notes.commit_of(OLDER)))


@pytest.mark.parametrize("has_moved", [True, False])
def test_the_way_back_of_a_canonical_leads_to_what_it_was_upgraded_from_though_that_tag_moved_or_went(
    notes: WaysWorld, *, has_moved: bool
) -> None:
    before = notes.commit_of(OLDER)
    known = {"0.9.0": notes.world.tag("notes", "0.9.0"), NEWER: notes.commit_of(NEWER)}
    if has_moved:
        known[OLDER] = notes.world.tag("notes", OLDER)
    else:
        del notes.world.origins["notes"].tags[OLDER]
    tags = {tag: KnownTag(commit, notes.world.now) for tag, commit in known.items()}
    registry = notes.world.host().registry
    registry.remember([evolve(registry.read().memories["notes"], known=tags)], [])
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.base) == (WayAnswer.YES, Release(OLDER, before))


@define
class UncheckableMirrors(WorldMirrors):
    """Mirrors of which that of `notes` cannot be asked for signatures."""

    def signatures(self, name: str, releases: Sequence[Release]) -> Mapping[str, Signature]:
        if name == "notes":
            raise InfrastructureError("gpg is not on this host")
        return super().signatures(name, releases)


def test_a_recipe_whose_ways_cannot_be_chosen_is_noted_and_the_others_go_on(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, "notes", "wiki")
    for name in ("notes", "wiki"):
        world.signatures[world.tag(name, NEWER)] = world.signatures[world.origins[name].tags[OLDER]] = GOOD
    world.run()
    for name in ("notes", "wiki"):
        world.declare(name, signed=True, ways=Ways((WayName.BACK,)))
    world.wrap = lambda name, port: UncheckableMirrors(world) if name == "mirrors" else port
    note = "notes: its ways could not be tried: gpg is not on this host"
    assert note in world.look().notes
    proof = prove(world.host(), RunRequest(world.fleet, tuple(world.recipes), ReportCommand.PASS))
    assert proof.unseen == {"notes": note.removeprefix("notes: ")}
    assert proof.exit_code != 0
    report = world.run().report
    assert note in report.notes
    assert {row.recipe: [each.way for each in row.ways] for row in report.rows} == {"notes": [], "wiki": ["back"]}


@define
class CountedRegistry:
    """A registry that counts how often it is read."""

    registry: object
    reads: list[str]

    def __getattr__(self, name: str) -> object:
        if name in {"read", "lines"}:
            self.reads.append(name)
        return getattr(self.registry, name)


def test_a_pass_without_ways_reads_nothing_for_them(tmp_path: Path) -> None:
    world, reads = World.promoted(tmp_path, "notes"), dict[str, list[str]]()
    for name, ways in (("none", Ways()), ("stop", Ways((WayName.STOP,)))):
        world.declare("notes", ways=ways)
        host = world.host()
        seen = observe(host, world.fleet, ("notes",), world.records())
        counted = CountedRegistry(host.registry, reads.setdefault(name, []))
        try_ways(evolve(host, registry=cast("Registry", counted)), world.fleet, seen, ())
    assert reads["none"] == []
    assert "read" in reads["stop"]


def test_a_trial_by_hand_that_is_interrupted_in_its_ways_keeps_what_is_finished(notes: WaysWorld) -> None:
    host, asked = notes.world.host(), Asked(None, frozenset(TierName), (WayName.BACK, WayName.STOP))
    before = len(host.registry.lines(kind="trial"))
    notes.answers[NEWER, "check MARK_ID"] = [None, None, InterruptedPassError(15)]
    context = CommandContext(Options(), notes.world.fleet, notes.world.state, ("notes",))
    with _ready(host, context, "notes", asked) as ready, pytest.raises(InterruptedPassError):
        _run(ready, asked)
    assert len(host.registry.lines(kind="trial")) == before + 1
    assert [line.entry.body["way"] for line in host.registry.lines(kind="way")] == ["back"]


def test_a_check_that_first_took_too_long_proves_nothing_of_what_is_written(notes: WaysWorld) -> None:
    notes.answers[NEWER, "check MARK_ID"] = [TIMED_OUT]
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.proves_writes) == (WayAnswer.YES, False), back
    assert "data.check cannot tell" in back.reason


def test_a_check_that_failed_much_later_than_it_passes_proves_nothing_of_what_is_written(notes: WaysWorld) -> None:
    notes.answers[NEWER, "check MARK_ID"] = [CommandResult(28, "curl: timeout"), None] * 2
    notes.slow_answers = timedelta(seconds=30)
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.proves_writes) == (WayAnswer.YES, False), back


def test_a_check_that_fails_at_once_before_and_passes_after_the_mark_proves_what_is_written(notes: WaysWorld) -> None:
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.proves_writes) == (WayAnswer.YES, True), back
