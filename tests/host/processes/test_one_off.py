"""Lines like `release:` run once for each deployment, to their end, before any other line of the app starts."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import RecipeError, TimedOutError
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, DeployOptions, NotRunning, RemovalResult, RunningApp
from tests.procfile_apps import (
    COMMIT,
    OPTIONS,
    PYTHON,
    absent,
    app_in_slot,
    checkout,
    daemon,
    is_running,
    settled,
)

ORDERLY = {
    # Who comes too early finds nothing to add to.
    "worker": "[ -e $DATA_DIR/order ] && echo worker >>$DATA_DIR/order; exec sleep 1000",
    "postdeploy": "echo after $VERSION >>$DATA_DIR/order",
    "release": "sleep 0.5; echo release $VERSION >>$DATA_DIR/order",
}


@pytest.fixture
def app(tmp_path: Path) -> App:
    return app_in_slot(tmp_path / "work" / "slot", grace=1.0)


def order(app: App) -> list[str]:
    return (app.data / "order").read_text().splitlines()


def test_one_off_lines_end_in_the_order_of_the_file_before_other_lines_start(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    web = f"[ -e $DATA_DIR/order ] || exit 9; exec {PYTHON} server.py"
    driver.deploy(app, checkout(tmp_path / "one", web=web, **ORDERLY), OPTIONS)
    settled(driver, app)
    assert order(app)[:2] == ["after 1.0.0+1", "release 1.0.0+1"]
    assert driver.stop(app) == RemovalResult()


def test_one_off_lines_run_again_at_each_deployment_over_the_data_of_the_last_one(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    once = "echo $VERSION >>$DATA_DIR/order"
    for number in (1, 2):
        driver.deploy(app, checkout(tmp_path / str(number), release=once), DeployOptions(f"{number}.0.0", COMMIT))
        settled(driver, app)
    assert order(app) == ["1.0.0", "2.0.0"]


def test_a_one_off_line_gets_the_settings_and_the_folders_of_the_app(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    command = 'echo "$TITLE $PORT $SECRETS_DIR $HOME $CANON_SLOT $PWD" >$DATA_DIR/order'
    release = checkout(tmp_path / "one", "TITLE=notes", release=command)
    driver.deploy(app, release, OPTIONS)
    port = settled(driver, app).address.rpartition(":")[2]
    assert order(app) == [f"notes {port} {app.secrets} {app.folder}/home {app.mark} {release}"]


@pytest.mark.parametrize(
    ("command", "how"),
    [
        ("echo first; echo no such table >&2; exit 3", "with exit code 3"),
        ("echo no such table; kill -9 $$", "by SIGKILL"),
    ],
)
def test_if_it_fails_nothing_starts_and_the_error_has_its_last_lines(
    driver: ProcessDriver, app: App, tmp_path: Path, command: str, how: str
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web=f"echo of web; exec {PYTHON} server.py"), OPTIONS)
    settled(driver, app)
    with pytest.raises(RecipeError) as failed:
        driver.deploy(app, checkout(tmp_path / "two", release=command), DeployOptions("2.0.0", COMMIT))
    assert (failed.value.message, failed.value.tail[-1]) == (f"notes 2.0.0: release ended {how}", "no such table")
    assert driver.status(app) == NotRunning("")
    assert "no such table\n" in (app.logs / "release.log").read_text()


def test_a_one_off_line_has_as_much_time_as_the_app_has_to_become_ready(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    options = DeployOptions("1.0.0", COMMIT, timeout=timedelta(seconds=1))
    with pytest.raises(TimedOutError, match=r"notes 1\.0\.0: release did not end within 1 s"):
        driver.deploy(app, checkout(tmp_path / "one", release="sleep 1000"), options)
    assert driver.leftovers(app.folder.parents[1]) == ()


def test_a_process_that_a_one_off_line_leaves_running_is_stopped_and_named(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    until_written = "until [ -s $DATA_DIR/daemon ]; do sleep 0.1; done; sleep 0.1"
    remarks = driver.deploy(app, checkout(tmp_path / "one", release=daemon(until_written)), OPTIONS)
    pid = int((app.data / "daemon").read_text())
    assert remarks == (f"release left sleep (pid {pid}) running; it was ended",)
    assert not is_running(pid)
    settled(driver, app)


def test_a_process_left_by_a_one_off_line_that_has_to_be_killed_is_a_timeout(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    with pytest.raises(TimedOutError, match=r"release left sleep \(pid \d+\) running") as late:
        driver.deploy(app, checkout(tmp_path / "one", release="trap '' TERM; sleep 1000 & exit 0"), OPTIONS)
    assert type(late.value) is TimedOutError, "a KilledError would blame the release before"


def test_no_secret_reaches_its_log_or_its_last_lines(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    app.secrets.mkdir(parents=True)
    (app.secrets / "key").write_text(canary := f"canary-{os.urandom(8).hex()}")
    with pytest.raises(RecipeError) as failed:
        driver.deploy(app, checkout(tmp_path / "one", release="cat $SECRETS_DIR/key; echo; exit 1"), OPTIONS)
    assert canary not in "".join(failed.value.tail) + (app.logs / "release.log").read_text()


def test_any_other_line_that_ends_is_a_failure_with_a_hint_how_it_would_run_once(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web="exec sleep 1000", migrate="true"), OPTIONS)
    lost = ""
    while not lost:
        seen = driver.status(app)
        assert isinstance(seen, RunningApp)
        lost = seen.failure
    assert lost == "migrate ended with exit code 0: a line that runs once, before web, is named release"


def test_a_procfile_of_lines_that_run_once_alone_is_refused(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "Procfile").write_text("release: touch $DATA_DIR/ran\n")
    with pytest.raises(RecipeError, match="Procfile has no web process"):
        driver.deploy(app, tmp_path / "one", OPTIONS)
    assert not app.data.exists()


def test_an_app_whose_web_ends_after_it_is_absent_for_that_reason(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web="exit 3", release="true"), OPTIONS)
    assert absent(driver, app) == NotRunning("web ended with exit code 3")
