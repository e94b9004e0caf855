"""The data of a stack at rest: its volumes, copied out and in through a container that is never started."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.output import FirstBytes, NewFile
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.stack import NAMESPACE, Stack

FOLDER = "volumes"
# Swarm makes a volume that is missing, empty and with all labels but this one.
LOADED = "canon.loaded"
_SUFFIX = ".tar"
# The end of an archive, and so an archive of nothing: an image needs no more to have volumes in its containers.
_EMPTY_TAR = bytes(10240)


def volumes_of(engine: Engine, stack: Stack) -> tuple[str, ...]:
    return engine.list_ids("volume", f"label={NAMESPACE}={stack.name}")


def save_volumes(engine: Engine, stack: Stack, into: Path) -> None:
    """An archive of each volume, named as the recipe names it; owners are kept as numbers."""
    names = volumes_of(engine, stack)
    foreign = [volume["Name"] for volume in engine.inspect("volume", names) if volume["Driver"] != "local"]
    if foreign:
        raise RecipeError(f"{stack.recipe}: volume {stack.logical(foreign[0])} is not local: its data cannot be kept")
    (into / FOLDER).mkdir(mode=0o700)
    with _mounted(engine, stack, names) as container:
        for name in map(stack.logical, names):
            engine.copy(f"{container}:/{FOLDER}/{name}", "-", out=NewFile(into / FOLDER / f"{name}{_SUFFIX}"))


def load_volumes(engine: Engine, stack: Stack, source: Path) -> None:
    """The reverse, into volumes that are not there yet."""
    if volumes_of(engine, stack):
        raise InfrastructureError(f"{stack.recipe}: its slot holds data already, so none can be loaded")
    archives = sorted((source / FOLDER).glob(f"*{_SUFFIX}"))
    names = [f"{stack.name}_{archive.stem}" for archive in archives]
    labels = ("--label", f"{NAMESPACE}={stack.name}", *stack.label_options, "--label", LOADED)
    for name in names:
        engine.change("volume", "create", *labels, name, what=f"make volume {name}")
    with _mounted(engine, stack, names) as container:
        for archive in archives:
            engine.copy("-", f"{container}:/{FOLDER}", out=FirstBytes(0), stdin=archive)
    lost = {*names} - {*volumes_of(engine, stack)}
    if lost:
        raise InfrastructureError(f"{stack.recipe}: volume {min(lost)} was loaded, but is not there")


def save_paths(engine: Engine, stack: Stack, paths: Mapping[str, tuple[str, ...]], into: Path) -> None:
    """Archives of what is kept of each volume, numbered in the order of its paths; of all of it where none is named."""
    with _mounted(engine, stack, [f"{stack.name}_{volume}" for volume in paths]) as container:
        for volume, kept in paths.items():
            (into / volume).mkdir(mode=0o700, parents=True)
            for number, path in enumerate(kept or ("",)):
                out = NewFile(into / volume / f"{number}{_SUFFIX}")
                try:
                    engine.copy(f"{container}:{_place(volume, path)}", "-", out=out)
                except RecipeError:
                    where = path or "anything"
                    raise RecipeError(f"its labels back up {where} of volume {volume}, which is not there") from None


def load_paths(engine: Engine, stack: Stack, paths: Mapping[str, tuple[str, ...]], source: Path) -> None:
    """The reverse, over what the volumes hold."""
    with _mounted(engine, stack, [f"{stack.name}_{volume}" for volume in paths]) as container:
        for volume, kept in paths.items():
            for number, path in enumerate(kept or ("",)):
                archive = source / volume / f"{number}{_SUFFIX}"
                engine.copy("-", f"{container}:{_place(volume, path).parent}", out=FirstBytes(0), stdin=archive)


def _place(volume: str, path: str) -> PurePosixPath:
    return PurePosixPath("/", FOLDER, volume, path)


@contextmanager
def _mounted(engine: Engine, stack: Stack, volumes: Sequence[str]) -> Iterator[str]:
    """A container, never started, in which each volume is at /volumes/NAME; removed with its image."""
    if not volumes:
        yield ""
        return
    changes = (word for name, value in stack.labels.items() for word in ("--change", f'LABEL "{name}"="{value}"'))
    image = engine.change("import", *changes, "-", what="copy volumes", stdin=_EMPTY_TAR)
    mounts = (word for name in volumes for word in ("--volume", f"{name}:/{FOLDER}/{stack.logical(name)}"))
    try:
        made = ("create", *stack.label_options, "--network", "none", *mounts, image, "/none")
        container = engine.change("container", *made, what="copy volumes")
        try:
            yield container
        finally:
            engine.remove("container", [container])
    finally:
        engine.remove("image", [image])
