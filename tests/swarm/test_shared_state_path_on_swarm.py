"""Two Canons on one Swarm with state folders of one path, as two managers have: neither touches what is the other's."""

import shutil
import signal
import subprocess
from pathlib import Path

from desired.model import Swarm
from reconciler.host.processes.procfs import STATE_MARK
from reconciler.host.swarm.recipe.stack import NAMESPACE, SLOT, stack_of
from reconciler.ports.app import RemovalResult
from tests.procfile_apps import wait_for
from tests.reconcile_command import BoundStateFolder, needs_mounts, wait_for_lock
from tests.swarm.local_engine import KINDS, LocalEngine
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.stacks import SwarmSlots, options, release, server

NAME = "custom-html-tiny"
HOLLOW = 5


def run(bound: BoundStateFolder) -> tuple[int, str]:
    done = subprocess.run(bound.argv(), env=bound.environment, capture_output=True, text=True, check=False, timeout=600)
    return done.returncode, done.stdout + done.stderr


@needs_mounts
def test_a_pass_leaves_the_slot_of_a_killed_pass_to_the_fleet_that_owns_it(engine: LocalEngine, tmp_path: Path) -> None:
    path = tmp_path / "state"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with (
        published_fleet(tmp_path / "one", engine, [NAME]) as one,
        published_fleet(tmp_path / "two", engine, [NAME]) as two,
    ):
        first, second = (BoundStateFolder.at(path, published(world).canon) for world in (one, two))
        left = killed_mid_trial(first, engine)

        code, said = run(second)
        assert (code, "a slot left by a dead run" in said) == (0, False), said
        assert lasting(engine, path) == left

        # Whose slot it is finds it by what lies in its state folder: no recipe of its fleet is of a Swarm any more.
        shutil.rmtree(one.canon.fleet / "recipes" / NAME)
        code, said = run(first)
        assert (code, f"{NAME}: a slot left by a dead run was removed" in said) == (HOLLOW, True), said
        assert engine.below(path) == frozenset()
        assert list((one.state.work).iterdir()) == []
        assert two.recorded()[NAME].generation == 1


def test_a_slot_with_a_secret_stays_whole_where_another_state_folder_clears_its_mark(
    engine: LocalEngine, tmp_path: Path
) -> None:
    one, two = (SwarmSlots.on(engine, tmp_path / "slots", **{STATE_MARK: state}) for state in ("one", "two"))
    secrets = {"token": {"name": "${STACK_NAME}_token_v1", "external": True}}
    parts = {"secrets": secrets, "configs": {"page": {"file": "page"}}, "volumes": {"data": {}}}
    app_service = server(secrets=["token"], configs=["page"], volumes=["data:/data"])
    checkout = release(tmp_path / "checkout", {"app": app_service}, parts)
    (checkout / "page").write_text("a page")
    app = one.app(token="secret")
    try:
        one.driver.deploy(app, checkout, options())
        stack = stack_of(app, Swarm().zone, "one").name
        of_stack = f"label={NAMESPACE}={stack}"
        wait_for(lambda: bool(engine.listed("container", of_stack)), 60)
        before = {kind: engine.listed(kind, of_stack, f"label={SLOT}={app.mark}") for kind in KINDS}
        assert all(before.values()), before

        assert two.driver.leftovers(tmp_path) == ()
        assert two.driver.clear(app.mark) == RemovalResult()
        assert {kind: engine.listed(kind, of_stack, f"label={SLOT}={app.mark}") for kind in KINDS} == before

        # A secret of this stack, made before there were ids, does not make its containers the other's either.
        labels = ("--label", f"{SLOT}={app.mark}", "--label", f"{NAMESPACE}={stack}")
        engine.docker("secret", "create", *labels, f"{stack}_old_v1", "-", stdin="old")
        two.driver.clear(app.mark)
        assert engine.listed("container", of_stack) == before["container"]
    finally:
        one.clear()


def published(world: PublishedFleet) -> PublishedFleet:
    world.publish(NAME)
    return world


def killed_mid_trial(bound: BoundStateFolder, engine: LocalEngine) -> frozenset[tuple[str, str]]:
    """Kill a pass as soon as something of a slot stands on the engine; what of it stays there, but for containers."""
    command = subprocess.Popen(bound.argv("-q"), env=bound.environment)
    try:
        wait_for(lambda: any(kind == "service" for kind, _ in engine.below(bound.path)), 300)
    finally:
        command.send_signal(signal.SIGKILL)
        command.wait()
    wait_for_lock(bound.canon.state / "lock", 200)
    return lasting(engine, bound.path)


def lasting(engine: LocalEngine, path: Path) -> frozenset[tuple[str, str]]:
    """Return the objects of slots below `path`, without containers: Swarm replaces these by itself."""
    return frozenset((kind, name) for kind, name in engine.below(path) if kind != "container")
