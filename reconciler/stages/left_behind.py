"""Finds what dead runs left in working folders: their files, their processes, and their objects of the engine."""

from collections.abc import Collection, Mapping

from desired.declarations.recipe_names import is_recipe_name
from reconciler.deploy.unmanaged_files import may_be_slot
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from state.folder.folder import is_slot


def marks_by_driver(host: Host) -> tuple[Mapping[str, tuple[str, ...]], list[str]]:
    """Return the marks (paths) of all slots that still have processes or objects of the engine, by driver.

    Return also a list with a remark for each driver that cannot list such marks.
    """
    marks: dict[str, tuple[str, ...]] = {}
    remarks: list[str] = []
    for name, driver in host.drivers.items():
        try:
            marks[name] = driver.leftovers(host.state.root)
        except Exception as failed:  # noqa: BLE001  the other drivers go on
            remarks.append(f"the {name} driver cannot list what dead runs left: {reason_of(failed)}")
    return marks, remarks


def recipes_with_slots(host: Host, marks: Collection[str], begun: Collection[str]) -> list[str]:
    """Return the recipes with a working folder (`work/NAME`) to clean up, sorted by name.

    A recipe counts in three cases:

    * its working folder exists, and Canon made it.
    * its working folder exists, and the recipe is in `begun`: the recipes with an unfinished promotion.
    * one of `marks` is a path below its working folder. `marks` are the marks of slots of which something is left.
    """
    work = host.state.work
    slots = [path for path in work.iterdir() if may_be_slot(path)] if work.is_dir() else []
    folders = {path.name for path in slots if is_slot(path) or path.name in begun}
    prefix = f"{work}/"
    marked = {mark.removeprefix(prefix).split("/")[0] for mark in marks if mark.startswith(prefix)}
    return sorted(folders | {name for name in marked if is_recipe_name(name)})
