"""Canonicals that are kept running: raised from their snapshot, looked at, and let go while their recipe is tried."""

from collections.abc import Mapping

from attrs import evolve

from desired.model import Fleet, Keep, Recipe, Release
from reconciler.casts import canonical_cast, cast_of
from reconciler.core.upkeep import why_down
from reconciler.crossing import Standing
from reconciler.errors import CanonError, InfrastructureError
from reconciler.ports import Host
from reconciler.raising import raise_cast, run
from reconciler.slots import Slot
from state.durable import make_folder, remove_tree
from state.errors import StateError
from state.kept import read_upkeep, write_upkeep
from state.model import Canonical, Records, Upkeep

Standings = Mapping[str, Standing | str]
"""What stands of each kept canonical, by recipe; a text says why that cannot be seen."""


def is_kept(recipe: Recipe) -> bool:
    return recipe.enrolled and recipe.canonical.keep is Keep.RUNNING


def survey(host: Host, recipes: Mapping[str, Recipe]) -> Standings:
    """One look for each driver, however many canonicals it keeps."""
    found: dict[str, Standing | str] = {}
    for driver in sorted({recipe.driver for recipe in recipes.values() if is_kept(recipe)}):
        names = [name for name, recipe in recipes.items() if is_kept(recipe) and recipe.driver == driver]
        try:
            standing = host.drivers[driver].survey(host.state.kept)
        except CanonError as failed:
            found |= dict.fromkeys(names, failed.message)
        else:
            marks = {name: str(host.state.kept_slot(name)) for name in names}
            found |= {name: standing.get(mark, Standing({}, "nothing of it is there")) for name, mark in marks.items()}
    return found


def look_at_kept(host: Host, canonical: Canonical, standings: Standings) -> tuple[str, Upkeep | None]:
    """What keeps the canonical from standing as it was raised, "" where nothing does; and the account of that.

    Raises StateError, and InfrastructureError where it cannot be seen.
    """
    standing = standings.get(canonical.recipe, "nobody looked at it")
    if isinstance(standing, str):
        raise InfrastructureError(standing)
    upkeep = read_upkeep(host.state.kept_slot(canonical.recipe))
    return why_down(canonical.generation, upkeep, standing.parts, standing.lacks), upkeep


def keep_up(host: Host, fleet: Fleet, canonical: Canonical) -> None:
    """Raise the canonical where it is kept, in place of what is there. Raises like the raising of any app."""
    let_go(host, canonical.recipe)
    recipe, folder = fleet.recipes[canonical.recipe], host.state.kept_slot(canonical.recipe)
    host.progress.step(recipe.name, f"{canonical.version}: raised to be kept running")
    make_folder(folder)
    for name in ("home", "tmp", "backup"):
        make_folder(folder / name)
    slot = Slot(host, folder, folder / "backup", folder / "log", emptied=True)
    cast = cast_of(recipe, Release(canonical.version, canonical.commit), fleet.recipes, _recorded(host))
    raise_cast(slot, canonical_cast(host, canonical, cast, folder / "source"))
    if recipe.data.check is not None:
        run(slot, slot.placed[recipe.name], recipe.data.check, "data.check")
    remove_tree(folder / "source")
    standing = survey(host, {recipe.name: recipe})[recipe.name]
    if isinstance(standing, str):
        raise InfrastructureError(standing)
    write_upkeep(folder, Upkeep(canonical.generation, standing.parts, host.clock.now()))


def let_go(host: Host, name: str) -> bool:
    """Take a kept deployment away; whether there was one. Its canonical stays. Raises InfrastructureError."""
    folder = host.state.kept_slot(name)
    drivers = [driver for driver in host.drivers.values() if driver.leftovers(folder)]
    left = [what for driver in drivers for what in driver.clear(str(folder)).left]
    if left:
        raise InfrastructureError(f"{name}: {left[0]} of its kept deployment would not go")
    there = folder.exists()
    remove_tree(folder)
    return there or bool(drivers)


def still_up(host: Host, canonical: Canonical) -> None:
    """Note that a kept canonical was seen up just now."""
    folder = host.state.kept_slot(canonical.recipe)
    upkeep = read_upkeep(folder)
    if upkeep is not None:
        write_upkeep(folder, evolve(upkeep, up_at=host.clock.now()))


def let_go_of_others(host: Host, fleet: Fleet, records: Records) -> tuple[str, ...]:
    """Take away what nobody wants to be kept any more; one remark each."""
    folder = host.state.kept
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    wanted = {name for name, recipe in fleet.recipes.items() if is_kept(recipe) and name in records.canonicals}
    gone = [name for name in names if name not in wanted and _went(host, name)]
    return tuple(f"{name}: is not to be kept running, and was taken down" for name in gone)


def _went(host: Host, name: str) -> bool:
    try:
        return let_go(host, name)
    except (CanonError, StateError, OSError):
        return False


def _recorded(host: Host) -> dict[str, Release | None]:
    have = host.registry.read().canonicals
    return {name: Release(canonical.version, canonical.commit) for name, canonical in have.items()}
