"""Deploys canonicals that are kept running, observes these kept deployments, and undeploys them for a trial."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from attrs import evolve

from desired.model import Fleet, Recipe
from reconciler.core.needs import conflicting_recipes, keeps_running
from reconciler.core.observation import CanonicalStatus, State, with_damage
from reconciler.core.running_status import why_down
from reconciler.deploy.app_health import check_up
from reconciler.deploy.app_set import SnapshotDamagedError, snapshot_app_set
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.recipe_commands import run_command
from reconciler.deploy.slot import Slot
from reconciler.deploy.slot_lifetime import close_slot
from reconciler.deploy.unmanaged_files import is_deployment_record, is_kept_slot
from reconciler.errors import CanonError, InfrastructureError, RecipeError, in_one_line, reason_of
from reconciler.ports.app import DeployedParts
from reconciler.ports.driver import Driver
from reconciler.ports.host import Host
from reconciler.promotion.deployment_records import last_up, missing_deployment, record_missing, try_to_write
from state.deployment_record import read_deployment_record, write_deployment_record
from state.folder.durable import make_folder, remove_tree
from state.kept_deployment import DeploymentRecord, Parts
from state.records import Canonical, FoundDamage, Memory
from state.state_errors import StateError

PartsByRecipe = Mapping[str, DeployedParts | str]
"""By recipe, the deployed parts of its kept deployment, or a text that says why they cannot be observed."""

FAULTS = (CanonError, StateError, OSError)


# ---- observing ----


def deployed_parts(host: Host, recipes: Mapping[str, Recipe]) -> PartsByRecipe:
    """Return the parts that are deployed now of each recipe to be kept running, by recipe. Raise no error.

    If the parts of a recipe cannot be observed, its value is a text on why. If nothing of a recipe is deployed, its
    value has no parts. Other recipes are left out. Each driver is asked once.
    """
    parts: dict[str, DeployedParts | str] = {}
    for driver in sorted({recipe.driver for recipe in recipes.values() if keeps_running(recipe)}):
        names = [name for name, recipe in recipes.items() if keeps_running(recipe) and recipe.driver == driver]
        try:
            deployed = host.drivers[driver].deployed_parts(host.state.kept)
        except Exception as failed:  # noqa: BLE001  the other drivers go on
            parts |= dict.fromkeys(names, reason_of(failed))
        else:
            marks = {name: str(host.state.kept_slot(name)) for name in names}
            parts |= {name: deployed.get(mark, DeployedParts({})) for name, mark in marks.items()}
    return parts


def deployment_status(host: Host, canonical: Canonical, parts_by_recipe: PartsByRecipe) -> CanonicalStatus:
    """Return the status of a canonical's kept deployment. Raise no error.

    It is INTACT if the deployed parts match the deployment record, and UNKNOWN if the parts or the record cannot be
    read. Otherwise it is DOWN. DOWN and UNKNOWN have a reason. `parts_by_recipe` is what `deployed_parts` returned.
    """
    deployed = parts_by_recipe.get(canonical.recipe, "it was not observed")
    if isinstance(deployed, str):
        return _unknown_deployment(deployed)
    try:
        record = read_deployment_record(host.state.deployment_record_path(canonical.recipe))
    except Exception as failed:  # noqa: BLE001  other recipes go on
        return _unknown_deployment(reason_of(failed))
    down = why_down(canonical.generation, record, deployed.parts, deployed.problem)
    return CanonicalStatus(State.DOWN, down, last_up(record)) if down else CanonicalStatus(State.INTACT)


def _unknown_deployment(why: str) -> CanonicalStatus:
    return CanonicalStatus(State.UNKNOWN, f"its deployment cannot be observed: {why}")


def record_seen_up(host: Host, canonical: Canonical) -> None:
    """Record that the canonical's kept deployment is up now. If that fails, the time of an earlier pass stays."""
    with suppress(Exception):
        path = host.state.deployment_record_path(canonical.recipe)
        record = read_deployment_record(path)
        if isinstance(record, DeploymentRecord):
            write_deployment_record(path, evolve(record, up_at=host.clock.now()))


# ---- deploying ----


def redeploy_canonical(host: Host, fleet: Fleet, canonical: Canonical) -> None:
    """Replace the kept deployment of a canonical by a new one. Record its parts, or why it could not be deployed.

    If Canon did not make the folder of the kept deployment, change nothing, and show that as progress. Raise no error.
    """
    name, generation = canonical.recipe, canonical.generation
    host.progress.step(name, f"{canonical.version}: deploying it to be kept running")
    try:
        _require_slot(host, name)
    except InfrastructureError as failed:
        host.progress.done(name, in_one_line(failed))
        return
    try:
        # Comes first: a folder without a deployment record would count as one that Canon did not make.
        record = missing_deployment(host, name, "its deployment was interrupted")
        write_deployment_record(host.state.deployment_record_path(name), record)
        undeploy(host, name)
        parts = _deploy(host, fleet, canonical)
    except FAULTS as failed:
        if isinstance(failed, SnapshotDamagedError):
            _remember_damage(host, canonical, failed.message)
        record_missing(host, name, f"it could not be deployed: {_message_with_tail(failed)}")
    else:
        try_to_write(host, name, DeploymentRecord(generation, parts, host.clock.now()))


def _deploy(host: Host, fleet: Fleet, canonical: Canonical) -> Parts:
    """Deploy a canonical from its snapshot, to be kept running, and check its data. Return the deployed parts.

    If something fails, remove what was deployed, and raise the error.
    """
    recipe = fleet.recipes[canonical.recipe]
    slot = _slot(host, host.state.kept_slot(recipe.name), host.state.trial_logs(recipe.name) / "kept.log")
    try:
        have = host.registry.read().canonicals
        deploy_app_set(slot, snapshot_app_set(host, canonical, fleet.recipes, slot.folder / "source", have))
        if recipe.data.check is not None:
            run_command(slot, slot.apps[recipe.name], recipe.data.check, "data.check")
        check_up(slot)
        remove_tree(slot.folder / "source")
        return _parts_of(host, recipe)
    except BaseException:
        with suppress(*FAULTS):
            close_slot(slot)
        raise


def _parts_of(host: Host, recipe: Recipe) -> Parts:
    """Return the parts of a recipe's kept deployment. Raise InfrastructureError if there are none."""
    deployed = deployed_parts(host, {recipe.name: recipe})[recipe.name]
    if isinstance(deployed, str) or not deployed.parts:
        why = deployed if isinstance(deployed, str) else "it has no parts"
        raise InfrastructureError(f"its deployment is not found: {why}")
    return deployed.parts


def _slot(host: Host, folder: Path, log: Path) -> Slot:
    """Make the folders of a slot that stays after the pass, and delete the old file `log`. Return the slot."""
    for path in (log.parent, folder, *(folder / name for name in ("home", "tmp", "backup"))):
        make_folder(path)
    log.unlink(missing_ok=True)
    return Slot(host, folder, folder / "backup", log, was_empty=True)


def _remember_damage(host: Host, canonical: Canonical, reason: str) -> None:
    """Record that the generation `canonical` is damaged, with the reason. The next pass then tests its release."""
    memory = host.registry.read().memories.get(canonical.recipe, Memory(canonical.recipe))
    damage = FoundDamage(canonical.generation, reason, host.clock.now())
    host.registry.remember([with_damage(memory, damage)], [])


def _message_with_tail(failed: CanonError | StateError | OSError) -> str:
    """Return the text of the error `failed` in one line. If the error has log lines of the app, add its last lines."""
    last = failed.tail[-1:] if isinstance(failed, RecipeError) else ()
    return ": ".join((in_one_line(failed), *last))


# ---- undeploying ----


def undeploy_conflicting(host: Host, recipes: Mapping[str, Recipe], recipe: Recipe) -> None:
    """Undeploy kept deployments that share an app with `recipe`; record why. Raise InfrastructureError if one stays."""
    for name in conflicting_recipes(recipes, recipe):
        _require_slot(host, name)
        if host.state.deployment_record_path(name).exists():
            record_missing(host, name, f"it was undeployed for a trial of {recipe.name}")
        undeploy(host, name)


def undeploy(host: Host, name: str) -> None:
    """Remove the kept deployment of the recipe `name`. Its canonical and its deployment record stay.

    Raise InfrastructureError if a part cannot be removed, or if Canon did not make the folder of the deployment's slot.
    """
    _require_slot(host, name)
    folder = host.state.kept_slot(name)
    drivers = _drivers_running(host, name)
    remaining = [part for driver in drivers for part in driver.clear(str(folder)).remaining]
    if remaining:
        raise InfrastructureError(f"{name}: {remaining[0]} of its kept deployment could not be removed")
    remove_tree(folder)


def _drivers_running(host: Host, name: str) -> list[Driver]:
    """Return the drivers that still have something of the kept deployment of the recipe `name`."""
    folder = host.state.kept_slot(name)
    return [driver for driver in host.drivers.values() if driver.leftovers(folder)]


def is_managed(host: Host, name: str) -> bool:
    """Return whether Canon may use and remove the slot of a kept deployment: the slot is missing, or Canon made it.

    Canon made the slot if it is empty or has a deployment record, or if a driver still has parts of the deployment.
    """
    folder = host.state.kept_slot(name)
    return not os.path.lexists(folder) or is_kept_slot(folder) or bool(_drivers_running(host, name))


def _require_slot(host: Host, name: str) -> None:
    """Raise InfrastructureError if a person made the slot of a recipe's kept deployment: Canon must not remove it."""
    if not is_managed(host, name):
        raise InfrastructureError(f"{host.state.kept_slot(name)} is a folder that Canon did not make", "move it away")


def forget_deployment(host: Host, name: str) -> None:
    """Undeploy the recipe `name`, and delete its deployment record. Raise InfrastructureError if a part stays."""
    undeploy(host, name)
    record = host.state.deployment_record_path(name)
    for path in (record.with_name(f"{record.name}.new"), record):
        if is_deployment_record(path):
            path.unlink()
