"""Images of a real engine: who pulled them, what uses them, and that only what nothing needs is removed."""

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.image_prune import images_to_prune
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.engine_images import EngineImages
from reconciler.host.swarm.services.pulled_images import pull_images
from reconciler.ports.app import App
from state.image_log import read_uses
from tests.swarm.local_engine import LocalEngine


def made_image(engine: LocalEngine, name: str) -> str:
    """Make an image with random content, push it to the registry, and return its reference."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        entry = tarfile.TarInfo("data")
        entry.size = 1024
        archive.addfile(entry, io.BytesIO(os.urandom(entry.size)))
    reference = f"{engine.registry}/canon-prune-{name}:1"
    image = Engine(engine.environment).import_image(content.getvalue(), {})
    engine.docker("tag", image, reference)
    engine.docker("push", "--quiet", reference)
    return reference


@pytest.fixture
def references(engine: LocalEngine) -> Iterator[tuple[str, str]]:
    """Two images in the registry: the engine does not have the first, and has the second."""
    made = made_image(engine, "new"), made_image(engine, "own")
    engine.docker("rmi", made[0])
    yield made
    for reference in made:
        Engine(engine.environment).remove("image", [reference])


def test_only_what_canon_pulled_goes_and_only_once_no_container_and_no_service_uses_it(
    engine: LocalEngine, references: tuple[str, str], tmp_path: Path
) -> None:
    docker, log = Engine(engine.environment), tmp_path / "images.jsonl"
    app = App("notes", tmp_path / "app", "")
    pull_images(docker, references, log, app, "c1")
    pull_images(docker, references, log, app, "c1")
    first, again = read_uses(log)
    assert [image.pulled for image in first.images] == [True, False]
    assert [image.pulled for image in again.images] == [False, False]
    new, own = references

    def removed() -> list[str]:
        images = EngineImages(docker)
        plan = images_to_prune(images.present(), read_uses(log), (), ())
        gone = images.remove(plan.images)
        return [tag for image in plan.images if image.id in gone for tag in image.tags]

    container = engine.docker("create", new, "/data")
    assert removed() == []
    engine.docker("rm", container)
    service = engine.docker("service", "create", "--detach", "--replicas", "0", "--name", "canon-prune", new, "/data")
    try:
        assert removed() == []
    finally:
        engine.docker("service", "rm", service)
    assert removed() == [new]
    assert removed() == []
    listed = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert (new in listed, own in listed) == (False, True)
