"""The sizes of images and volumes that a real engine names."""

import io
import os
import tarfile
from pathlib import Path

from reconciler.host.disk import HostDisk
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.engine_disk import EngineDisk
from reconciler.host.swarm.recipe.stack import SLOT
from tests.swarm.local_engine import LocalEngine

MIB = 1024**2


def random_archive() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        entry = tarfile.TarInfo("data")
        entry.size = 2 * MIB
        archive.addfile(entry, io.BytesIO(os.urandom(entry.size)))
    return content.getvalue()


def test_volumes_of_slots_below_a_folder_and_all_images_are_measured(engine: LocalEngine, tmp_path: Path) -> None:
    docker = Engine(engine.environment)
    disk = HostDisk(tmp_path, EngineDisk(docker))
    before = disk.use(tmp_path)
    names = {"measured": tmp_path / "install", "other": tmp_path.with_name("elsewhere")}
    image = docker.import_image(random_archive(), {})
    try:
        for name, mark in names.items():
            made = docker.create("volume", {"Name": f"canon-{name}", "Labels": {SLOT: str(mark)}}, "make a volume")
            (Path(made["Mountpoint"]) / "data").write_bytes(os.urandom(MIB))
        after = disk.use(tmp_path)
    finally:
        docker.remove("volume", [f"canon-{name}" for name in names])
        docker.remove("image", [image])
    assert (before.volumes, MIB <= after.volumes < 2 * MIB) == (0, True)
    assert 2 * MIB <= after.images - before.images < 3 * MIB
    assert disk.free() <= HostDisk(tmp_path).free()
