"""Copies volumes of a stack out and in, by a container that is never started."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.output import NewFile
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.stack import NAMESPACE, Stack
from reconciler.ports.driver import SAVED_VOLUMES

FOLDER = SAVED_VOLUMES
# Marks a volume with loaded data. Swarm creates a missing volume empty, and without this label.
LOADED = "canon.loaded"
_SUFFIX = ".tar"
# An empty tar archive. Imported as an image, it is enough for a container with volumes.
_EMPTY_TAR = bytes(10240)


def volumes_of(engine: Engine, stack: Stack) -> tuple[str, ...]:
    return engine.list_ids("volume", f"label={NAMESPACE}={stack.name}")


def save_volumes(engine: Engine, stack: Stack, into: Path) -> None:
    """Write a tar archive of each volume of the stack to `into`/volumes/NAME.tar. Owners are kept as numbers.

    NAME is the name of the volume in the recipe. Raise RecipeError for a volume of another driver than `local`.
    """
    volumes = engine.find("volume", f"label={NAMESPACE}={stack.name}")
    names = [volume["Name"] for volume in volumes]
    foreign = [volume["Name"] for volume in volumes if volume["Driver"] != "local"]
    if foreign:
        raise RecipeError(f"{stack.recipe}: volume {stack.logical(foreign[0])} is not local: its data cannot be saved")
    (into / FOLDER).mkdir(mode=0o700)
    with _mounted(engine, stack, names) as container:
        for name in map(stack.logical, names):
            engine.copy_out(container, f"/{FOLDER}/{name}", NewFile(into / FOLDER / f"{name}{_SUFFIX}"))


def load_volumes(engine: Engine, stack: Stack, source: Path) -> None:
    """Make a volume for each archive that `save_volumes` wrote below `source`, and unpack the archive into it.

    Raise InfrastructureError if the stack already has volumes, or if a loaded volume is missing afterwards.
    """
    if volumes_of(engine, stack):
        raise InfrastructureError(f"{stack.recipe}: its slot has data already, so none can be loaded")
    archives = sorted((source / FOLDER).glob(f"*{_SUFFIX}"))
    names = [f"{stack.name}_{archive.stem}" for archive in archives]
    labels = {NAMESPACE: stack.name, **stack.labels, LOADED: ""}
    for name in names:
        engine.create("volume", {"Name": name, "Labels": labels}, f"make volume {name}")
    with _mounted(engine, stack, names) as container:
        for archive in archives:
            engine.copy_in(container, f"/{FOLDER}", archive)
    lost = {*names} - {*volumes_of(engine, stack)}
    if lost:
        raise InfrastructureError(f"{stack.recipe}: volume {min(lost)} was loaded, but is not there")


def save_paths(engine: Engine, stack: Stack, paths: Mapping[str, tuple[str, ...]], into: Path) -> None:
    """Write an archive of each path of each volume to `into`/VOLUME/NUMBER.tar. NUMBER counts from 0 in each volume.

    `paths` maps volumes, by their names in the recipe, to their paths; to () for the whole volume. Raise RecipeError if
    a path does not exist in its volume.
    """
    with _mounted(engine, stack, [f"{stack.name}_{volume}" for volume in paths]) as container:
        for volume, kept in paths.items():
            (into / volume).mkdir(mode=0o700, parents=True)
            for number, path in enumerate(kept or ("",)):
                out = NewFile(into / volume / f"{number}{_SUFFIX}")
                try:
                    engine.copy_out(container, str(_place(volume, path)), out)
                except RecipeError:
                    where = path or "anything"
                    raise RecipeError(f"its labels back up {where} of volume {volume}, which is not there") from None


def load_paths(engine: Engine, stack: Stack, paths: Mapping[str, tuple[str, ...]], source: Path) -> None:
    """Unpack the archives that `save_paths` wrote below `source` into the volumes. All other files in the volumes stay.

    `paths` must be the same as for `save_paths`.
    """
    with _mounted(engine, stack, [f"{stack.name}_{volume}" for volume in paths]) as container:
        for volume, kept in paths.items():
            for number, path in enumerate(kept or ("",)):
                archive = source / volume / f"{number}{_SUFFIX}"
                engine.copy_in(container, str(_place(volume, path).parent), archive)


def _place(volume: str, path: str) -> PurePosixPath:
    return PurePosixPath("/", FOLDER, volume, path)


@contextmanager
def _mounted(engine: Engine, stack: Stack, volumes: Sequence[str]) -> Iterator[str]:
    """Make a container with each volume at /volumes/NAME, and yield its id; "" if there are no volumes.

    `volumes` are full names. NAME is the name of the volume in the recipe. The container is never started: it only
    serves to copy files. It is removed at the end of the `with` block, with its image.
    """
    if not volumes:
        yield ""
        return
    image = engine.import_image(_EMPTY_TAR, stack.labels)
    binds = [f"{name}:/{FOLDER}/{stack.logical(name)}" for name in volumes]
    try:
        host = {"Binds": binds, "NetworkMode": "none"}
        body = {"Image": image, "Cmd": ["/none"], "Labels": stack.labels, "HostConfig": host}
        container = engine.create("container", body, "copy volumes")["Id"]
        try:
            yield container
        finally:
            engine.remove("container", [container])
    finally:
        engine.remove("image", [image])
