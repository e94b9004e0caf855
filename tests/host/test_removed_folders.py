import shutil
from pathlib import Path

import pytest

from reconciler.errors import InfrastructureError
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, RemovalResult
from tests.host.stopped_apps import deployed_and_stopped, held_by_modes
from tests.procfile_apps import OPTIONS, checkout, script, wait_for_line


def test_folders_that_an_app_closed_are_opened_and_deleted(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    for mode in (0o000, 0o500, 0o400):
        folder = app.data / f"closed-{mode:o}" / "in"
        folder.mkdir(parents=True)
        (folder / "file").touch(mode=0o000)
        folder.chmod(mode)
        folder.parent.chmod(mode)
    assert held_by_modes("remove", app, tmp_path) == str(RemovalResult())
    assert not app.folder.exists()


def test_a_folder_deeper_than_any_path_may_be_long_is_deleted(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    dig = "[(os.mkdir('d' * 200), os.chdir('d' * 200)) for _ in range(40)]"
    web = script(f"import os, time; os.chdir(os.environ['DATA_DIR']); {dig}; print('dug', flush=True); time.sleep(999)")
    driver.deploy(app, checkout(tmp_path / "one", web=web), OPTIONS)
    wait_for_line(app.logs / "web.log")
    assert driver.remove(app) == RemovalResult()
    assert not app.folder.exists()


def test_removing_follows_no_link_out_of_the_slot(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (app.data / "out").symlink_to(tmp_path / "precious")
    shutil.rmtree(app.secrets)
    app.secrets.symlink_to(tmp_path / "precious")
    driver.remove(app)
    assert (tmp_path / "precious" / "file").read_text() == "x"
    assert not app.folder.exists()


def test_settings_are_not_written_through_a_link(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    (tmp_path / "precious").write_text("x")
    for name in ("settings.json", "run/app-run", "run/inside.py"):
        (app.folder / name).unlink()
        (app.folder / name).symlink_to(tmp_path / "precious")
    driver.deploy(app, checkout(tmp_path / "two"), OPTIONS)
    assert (tmp_path / "precious").read_text() == "x"
    assert not (app.folder / "settings.json").is_symlink()


def test_a_log_is_not_written_through_a_link(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    deployed_and_stopped(driver, app, tmp_path)
    (tmp_path / "precious").write_text("x")
    (app.logs / "web.log").unlink()
    (app.logs / "web.log").symlink_to(tmp_path / "precious")
    with pytest.raises(InfrastructureError, match="web cannot be started"):
        driver.deploy(app, checkout(tmp_path / "two"), OPTIONS)
    assert (tmp_path / "precious").read_text() == "x"
