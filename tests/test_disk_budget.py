"""The budget of the disk: what trials took is remembered, and what has no room is not tried, while the next one is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.disk_budget import TrialsBeside, no_room
from reconciler.core.outcome import Result
from reconciler.core.peaks import KEPT_PEAKS, peak_of, with_peak
from reconciler.core.plan import HeldBack
from reconciler.core.report import Report, ReportCommand
from reconciler.host.disk import HostDisk, size_of
from reconciler.stages.disk_room import trials_beside
from reconciler.stages.loop import reconcile
from reconciler.stages.planning import RunRequest
from reconciler.stages.preview import preview
from reconciler.trial.peak import PeakMeter
from state.disk_use import DiskUse
from state.records import Memory
from state.registry.registry import SqliteRegistry
from tests.turn_workers import TurnWorkers
from tests.world import Behaviour, World

MIB = 1024**2
GIB = 1024**3
BYTES = st.integers(0, 10**13)


@given(BYTES, BYTES, st.none() | BYTES)
def test_a_trial_fits_if_its_peak_is_within_the_budget_and_the_free_space(
    peak: int, free: int, budget: int | None
) -> None:
    reason = no_room(Memory("notes", peaks=(DiskUse(slots=peak),)), budget, free)
    assert bool(reason) == (budget is not None and peak > min(budget, free))


def test_two_trials_that_fit_only_one_after_the_other_are_both_promoted_with_true_numbers(tmp_path: Path) -> None:
    world = World(tmp_path, taken=6 * GIB)
    for name in ("alpha", "beta"):
        world.declare(name)
        world.tag(name, "1.0.0")
    world.run()
    for name in ("alpha", "beta"):
        world.tag(name, "1.1.0")
    workers = TurnWorkers(world, 2, lambda names: names[-1])
    report = reconcile(world.host(), request(world, 10 * GIB), workers=workers).report
    assert [(row.result, workers.most) for row in report.rows] == [(Result.PROMOTED, 2)] * 2
    took = "over budget: its last trials took 6.0 GiB of the disk"
    beside = "and [budget] disk is 10.0 GiB, of which 6.0 GiB are taken by trials beside it"
    waited = [line for line in world.said if "beside" in line]
    assert waited == [f"beta: waits until it can be tried alone: {took}, {beside}"]
    assert "a first try failed" not in str(report)


@pytest.mark.parametrize("parallel", [1, 2])
def test_images_that_only_the_first_run_of_a_trial_pulled_count(tmp_path: Path, parallel: int) -> None:
    world = World.promoted(tmp_path, "alpha", "beta")
    world.image = GIB
    for name in ("alpha", "beta"):
        world.tag(name, "1.1.0", Behaviour(slow_in=1))
    workers = TurnWorkers(world, 2, lambda names: names[-1]) if parallel == 2 else None
    report = reconcile(world.host(), request(world, 90 * GIB), workers=workers).report
    assert [row.result for row in report.rows] == [Result.PROMOTED] * 2
    peaks = [peak_of(memory) for memory in world.host().registry.read().memories.values()]
    assert [peak is not None and peak.images >= GIB for peak in peaks] == [True, True]


@given(*[BYTES] * 4, st.none() | BYTES)
def test_beside_others_a_trial_fits_if_all_peaks_are_within_the_budget_and_what_is_to_come_is_free(
    peak: int, budget: int, taken: int, to_come: int, free: int | None
) -> None:
    reason = no_room(Memory("notes", peaks=(DiskUse(slots=peak),)), budget, free, TrialsBeside(taken, to_come))
    assert bool(reason) == (peak + taken > budget or (free is not None and peak + to_come > free))


def test_what_running_trials_have_written_is_not_reserved_a_second_time(tmp_path: Path) -> None:
    world = World(tmp_path, written=4 * GIB)
    running = [Memory("notes", peaks=(DiskUse(slots=6 * GIB),)), Memory("new")]
    assert trials_beside(world.host(), running) == TrialsBeside(taken=6 * GIB, to_come=2 * GIB)


@given(st.lists(BYTES))
def test_the_largest_of_the_last_peaks_counts(sizes: list[int]) -> None:
    memory = Memory("notes")
    for size in sizes:
        memory = with_peak(memory, DiskUse(volumes=size))
    peak = peak_of(with_peak(memory, None))
    assert (peak.total if peak is not None else None) == max(sizes[-KEPT_PEAKS:], default=None)


def test_the_reason_names_what_the_trials_took_and_what_is_there() -> None:
    memory = Memory("notes", peaks=(DiskUse(slots=3 * 1024 * MIB, candidate=512 * MIB),))
    took = "over budget: its last trials took 3.5 GiB of the disk, and"
    assert no_room(memory, 40 * 1024 * MIB, 700 * MIB) == f"{took} 700.0 MiB are free"
    assert no_room(memory, 2 * 1024 * MIB, 9 * 1024 * MIB) == f"{took} [budget] disk is 2.0 GiB"


def request(world: World, disk: int) -> RunRequest:
    return RunRequest(evolve(world.fleet, disk=disk), tuple(world.recipes), ReportCommand.PASS)


def one_pass(world: World, disk: int) -> Report:
    return reconcile(world.host(), request(world, disk)).report


def test_what_does_not_fit_is_over_budget_and_the_next_one_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, taken=50 * MIB)
    world.declare("large")
    world.tag("large", "1.0.0")
    world.run()
    world.taken = 5 * MIB
    world.declare("small")
    for name, version in (("small", "1.0.0"), ("large", "1.1.0")):
        world.tag(name, version)
    large, small = one_pass(world, 20 * MIB).rows
    assert (small.result, large.result) == (Result.PROMOTED, Result.NONE)
    assert large.step.held_back is HeldBack.OVER_BUDGET
    assert "its last trials took 50.0 MiB of the disk, and [budget] disk is 20.0 MiB" in large.step.reason
    assert preview(world.host(), request(world, 20 * MIB)).exit_code == 2
    world.free = 40 * MIB
    assert "and 40.0 MiB are free" in preview(world.host(), request(world, 60 * MIB)).rows[0].step.reason
    world.free = 60 * MIB
    assert one_pass(world, 60 * MIB).rows[0].result is Result.PROMOTED


def test_a_disk_that_cannot_be_measured_is_a_note_and_stops_only_what_is_known_not_to_fit(tmp_path: Path) -> None:
    world = World(tmp_path, taken=50 * MIB)
    world.declare("large")
    world.tag("large", "1.0.0")
    world.run()
    world.unmeasured, world.free = "docker: no answer", 40 * MIB
    world.declare("small")
    for name, version in (("small", "1.0.0"), ("large", "1.1.0")):
        world.tag(name, version)
    alone = "trials are compared with the disk with the state folder alone"
    note = f"the disk could not be measured: docker: no answer; {alone}"
    assert note in preview(world.host(), request(world, 60 * MIB)).notes
    report = one_pass(world, 60 * MIB)
    assert note in report.notes
    assert [row.result for row in report.rows] == [Result.NONE, Result.PROMOTED]
    assert "and 40.0 MiB are free" in report.rows[0].step.reason


@given(BYTES, st.none() | BYTES)
def test_where_no_free_space_is_known_a_trial_is_compared_with_the_budget_alone(peak: int, budget: int | None) -> None:
    reason = no_room(Memory("notes", peaks=(DiskUse(slots=peak),)), budget, None)
    assert bool(reason) == (budget is not None and peak > budget)


def test_each_pass_records_the_free_space_and_the_peak_of_each_recipe(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, "notes")
    lines = SqliteRegistry(world.state.database).lines()
    (disk,) = [line.entry.body["disk"] for line in lines if line.entry.kind == "pass-end"]
    peak = {"slots": world.taken, "candidate": 0, "volumes": 0, "images": 0}
    assert disk == {"free": world.free, "recipes": {"notes": {"generations": 0, "peak": peak}}}


@define
class MeasuredDisk:
    """A disk with a use for each measurement."""

    uses: Iterator[DiskUse]

    def use(self, _: Path) -> DiskUse:
        return next(self.uses)

    def free(self) -> int:
        return 0

    def free_of_state(self) -> int:
        return 0

    def size(self, _: Path) -> int:
        return 0


def test_a_peak_is_the_largest_sum_at_one_time_and_counts_only_images_that_came(tmp_path: Path) -> None:
    uses = (DiskUse(images=100), DiskUse(slots=9, images=107), DiskUse(slots=20, images=90), DiskUse(slots=3))
    meter = PeakMeter(MeasuredDisk(iter(uses)), tmp_path)
    meter.begin()
    for _ in range(3):
        meter.measure()
    assert meter.peak == DiskUse(slots=20)


def test_a_folder_has_the_size_of_its_files_each_counted_once(tmp_path: Path) -> None:
    for name in ("install", "candidate"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_bytes(os.urandom(MIB))
    os.link(tmp_path / "install" / "data", tmp_path / "install" / "again")
    use = HostDisk(tmp_path).use(tmp_path)
    assert MIB <= use.slots < 2 * MIB
    assert MIB <= use.candidate < 2 * MIB
    assert size_of(tmp_path / "nothing") == 0
    assert HostDisk(tmp_path / "not" / "made").free() > 0
