import fcntl
import json
import os
import socket
from pathlib import Path

import pytest

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, DeployOptions, NotRunning, RemovalResult, RunningApp
from reconciler.ports.app_secrets import SecretNeed
from tests.host.processes.process_apps import OF_THE_SHELL, get
from tests.procfile_apps import (
    COMMIT,
    ENVIRONMENT,
    OPTIONS,
    PYTHON,
    absent,
    app_in_slot,
    checkout,
    script,
    settled,
    wait_for,
    wait_for_line,
)


def test_an_app_is_seen_with_the_release_that_runs(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker="exec sleep 1000"), OPTIONS)
    seen = settled(driver, app)
    assert (seen.version, seen.commit) == ("1.0.0+1", COMMIT)
    assert seen.url == f"http://{seen.address}"
    assert get(seen, "/") == b"here"


def test_another_driver_sees_the_same_from_the_processes_alone(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker="exec sleep 1000"), OPTIONS)
    seen = settled(driver, app)
    assert ProcessDriver(ENVIRONMENT).status(app) == seen


def test_an_app_that_was_never_started_is_absent_without_a_reason(driver: ProcessDriver, app: App) -> None:
    assert driver.status(app) == NotRunning("")
    assert driver.stop(app) == RemovalResult()
    assert driver.remove(app) == RemovalResult()


def test_an_app_gets_exactly_the_environment_it_was_promised(
    driver: ProcessDriver, app: App, slot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_PASS", "must not be seen")
    sample = "TITLE=sample\nCOLOUR='dark blue'\nPORT=1\nHOME=/nowhere\nSECRET_KEY_VERSION=v1 # length=8\n"
    driver.deploy(app, checkout(tmp_path / "one", sample), DeployOptions("1.0.0", COMMIT, {"TITLE": "it's given"}))
    seen = settled(driver, app)
    environment = json.loads(get(seen, "/env"))
    assert {name: value for name, value in environment.items() if name not in OF_THE_SHELL} == {
        **ENVIRONMENT,
        "HOME": f"{app.folder}/home",
        "TMPDIR": f"{app.folder}/tmp",
        "PORT": seen.address.rpartition(":")[2],
        "DATA_DIR": str(app.data),
        "SECRETS_DIR": str(app.secrets),
        "VERSION": "1.0.0",
        "TITLE": "it's given",
        "COLOUR": "dark blue",
        "CANON_SLOT": str(slot),
    }


def test_an_app_inherits_no_descriptor_and_no_ignored_signal(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)  # noqa: FBT003 - the name says it
        facts = "ls -l /proc/self/fd >$DATA_DIR/fds; grep SigIgn /proc/self/status >$DATA_DIR/ignored"
        driver.deploy(app, checkout(tmp_path / "one", worker=f"{facts}; exec sleep 1000"), OPTIONS)
        settled(driver, app)
    # 32 and 33 are the C library's own: no program can set them, and some that start us hand them on ignored.
    assert int(wait_for_line(app.data / "ignored").split()[1], 16) & ~(0b11 << 31) == 0
    assert "lock" not in wait_for_line(app.data / "fds")
    # The lock is free as soon as we let it go, though the app lives.
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_place_of_an_app_is_closed_to_others(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    folders = [app.folder, app.data, app.secrets, app.logs]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert (app.logs / "web.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("command", "how"),
    [
        ("exit 3", "web ended with exit code 3"),
        ("kill -9 $$", "web ended with exit code 137 (SIGKILL)"),
        ("no-such-program", "web ended with exit code 127"),
        (script("raise SystemExit(0)"), "web ended with exit code 0"),
    ],
)
def test_an_app_whose_web_ended_is_not_running_and_the_reason_says_how(
    driver: ProcessDriver, app: App, tmp_path: Path, command: str, how: str
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web=command, worker="exec sleep 1000"), OPTIONS)
    assert absent(driver, app) == NotRunning(how)


def test_an_app_that_never_listens_is_not_up(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web="echo up; exec sleep 1000"), OPTIONS)
    wait_for_line(app.logs / "web.log")
    seen = driver.status(app)
    assert isinstance(seen, RunningApp)
    assert (seen.is_up, seen.problem) == (False, f"nothing listens on {seen.address}")


def test_an_app_that_listens_on_another_port_is_not_up(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    elsewhere = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print('up', flush=True); time.sleep(999)"
    )
    driver.deploy(app, checkout(tmp_path / "one", web=script(elsewhere)), OPTIONS)
    wait_for_line(app.logs / "web.log")
    seen = driver.status(app)
    assert isinstance(seen, RunningApp)
    assert not seen.is_up


def test_another_program_that_listens_on_the_port_of_an_app_does_not_make_it_up(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web="exec sleep 1000"), OPTIONS)
    seen = driver.status(app)
    assert isinstance(seen, RunningApp)
    port = int(seen.address.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        seen = driver.status(app)
        assert isinstance(seen, RunningApp)
        assert (seen.is_up, seen.problem) == (False, f"another program listens on port {port}")


def test_an_app_that_ended_because_another_program_took_its_port_blames_the_host(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    waits = f"until [ -e ../go ]; do sleep 0.05; done; exec {PYTHON} server.py"
    driver.deploy(app, checkout(tmp_path / "one", web=waits), OPTIONS)
    seen = driver.status(app)
    assert isinstance(seen, RunningApp)
    port = int(seen.address.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        (tmp_path / "go").touch()
        with pytest.raises(InfrastructureError, match=f"another program listens on its port {port}$"):
            wait_for(lambda: isinstance(driver.status(app), NotRunning))
    assert absent(driver, app).reason == "web ended with exit code 1"


def test_a_daemon_that_clears_its_environment_is_the_apps_own_and_no_other_program(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    listens = "import os, socket, time; s = socket.create_server(('127.0.0.1', int(os.environ['PORT']))); "
    daemon = f"{listens}open('../up', 'w').close(); time.sleep(1000)"
    web = f"env -i PORT=$PORT setsid {script(daemon).removeprefix('exec ')} & until [ -e ../up ]; do sleep 0.05; done"
    driver.deploy(app, checkout(tmp_path / "one", web=web), OPTIONS)
    wait_for((tmp_path / "up").exists)
    assert absent(driver, app) == NotRunning("web ended with exit code 0")
    assert driver.stop(app).ended != ()


def test_an_app_is_not_up_while_another_program_shares_its_port(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    share = (
        "import os, socket, time; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1);"
        "s.bind(('127.0.0.1', int(os.environ['PORT']))); s.listen(); time.sleep(1000)"
    )
    driver.deploy(app, checkout(tmp_path / "one", web=script(share)), OPTIONS)
    port = int(settled(driver, app).address.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port), reuse_port=True):
        seen = driver.status(app)
        assert isinstance(seen, RunningApp)
        assert not seen.is_up
    settled(driver, app)


def test_a_listener_that_a_child_of_the_app_holds_is_the_apps_own(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    web = f"env -i PORT=$PORT {PYTHON} server.py; true"
    driver.deploy(app, checkout(tmp_path / "one", web=web), OPTIONS)
    settled(driver, app)


def test_a_worker_that_died_is_reported_while_web_runs(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker="sleep 0.2; exit 7"), OPTIONS)

    def lost() -> str | None:
        seen = driver.status(app)
        assert isinstance(seen, RunningApp)
        return seen.failure

    assert wait_for(lost) == "worker ended with exit code 7"
    seen = driver.status(app)
    assert isinstance(seen, RunningApp)
    assert not seen.is_up
    other = ProcessDriver(ENVIRONMENT).status(app)
    assert isinstance(other, RunningApp)
    assert other.failure == "worker does not run"


def test_the_secrets_that_a_release_reads_are_those_of_its_sample(driver: ProcessDriver, tmp_path: Path) -> None:
    sample = "SECRET_DB_PASSWORD_VERSION=v1 # length=32 charset=hex\nSECRET_KEY_VERSION=v1 # generate=false\n"
    needs = driver.needs(app_in_slot(tmp_path / "slot"), checkout(tmp_path / "one", sample), OPTIONS)
    assert needs == (SecretNeed("db_password", 32, "hex"), SecretNeed("key", None, ""))


@pytest.mark.parametrize(
    ("name", "value"),
    [("PATH", "/x"), ("PORT", "1"), ("CANON_SLOT", "/x"), ("CANON_LINE", "x"), ("a b", ""), ("", ""), ("X", "a\0b")],
)
def test_a_setting_that_the_app_could_not_get_is_refused(
    driver: ProcessDriver, app: App, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(RecipeError, match=r"\[install\] env may not set"):
        driver.deploy(app, checkout(tmp_path / "one"), DeployOptions("1.0.0", COMMIT, {name: value}))
    assert driver.status(app) == NotRunning("")


def test_a_refused_release_leaves_the_running_one_alone(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    seen = settled(driver, app)
    (tmp_path / "two").mkdir()
    with pytest.raises(RecipeError, match="the release has no Procfile"):
        driver.deploy(app, tmp_path / "two", OPTIONS)
    assert driver.status(app) == seen


def test_a_line_that_cannot_be_started_blames_the_host(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    release = checkout(tmp_path / "one", "BIG=" + "x" * 60_000)
    huge = {f"S{number}": "x" * 100_000 for number in range(30)}
    with pytest.raises(InfrastructureError, match="notes: web cannot be started: Argument list too long"):
        driver.deploy(app, release, DeployOptions("1.0.0", COMMIT, huge))
