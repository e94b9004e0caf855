"""Makes the images of this folder and pushes them to the tests' registry; README.md beside it tells the form.

Standard library alone: it runs before there is an environment of ours.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

HERE = Path(__file__).resolve().parent
REGISTRY = os.environ.get("CANON_TEST_REGISTRY", "127.0.0.1:5000")
CACHE = Path(os.environ.get("CANON_TEST_CACHE", "/var/tmp/canon-cache"))
LABEL = "canon.inputs"
# More than cores: what waits for the network and what compiles get along.
AT_ONCE = threading.Semaphore(3)
TAIL = 30
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Image:
    """One line of a `versions` file."""

    name: str
    version: str
    base: str
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def reference(self) -> str:
        return f"{REGISTRY}/{self.title}"


class BuildError(Exception):
    """An image could not be made: its name, and how its log ends."""


def read_images(folder: Path = HERE) -> dict[str, list[Image]]:
    """Every image by the name of its folder, in the order of its versions."""
    return {path.parent.name: read_versions(path) for path in sorted(folder.glob("*/versions"))}


def read_versions(path: Path) -> list[Image]:
    lines = (line.partition("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines())
    return [
        Image(path.parent.name, version, base, dict(key.split("=", 1) for key in keys))
        for version, base, *keys in filter(None, lines)
    ]


def inputs(image: Image, images: Mapping[str, Iterable[Image]], folder: Path = HERE) -> str:
    """The hash of all that the image is made from, its ancestors included."""
    digest = hashlib.sha256(json.dumps([image.title, image.base, sorted(image.keys.items())]).encode())
    for path in sorted((folder / image.name).rglob("*")):
        if path.is_file() and path.name != "versions":
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder)} {path.stat().st_mode & 0o100} {content}\n".encode())
    for parent in parents(image, images):
        digest.update(inputs(parent, images, folder).encode())
    return digest.hexdigest()


def parents(image: Image, images: Mapping[str, Iterable[Image]]) -> list[Image]:
    """The image that this one comes from; none for one from scratch."""
    name = image.base.partition(":")[0]
    found = [one for one in images.get(name, ()) if one.title == image.base]
    if not found and image.base != "scratch":
        raise BuildError(f"{image.title}: comes from {image.base}, which no folder here makes")
    return found


def closure(names: Iterable[str], images: Mapping[str, Iterable[Image]]) -> list[str]:
    """The names asked for and all they come from, ancestors first."""
    graph: dict[str, set[str]] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in images:
            raise BuildError(f"{name}: no such image; there are: {', '.join(images)}")
        if name not in graph:
            graph[name] = {parent.name for image in images[name] for parent in parents(image, images)}
            todo += graph[name]
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise BuildError(f"these images come from each other: {', '.join(error.args[1])}") from None


def served(image: Image) -> str:
    """The label of what the registry serves by this name, empty where it serves nothing."""
    at = f"http://{REGISTRY}/v2/{image.name}"
    try:
        manifest = _ask(f"{at}/manifests/{image.version}")
        config = _ask(f"{at}/blobs/{manifest['config']['digest']}")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return ""
        raise
    return str((config["config"].get("Labels") or {}).get(LABEL, ""))


def _ask(url: str) -> dict[str, dict[str, dict[str, str]]]:
    request = urllib.request.Request(url, headers={"Accept": _MANIFEST})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        found: dict[str, dict[str, dict[str, str]]] = json.load(answer)
        return found


def make(image: Image, wanted: str) -> None:
    """Fetch, build and push one image; its log tells all of it."""
    cache = CACHE / image.name
    context = cache / f"{image.version}.context"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(HERE / image.name, context)
    (context / "tree").mkdir()
    told = {**os.environ, **image.keys, "VERSION": image.version, "HERE": str(HERE / image.name), "CACHE": str(cache)}
    with (cache / f"{image.version}.log").open("wb") as log:
        for cwd, command in steps(image, context, wanted):
            done = subprocess.run(
                command, cwd=cwd, env=told, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            )
            if done.returncode:
                raise BuildError(f"{image.title}: {command[0]} ended with {done.returncode}\n{_tail(Path(log.name))}")
    shutil.rmtree(context)


def steps(image: Image, context: Path, wanted: str) -> Iterable[tuple[Path, list[str]]]:
    """The commands that make the image, each with the folder it runs in."""
    if (context / "fetch").exists():
        yield context / "tree", [str(context / "fetch")]
    given = {"FROM": f"{REGISTRY}/{image.base}", "VERSION": image.version, **image.keys}
    options = [part for key, value in given.items() for part in ("--build-arg", f"{key}={value}")]
    tag = ["--label", f"{LABEL}={wanted}", "--tag", image.reference]
    yield context, ["docker", "build", "--network", "host", *options, *tag, "."]
    yield context, ["docker", "push", "--quiet", image.reference]


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-TAIL:]
    return "\n".join(f"    {line}" for line in [*lines, f"whole log: {log}"])


def build_all(order: Iterable[str], images: Mapping[str, Iterable[Image]]) -> list[BaseException]:
    """Make every name, each as soon as those it comes from are there; what failed."""
    running: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(max_workers=len(images)) as pool:
        for name in order:
            before = {parent.name for image in images[name] for parent in parents(image, images)}
            running[name] = pool.submit(make_name, name, images, [running[one] for one in before if one in running])
        wait(running.values())
    return [error for error in (one.exception() for one in running.values()) if error]


def make_name(name: str, images: Mapping[str, Iterable[Image]], before: Iterable["Future[None]"]) -> None:
    if any(one.exception() for one in before):
        raise BuildError(f"{name}: not made, since what it comes from was not")
    (CACHE / name).mkdir(parents=True, exist_ok=True)
    # Two runs at once make an image once: the later finds it served.
    with (CACHE / name / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for image in images[name]:
            with AT_ONCE:
                make_stale(image, inputs(image, images))


def make_stale(image: Image, wanted: str) -> None:
    begun = time.monotonic()
    if served(image) == wanted:
        print(f"{image.title}: unchanged", flush=True)  # noqa: T201
        return
    make(image, wanted)
    print(f"{image.title}: made in {time.monotonic() - begun:.0f} s", flush=True)  # noqa: T201


def main(names: list[str]) -> int:
    failed: list[BaseException] = []
    try:
        images = read_images()
        failed += build_all(closure(names or list(images), images), images)
    except BuildError as unknown:
        failed.append(unknown)
    for one in failed:
        print(f"build: {one if isinstance(one, BuildError) else repr(one)}", file=sys.stderr)  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
