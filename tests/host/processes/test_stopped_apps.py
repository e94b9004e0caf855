import re
import signal
from pathlib import Path

import pytest

from reconciler.errors import InterruptedPassError, KilledError
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, NotRunning, RemovalResult
from tests.procfile_apps import (
    OPTIONS,
    PYTHON,
    absent,
    app_in_slot,
    checkout,
    daemon,
    is_running,
    script,
    settled,
    wait_for_line,
)


def test_an_app_that_stops_on_sigterm_leaves_no_remark_and_no_process(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    children = f"{PYTHON} server.py & echo $! >$DATA_DIR/pid; wait"
    driver.deploy(app, checkout(tmp_path / "one", web=children, worker="sleep 1000; true"), OPTIONS)
    settled(driver, app)
    pid = int(wait_for_line(app.data / "pid"))
    assert driver.stop(app) == RemovalResult()
    assert not is_running(pid)
    assert driver.status(app) == NotRunning("")
    assert driver.leftovers(app.folder.parent) == ()


def test_an_app_is_asked_to_end_and_may_put_its_data_in_order(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    orderly = "trap 'echo flushed >$DATA_DIR/done; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    driver.deploy(app, checkout(tmp_path / "one", worker=orderly), OPTIONS)
    wait_for_line(app.logs / "worker.log")
    assert driver.stop(app) == RemovalResult()
    assert (app.data / "done").read_text() == "flushed\n"


STUBBORN = script("import signal, time; signal.signal(15, 1); print('up', flush=True); time.sleep(1000)")


def test_a_process_that_ignores_sigterm_is_killed_and_named_with_its_line(
    driver: ProcessDriver, slot: Path, tmp_path: Path
) -> None:
    app = app_in_slot(slot, grace=1.0)
    driver.deploy(app, checkout(tmp_path / "one", worker=STUBBORN), OPTIONS)
    wait_for_line(app.logs / "worker.log")
    removal = driver.stop(app)
    assert len(removal.killed) == 1
    assert re.fullmatch(r"worker: python\S* \(1 s\)", removal.killed[0])
    assert (removal.ended, removal.remaining) == ((), ())


def test_a_release_whose_predecessor_had_to_be_killed_is_not_started_over_its_data(
    driver: ProcessDriver, slot: Path, tmp_path: Path
) -> None:
    app = app_in_slot(slot, grace=1.0)
    driver.deploy(app, checkout(tmp_path / "one", worker=STUBBORN), OPTIONS)
    wait_for_line(app.logs / "worker.log")
    with pytest.raises(KilledError, match=r"notes did not end .*: worker: python\S* \(1 s\)"):
        driver.deploy(app, checkout(tmp_path / "two", worker="echo two >$DATA_DIR/two; exec sleep 1000"), OPTIONS)
    assert driver.status(app) == NotRunning("")
    assert not (app.data / "two").exists()


# Each counts the requests to end that it got, and takes longer to end than a request or two would let it.
SAVERS = {
    "in a handler": """
import os, signal, sys, time
def save(*_):
    with open(os.environ["DATA_DIR"] + "/asked", "a") as asked:
        asked.write(".")
    time.sleep(3)
    with open(os.environ["DATA_DIR"] + "/saved", "w") as saved:
        saved.write("whole")
    sys.exit()
signal.signal(signal.SIGTERM, save)
print("up", flush=True)
while True:
    signal.pause()
""",
    "in a child that its parent does not wait for": """
import os, signal, subprocess, sys
def save(*_):
    with open(os.environ["DATA_DIR"] + "/asked", "a") as asked:
        asked.write(".")
    subprocess.Popen(["/bin/sh", "-c", "sleep 3; printf whole >$DATA_DIR/saved"])
    sys.exit()
signal.signal(signal.SIGTERM, save)
print("up", flush=True)
while True:
    signal.pause()
""",
    "in a child that does not heed the request": """
import os, signal, subprocess
slow = 'trap "" TERM; echo up; while [ ! -e $DATA_DIR/asked ]; do sleep 0.05; done'
subprocess.Popen(["/bin/sh", "-c", f"{slow}; sleep 3; printf whole >$DATA_DIR/saved"])
def end(*_):
    with open(os.environ["DATA_DIR"] + "/asked", "a") as asked:
        asked.write(".")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
while True:
    signal.pause()
""",
}


@pytest.mark.parametrize("how", SAVERS)
def test_an_app_is_asked_once_and_waited_for_until_its_data_is_whole(
    driver: ProcessDriver, slot: Path, tmp_path: Path, how: str
) -> None:
    app = app_in_slot(slot, grace=60.0)
    release = checkout(tmp_path / "one", worker=f"{PYTHON} saver.py; true")
    (release / "saver.py").write_text(SAVERS[how])
    driver.deploy(app, release, OPTIONS)
    wait_for_line(app.logs / "worker.log")
    assert driver.stop(app) == RemovalResult()
    assert (app.data / "asked").read_text() == "."
    assert (app.data / "saved").read_text() == "whole"


def test_a_removed_app_gets_less_time_to_stop_than_a_kept_one(
    driver: ProcessDriver, slot: Path, tmp_path: Path
) -> None:
    app = app_in_slot(slot, grace=1e6)
    driver.deploy(app, checkout(tmp_path / "one", worker=STUBBORN), OPTIONS)
    wait_for_line(app.logs / "worker.log")
    assert driver.remove(app).remaining == ()
    assert driver.leftovers(slot.parent) == ()


def test_a_stop_that_is_broken_off_is_taken_up_by_a_removal(driver: ProcessDriver, slot: Path, tmp_path: Path) -> None:
    app = app_in_slot(slot, grace=1e6)
    driver.deploy(app, checkout(tmp_path / "one", worker=daemon(STUBBORN)), OPTIONS)
    wait_for_line(app.logs / "worker.log")
    hidden = int(wait_for_line(app.data / "daemon"))
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.0)
        with pytest.raises(InterruptedPassError):
            driver.stop(app)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert driver.remove(app).remaining == ()
    assert driver.leftovers(slot.parent) == ()
    assert not is_running(hidden)


def interrupt(number: int, _: object) -> None:
    raise InterruptedPassError(number)


def test_a_daemon_without_session_parent_and_environment_is_found_and_ended(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker=daemon("exec sleep 1000")), OPTIONS)
    pid = int(wait_for_line(app.data / "daemon"))
    assert Path(f"/proc/{pid}/environ").read_bytes().count(b"CANON") == 0
    removal = driver.stop(app)
    assert removal.ended == (f"sleep (pid {pid})",)
    assert not is_running(pid)


def test_a_daemon_of_a_line_that_has_ended_is_found_and_ended(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web=daemon("exit 1")), OPTIONS)
    pid = int(wait_for_line(app.data / "daemon"))
    assert absent(driver, app).reason == "web ended with exit code 1"
    assert driver.stop(app).ended == (f"sleep (pid {pid})",)
    assert not is_running(pid)


def test_a_process_that_is_forked_during_the_stop_and_stays_is_killed(
    driver: ProcessDriver, slot: Path, tmp_path: Path
) -> None:
    app = app_in_slot(slot, grace=2.0)
    last = f"{PYTHON} escape.py $DATA_DIR/late; sleep 1000 & exit 0"
    web = f"trap '{last}' TERM; echo up; while :; do sleep 0.05; done"
    driver.deploy(app, checkout(tmp_path / "one", web=web), OPTIONS)
    wait_for_line(app.logs / "web.log")
    removal = driver.stop(app)
    assert removal.killed == ("web: sleep (2 s)", "sleep (2 s)")
    assert not is_running(int((app.data / "late").read_text()))
    assert removal.remaining == ()
    assert driver.leftovers(app.folder.parent) == ()


def test_children_with_sessions_of_their_own_below_a_living_parent_are_no_residue(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    parent = """
import os, signal, subprocess, sys
child = subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True)
signal.signal(15, lambda *_: (child.terminate(), child.wait(), sys.exit(0)))
print("up", flush=True)
signal.pause()
"""
    (tmp_path / "parent.py").write_text(parent)
    driver.deploy(app, checkout(tmp_path / "one", worker=f"exec {PYTHON} {tmp_path}/parent.py"), OPTIONS)
    wait_for_line(app.logs / "worker.log")
    assert driver.stop(app) == RemovalResult()
