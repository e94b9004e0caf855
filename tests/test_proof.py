"""`prove` plans twice, tries nothing, and certifies only what really stands still."""

from pathlib import Path

from reconciler.core.proof import Proof
from reconciler.core.report import ReportCommand
from reconciler.stages.planning import RunRequest
from reconciler.stages.proof import prove
from state.folder.lock import hold
from state.records import Intent
from state.registry.registry import SqliteRegistry
from tests.ledger_lines import ledger_lines
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.world import START, World


def settled(root: Path) -> World:
    """Return a world whose two recipes are at their newest releases."""
    return World.promoted(root, "notes", "wiki")


def proof_of(world: World, *names: str) -> Proof:
    fleet = world.fleet
    with hold(world.state.lock, "test"):
        return prove(world.host(), RunRequest(fleet, names or tuple(fleet.recipes), ReportCommand.PLAN))


def certificates(world: World) -> list[object]:
    lines = ledger_lines(SqliteRegistry(world.state.database), kind="proved")
    return [line.entry.body["plan"] for line in lines]


def test_a_world_that_stands_still_gets_a_certificate_and_the_next_pass_does_nothing(tmp_path: Path) -> None:
    world = settled(tmp_path)
    deployed = len(world.deployed)
    proof = proof_of(world)
    assert (proof.exit_code, proof.recipes, certificates(world)) == (0, 2, [proof.digest])
    assert len(world.deployed) == deployed
    before = world.records()
    assert world.run().report.exit_code == 0
    assert (world.records(), len(world.deployed)) == (before, deployed)
    assert proof_of(world).digest == proof.digest


def test_a_pass_that_would_do_something_is_described_and_not_certified(tmp_path: Path) -> None:
    world = settled(tmp_path)
    world.tag("notes", "1.1.0")
    world.commit("wiki")
    proof = proof_of(world)
    assert proof.exit_code == 2
    assert proof.unsettled["notes"].startswith("promote: 1.1.0 was released after 1.0.0")
    assert proof.unsettled["wiki"] == "its mirror is behind and would be fetched"
    assert (certificates(world), world.records().canonicals["notes"].version) == ([], "1.0.0")


def test_an_upstream_that_cannot_be_seen_proves_nothing(tmp_path: Path) -> None:
    world = settled(tmp_path)
    world.origins["wiki"].down = "it is gone"
    proof = proof_of(world)
    assert (proof.exit_code, list(proof.unseen), certificates(world)) == (1, ["wiki"], [])


def test_a_tag_that_appears_between_the_two_plans_is_named(tmp_path: Path) -> None:
    world = settled(tmp_path)

    def answer(call: Call, honest: CarryOut) -> object:
        answered = honest()
        if str(call) == "upstream.ask#1":
            world.tag("notes", "1.1.0")
        return answered

    world.wrap = CallRecorder(answer)
    proof = proof_of(world)
    assert proof.exit_code == 2
    assert proof.moved == ("notes: its tags upstream", "notes: its snapshot, its mirror or its deployment")
    assert certificates(world) == []


def test_a_promotion_that_a_dead_pass_began_is_named(tmp_path: Path) -> None:
    world = settled(tmp_path)
    intent = Intent("p:notes:1.1.0", "notes", "1.1.0", "c" * 40, 7, START)
    SqliteRegistry(world.state.database).begin(intent, [])
    proof = proof_of(world)
    assert (proof.exit_code, proof.left) == (2, ("notes: the promotion of 1.1.0 is not finished",))


def test_nothing_enrolled_proves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("notes", enrolled=False, exception="not yet")
    world.tag("notes", "1.0.0")
    world.run()
    assert (proof_of(world).exit_code, certificates(world)) == (5, [])
