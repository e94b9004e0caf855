"""Ways in which a kept deployment stops working."""

from collections.abc import Callable

from attrs import evolve

from reconciler.core.running_status import NEVER_DEPLOYED
from reconciler.ports.app import DeployOptions
from state.deployment_record import write_deployment_record
from tests.promotion.kept_world import app, deployment_record_of, stop_app
from tests.world import World

# ---- down ----


def gone(world: World) -> None:
    del world.running[app(world)]
    (app(world) / "data" / "data.json").unlink()


def changed(world: World) -> None:
    mark, options = world.running[app(world)]
    world.running[app(world)] = (mark, DeployOptions("9.9.9", options.commit))


def without_data(world: World) -> None:
    (app(world) / "data" / "data.json").unlink()


def unwell(world: World) -> None:
    world.lacks = "notes has 0 of 1 up"


def garbled(world: World) -> None:
    world.state.deployment_record_path("notes").write_text("{}")


def binary(world: World) -> None:
    world.state.deployment_record_path("notes").write_bytes(b"\xff\x00")


def of_another(world: World) -> None:
    write_deployment_record(
        world.state.deployment_record_path("notes"), evolve(deployment_record_of(world), generation=7)
    )


def without_account(world: World) -> None:
    world.state.deployment_record_path("notes").unlink()


FALLS: dict[str, tuple[Callable[[World], None], str, bool]] = {
    "all gone": (gone, "nothing of it is there", True),
    "a part changed": (changed, "release of app notes is 9.9.9 {commit}, and was 1.0.0 {commit}", True),
    "data gone": (without_data, "data notes is gone", True),
    "app gone": (stop_app, "app notes is gone", True),
    "not well": (unwell, "notes has 0 of 1 up", True),
    "account garbled": (garbled, "{account} is not what was written there", False),
    "account no text": (binary, "{account} is not what was written there", False),
    "another generation": (of_another, "generation 7 was raised, and 1 is recorded", True),
    "no account": (without_account, NEVER_DEPLOYED, False),
}
