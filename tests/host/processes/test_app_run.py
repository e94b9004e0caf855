import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, DeployOptions
from tests.host.processes.process_apps import OF_THE_SHELL, get
from tests.procfile_apps import (
    COMMIT,
    OPTIONS,
    checkout,
    settled,
    wait_for,
)


def test_a_program_is_run_inside_the_app_with_its_environment_and_nothing_else(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    release = checkout(tmp_path / "a b'c", "TITLE=notes")
    driver.deploy(app, release, DeployOptions("1.0.0", COMMIT, {"PASSWORD": "s3cret it's"}))
    seen = settled(driver, app)
    inside = driver.app_run(app)
    assert inside.stat().st_mode & 0o777 == 0o700
    code = "import os,json; print(json.dumps([os.getcwd(), dict(os.environ), open('/proc/self/cmdline').read()]))"
    ran = subprocess.run(
        [inside, sys.executable, "-c", code, "$HOME; *"], env={"MINE": "1"}, capture_output=True, text=True, check=True
    )
    folder, environment, arguments = json.loads(ran.stdout)
    of_web = json.loads(get(seen, "/env"))
    assert Path(folder).samefile(release)
    assert {name: of_web[name] for name in of_web.keys() - OF_THE_SHELL} == environment
    assert environment["PASSWORD"] == "s3cret it's"
    assert arguments.split("\0")[-2] == "$HOME; *"
    assert "s3cret" not in arguments


@pytest.mark.parametrize(("argv", "code"), [(["/bin/sh", "-c", "exit 7"], 7), (["no-such"], 127), ([], 127)])
def test_a_program_inside_the_app_ends_with_its_own_exit_code(
    driver: ProcessDriver, app: App, tmp_path: Path, argv: list[str], code: int
) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    ran = subprocess.run([driver.app_run(app), *argv], capture_output=True, check=False)
    assert ran.returncode == code


def test_a_program_left_running_inside_the_app_is_ended_with_it(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    with subprocess.Popen([driver.app_run(app), "/bin/sleep", "1000"]) as running:
        wait_for(lambda: Path(f"/proc/{running.pid}/cmdline").read_bytes().startswith(b"/bin/sleep"))
        driver.stop(app)
        # On a busy host it may be asked to end, and ended before it could.
        assert running.wait() in {-signal.SIGTERM, -signal.SIGKILL}
