import json
import os
import re
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, NotRunning
from tests.folders import undeletable_file
from tests.host.stopped_apps import deployed_and_stopped, held_by_modes
from tests.procfile_apps import COMMIT, OPTIONS, app_in_slot, checkout, process_driver, settled, wait_for_line


def metadata_of(folder: Path) -> dict[str, tuple[object, ...]]:
    """Describe everything below a folder, without inode numbers."""
    found: dict[str, tuple[object, ...]] = {}
    inodes: dict[int, str] = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        look = path.lstat()
        name = str(path.relative_to(folder))
        first = name if stat.S_ISDIR(look.st_mode) else inodes.setdefault(look.st_ino, name)
        content = path.read_bytes() if stat.S_ISREG(look.st_mode) else b""
        target = str(path.readlink()) if stat.S_ISLNK(look.st_mode) else ""
        found[name] = (look.st_mode, look.st_mtime_ns, first, content, target)
    return found


def test_loaded_data_equals_the_saved_data(driver: ProcessDriver, app: App, saved: Path, tmp_path: Path) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    (app.data / "deep" / "er").mkdir(parents=True)
    (app.data / "deep" / "er" / "file").write_bytes(bytes(range(256)))
    (app.data / "tool").write_text("#!/bin/sh\n")
    (app.data / "tool").chmod(0o755)
    (app.data / "same").hardlink_to(app.data / "tool")
    (app.data / "dangling").symlink_to("../../nowhere")
    (app.data / "link").symlink_to("tool")
    os.mkfifo(app.data / "pipe")
    (app.data / os.fsdecode(b"not \xff utf-8\n")).write_text("x")
    (app.data / "closed").mkdir(mode=0o500)
    os.utime(app.data / "tool", ns=(10**18, 10**18 + 7))
    (app.secrets / "key").write_text("secret")
    (app.secrets / "key").chmod(0o600)
    data, secrets = metadata_of(app.data), metadata_of(app.secrets)

    driver.save(app, saved)
    driver.remove(app)
    again = app_in_slot(app.folder.parent.with_name("slot-2"))
    driver.load(again, saved)

    assert metadata_of(again.data) == data
    assert metadata_of(again.secrets) == secrets
    assert len(data) == 11
    assert json.loads((again.folder / "settings.json").read_text()) == {
        "version": "1.0.0",
        "commit": COMMIT,
        "settings": {"TITLE": "mine"},
    }


def test_holes_in_a_file_take_no_room_in_its_copy(driver: ProcessDriver, app: App, saved: Path, tmp_path: Path) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    with (app.data / "holes").open("wb") as file:
        file.truncate(1 << 30)
    driver.save(app, saved)
    look = (saved / "data" / "holes").stat()
    assert look.st_size == 1 << 30
    assert look.st_blocks * 512 < 1 << 20


def test_an_app_raised_from_what_was_saved_finds_its_data_and_secrets(
    driver: ProcessDriver, app: App, saved: Path, tmp_path: Path
) -> None:
    release = checkout(tmp_path / "one", worker="cat $DATA_DIR/x $SECRETS_DIR/key; exec sleep 1000")
    driver.deploy(app, release, OPTIONS)
    driver.stop(app)
    (app.data / "x").write_text("of old ")
    (app.secrets / "key").write_text("and secret\n")
    driver.save(app, saved)
    again = app_in_slot(app.folder.parent.with_name("slot-2"))
    driver.load(again, saved)
    with process_driver(again.folder.parent) as other:
        other.deploy(again, release, OPTIONS)
        assert wait_for_line(again.logs / "worker.log") == "of old and secret\n"


def test_the_data_of_a_running_app_is_not_saved(driver: ProcessDriver, app: App, saved: Path, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    settled(driver, app)
    with pytest.raises(InfrastructureError, match="notes: still runs"):
        driver.save(app, saved)
    assert list(saved.iterdir()) == []


@pytest.mark.parametrize("gone", ["data", "secrets"])
@pytest.mark.parametrize("instead", [None, "link", "file"])
def test_an_app_that_deleted_its_folders_is_not_saved(  # noqa: PLR0913, PLR0917 - two parameters, four fixtures
    driver: ProcessDriver, app: App, saved: Path, tmp_path: Path, gone: str, instead: str | None
) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    shutil.rmtree(app.folder / gone)
    if instead == "link":
        (app.folder / gone).symlink_to(tmp_path)
    if instead == "file":
        (app.folder / gone).write_text("")
    with pytest.raises(RecipeError, match=f"notes: {gone}/ of its slot is gone or no folder any more"):
        driver.save(app, saved)


def test_data_is_not_loaded_over_other_data(driver: ProcessDriver, app: App, saved: Path, tmp_path: Path) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    driver.save(app, saved)
    (app.data / "mine").write_text("x")
    with pytest.raises(InfrastructureError, match="has data already"):
        driver.load(app, saved)
    assert (app.data / "mine").read_text() == "x"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.touch, "UnfitDataError 'data/private' cannot be read by the user that runs Canon"),
        (Path.mkdir, "RecipeError notes: its data cannot be copied: cannot .*data/private': Permission denied"),
    ],
)
def test_unreadable_data_is_named_and_blamed_on_the_recipe(  # noqa: PLR0913, PLR0917 - two parameters, four fixtures
    driver: ProcessDriver, app: App, saved: Path, tmp_path: Path, make: Callable[..., None], message: str
) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    make(app.data / "private", mode=0o000)
    assert re.fullmatch(message, held_by_modes("save and seal", app, saved))


@pytest.mark.needs("root", "chattr")
def test_a_file_that_cannot_be_hard_linked_is_copied(
    driver: ProcessDriver, app: App, saved: Path, tmp_path: Path
) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    for name in ("plain", "unchangeable"):
        (app.data / name).write_text(name)
    with undeletable_file(app.data / "unchangeable"):
        driver.save(app, saved)
    assert metadata_of(saved / "data") == metadata_of(app.data)
    assert (saved / "data" / "unchangeable").stat().st_ino != (app.data / "unchangeable").stat().st_ino


def test_sockets_that_an_app_leaves_behind_do_not_hinder_saving(
    driver: ProcessDriver, app: App, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    monkeypatch.chdir(app.data)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("control")
    (app.data / "x").write_text("x")
    driver.save(app, saved)
    assert (saved / "data" / "x").read_text() == "x"
    assert isinstance(driver.status(app), NotRunning)
