"""Nothing is certified while a pass would delete, undeploy or end something; dry run and pass name the same."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from attrs import evolve

from desired.model import CanonicalPolicy
from reconciler.core.proof import Proof
from reconciler.core.report import ReportCommand
from reconciler.errors import InfrastructureError
from reconciler.stages.planning import RunRequest
from reconciler.stages.proof import prove
from state.decisions import Hold
from state.folder.lock import hold
from state.registry.registry import SqliteRegistry
from tests.damaged_generations import built, harm, present
from tests.images_world import NEW, OLD, EngineOfImages, passed, two_pulled
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.promotion.kept_world import REST, declare_again, kept_versions, kept_world
from tests.rolled_back import go_back
from tests.test_proof import certificates, proof_of
from tests.world import START, World


def keep(world: World, generations: int) -> None:
    declare_again(world, evolve(world.recipes["notes"], canonical=CanonicalPolicy(generations=generations)))


def failing(method: str) -> CallRecorder:
    """Every call of this method of a port fails."""

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == method:
            raise InfrastructureError("no answer")
        return honest()

    return CallRecorder(answer)


def proof_with_images(world: World, engine: EngineOfImages) -> Proof:
    request = RunRequest(world.fleet, tuple(world.fleet.recipes), ReportCommand.PLAN)
    with hold(world.state.lock, "test"):
        return prove(evolve(world.host(), images=engine), request)


def nothing_is_said_of(world: World, said: Callable[[str], bool]) -> bool:
    """Return whether no note of a dry run and of a pass is one of those that `said` is true for."""
    return not any(said(note) for note in (*world.look().notes, *world.run().report.notes))


# ---- generations ----


def test_generations_that_a_pass_would_delete_are_named_before_and_by_the_pass(tmp_path: Path) -> None:
    world = built(tmp_path, CanonicalPolicy(generations=3))
    keep(world, 1)
    why = "[canonical] generations = 1"
    proof = proof_of(world)
    assert (proof.exit_code, certificates(world)) == (2, [])
    assert proof.left == (f"notes: generations 2 (1.1.0), 1 (1.0.0) would be deleted: {why}",)
    assert world.look().notes == proof.left
    assert present(world) == (1, 2, 3)
    assert world.run().report.notes == (f"notes: generations 2 (1.1.0), 1 (1.0.0) were deleted: {why}",)
    assert present(world) == (3,)
    assert (proof_of(world).exit_code, world.look().notes, world.run().report.notes) == (0, (), ())


def test_a_pass_that_deletes_no_generation_since_too_few_are_intact_is_certified(tmp_path: Path) -> None:
    world = built(tmp_path, CanonicalPolicy(generations=3))
    for generation in (1, 2):
        harm(world, generation)
    keep(world, 2)
    assert (proof_of(world).exit_code, world.look().notes, world.run().report.notes) == (0, (), ())
    assert present(world) == (1, 2, 3)


def test_a_generation_of_which_only_a_foreign_file_is_left_is_not_said_to_be_deleted_again(tmp_path: Path) -> None:
    world = built(tmp_path)
    mine = world.state.canonical("notes", 2) / "mine.txt"
    mine.write_text("precious")
    keep(world, 1)
    assert "notes: generation 2 (1.1.0) was deleted: [canonical] generations = 1" in world.run().report.notes
    assert mine.read_text() == "precious"
    assert proof_of(world).exit_code == 0
    assert nothing_is_said_of(world, lambda note: "deleted" in note)


def test_a_generation_that_another_snapshot_has_replaced_stays_and_is_not_said_to_be_deleted(tmp_path: Path) -> None:
    world = built(tmp_path)
    older, newest = (world.state.canonical("notes", number) for number in (2, 3))
    for file in newest.iterdir():
        (older / file.name).write_bytes(file.read_bytes())
    keep(world, 1)
    assert proof_of(world).exit_code == 0
    assert nothing_is_said_of(world, lambda note: "deleted" in note)
    assert present(world) == (2, 3)


def test_while_older_generations_cannot_be_listed_nothing_is_proved(tmp_path: Path) -> None:
    world = built(tmp_path)
    world.wrap = failing("registry.generations")
    proof = proof_of(world)
    assert (proof.exit_code, certificates(world)) == (1, [])
    assert proof.unknown == ("notes: its older snapshots cannot be looked at: no answer",)


# ---- kept deployments ----


def test_a_kept_deployment_that_a_pass_would_undeploy_is_named_before_and_by_the_pass(tmp_path: Path) -> None:
    world = kept_world(tmp_path)
    declare_again(world, evolve(world.recipes["notes"], canonical=REST))
    proof = proof_of(world)
    assert (proof.exit_code, certificates(world)) == (2, [])
    assert proof.left == ("notes: is not to be kept running, and would be undeployed",)
    assert world.look().notes == proof.left
    assert kept_versions(world) == {"notes/notes": "1.0.0"}
    assert world.run().report.notes == ("notes: is not to be kept running, and was undeployed",)
    assert kept_versions(world) == {}
    assert (proof_of(world).exit_code, world.look().notes) == (0, ())


def test_what_runs_of_a_deployment_without_a_folder_or_of_a_dead_trial_ends_the_proof(tmp_path: Path) -> None:
    world = kept_world(tmp_path)
    ((folder, (_, options)),) = world.running.items()
    assert proof_of(world).exit_code == 0
    world.running[folder.with_name("gone")] = (str(world.state.kept / "gone"), options)
    assert proof_of(world).left == ("gone: is not to be kept running, and would be undeployed",)
    world.running = {world.root / "app": (str(world.state.work / "notes" / "install"), options), **world.running}
    assert "work/notes is there" in proof_of(world).left


def test_while_a_driver_cannot_list_what_dead_runs_left_nothing_is_proved(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, "notes")
    world.wrap = failing("driver.leftovers")
    proof = proof_of(world)
    assert (proof.exit_code, certificates(world)) == (1, [])
    assert proof.unknown == ("the process driver cannot list what dead runs left: no answer",)


# ---- decisions ----


def test_a_rollback_that_has_ended_is_named_until_a_pass_has_deleted_it(tmp_path: Path) -> None:
    world = built(tmp_path, CanonicalPolicy(generations=5))
    go_back(world)
    assert proof_of(world).exit_code == 0
    world.tag("notes", "1.3.0")
    world.run()
    assert world.records().canonicals["notes"].version == "1.3.0"
    proof = proof_of(world)
    assert (proof.exit_code, proof.left) == (2, ("notes: its rollback from 1.2.0 has ended",))
    world.run()
    assert world.records().rollbacks == {}
    assert proof_of(world).exit_code == 0


def test_a_hold_that_has_ended_is_named_only_where_the_pass_would_end_it(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, "notes", "wiki")
    SqliteRegistry(world.state.database).set_hold(
        Hold("notes", "the fair", "maria", START, world.now.date() + timedelta(days=1)), []
    )
    assert proof_of(world).exit_code == 0
    world.now += timedelta(days=1)
    assert proof_of(world).left == ("notes: its hold has ended",)
    assert proof_of(world, "wiki").exit_code == 0
    world.run("wiki")
    assert [*world.records().holds] == ["notes"]


# ---- images ----


def test_images_that_a_pass_would_remove_end_the_proof_and_an_engine_that_is_down_proves_nothing(
    tmp_path: Path,
) -> None:
    world, engine = two_pulled(tmp_path), EngineOfImages([OLD, NEW])
    proof = proof_with_images(world, engine)
    assert (proof.exit_code, certificates(world)) == (2, [])
    assert proof.left == ("images that a pass would remove: app:1 (20.0 MiB)",)
    down = proof_with_images(world, evolve(engine, down=True))
    assert (down.exit_code, down.unknown) == (1, ("images could not be pruned: no engine answers",))
    passed(world, engine)
    assert engine.images == [NEW]
    assert proof_with_images(world, engine).exit_code == 0


def test_where_another_state_folder_uses_the_engine_no_image_would_go_and_the_rest_is_proved(tmp_path: Path) -> None:
    world, engine = two_pulled(tmp_path), EngineOfImages([OLD, NEW], foreign=("another",))
    assert proof_with_images(world, engine).exit_code == 0
    passed(world, engine)
    assert engine.images == [OLD, NEW]
