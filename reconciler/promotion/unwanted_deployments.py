"""Finds and undeploys kept deployments whose recipe is no longer to be kept running."""

from collections.abc import Collection
from pathlib import Path

from desired.declarations.recipe_names import is_recipe_name
from desired.model import Fleet
from reconciler.core.needs import keeps_running
from reconciler.deploy.unmanaged_files import is_deployment_record, is_kept_slot, recipe_of
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from reconciler.promotion.running_canonical import forget_deployment
from state.records import Records


def unwanted_deployments(host: Host, fleet: Fleet, records: Records, marks: Collection[str]) -> tuple[str, ...]:
    """Return the recipes that have a kept deployment and are not to be kept running, sorted. Change nothing.

    If the records of a recipe cannot be read, its deployment is wanted. `marks` are the marks of all slots that still
    have processes or objects on this host. Raise OSError if the folder of kept deployments cannot be read.
    """
    recorded = records.canonicals.keys() | records.unreadable.keys()
    wanted = {name for name, recipe in fleet.recipes.items() if keeps_running(recipe) and name in recorded}
    wanted |= records.unreadable.keys()
    folder = host.state.kept
    entries = folder.iterdir() if folder.is_dir() else ()
    names = {recipe_of(path) for path in entries if is_kept_slot(path) or is_deployment_record(path)}
    names |= {Path(mark).name for mark in marks if Path(mark).parent == folder}
    return tuple(sorted(name for name in names - wanted if is_recipe_name(name)))


def undeploy_unwanted(host: Host, fleet: Fleet, records: Records, marks: Collection[str]) -> tuple[str, ...]:
    """Remove the kept deployments that `unwanted_deployments` returns, with their deployment records.

    Return a remark for each: that it was undeployed, or why this failed.
    """
    return tuple(_forget_unwanted(host, name) for name in unwanted_deployments(host, fleet, records, marks))


def undeploy_text(name: str) -> str:
    """Return the sentence that says that the kept deployment of the recipe `name` would be undeployed, and why."""
    return f"{name}: is not to be kept running, and would be undeployed"


def _forget_unwanted(host: Host, name: str) -> str:
    """Remove the kept deployment of the recipe `name` and its record. Return a remark on that, or on why it failed."""
    try:
        forget_deployment(host, name)
    except Exception as failed:  # noqa: BLE001  other recipes go on
        return f"{name}: is not to be kept running, and cannot be undeployed now: {reason_of(failed)}"
    return f"{name}: is not to be kept running, and was undeployed"
