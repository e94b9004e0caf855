import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import InfrastructureError, InterruptedPassError, KilledError, RecipeError
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, DeployOptions, NotRunning, RemovalResult, RunningApp
from reconciler.ports.app_secrets import SecretNeed
from tests.procfile_apps import (
    COMMIT,
    ENVIRONMENT,
    OPTIONS,
    PYTHON,
    absent,
    app_in_slot,
    checkout,
    daemon,
    is_running,
    process_driver,
    script,
    settled,
    wait_for,
    wait_for_line,
)

ROOT = Path(__file__).parents[2]
# What a shell adds to the environment of what it runs, whoever started it.
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    return tmp_path / "work" / "slot"


@pytest.fixture
def driver(slot: Path) -> Iterator[ProcessDriver]:
    with process_driver(slot) as driver:
        yield driver


@pytest.fixture
def app(slot: Path) -> App:
    return app_in_slot(slot)


def get(seen: RunningApp, path: str) -> bytes:
    with urllib.request.urlopen(seen.url + path) as answer:  # noqa: S310 - a url of our own
        body: bytes = answer.read()
    return body


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


def test_an_app_that_never_listens_is_not_settled(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web="echo up; exec sleep 1000"), OPTIONS)
    wait_for_line(app.logs / "web.log")
    seen = driver.status(app)
    assert isinstance(seen, RunningApp)
    assert (seen.is_up, seen.problem) == (False, f"nothing listens on {seen.address}")


def test_an_app_that_listens_elsewhere_is_not_settled(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    elsewhere = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print('up', flush=True); time.sleep(999)"
    )
    driver.deploy(app, checkout(tmp_path / "one", web=script(elsewhere)), OPTIONS)
    wait_for_line(app.logs / "web.log")
    seen = driver.status(app)
    assert isinstance(seen, RunningApp)
    assert not seen.is_up


def test_a_stranger_who_listens_on_the_port_of_an_app_does_not_settle_it(
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


def test_a_stranger_who_shares_the_port_of_an_app_unsettles_it(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
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


def test_a_worker_that_died_is_lost_while_web_lives(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
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


def test_an_orderly_stop_leaves_no_residue_and_no_process(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
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


def test_what_ignores_the_request_to_end_is_killed_and_named_with_its_line(
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


def test_what_is_removed_is_not_waited_for_as_long_as_what_is_kept(
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


def test_what_is_forked_on_the_way_out_and_stays_is_killed(driver: ProcessDriver, slot: Path, tmp_path: Path) -> None:
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


def test_a_new_release_takes_the_place_of_the_old_and_finds_its_data(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker="echo of one >$DATA_DIR/x; exec sleep 1000"), OPTIONS)
    before = settled(driver, app)
    wait_for_line(app.data / "x")
    driver.deploy(app, checkout(tmp_path / "two"), DeployOptions("2.0.0", "d" * 40))
    after = settled(driver, app)
    assert (before.version, after.version, after.commit) == ("1.0.0+1", "2.0.0", "d" * 40)
    assert (app.data / "x").read_text() == "of one\n"
    assert len(driver.leftovers(app.folder.parent)) == 1


def test_what_a_release_left_running_is_reported_after_the_next_one_was_deployed_over_it(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker=daemon("exec sleep 1000")), OPTIONS)
    pid = int(wait_for_line(app.data / "daemon"))
    driver.deploy(app, checkout(tmp_path / "two"), OPTIONS)
    assert not is_running(pid)
    assert driver.stop(app).ended == (f"sleep (pid {pid})",)


def test_stopping_one_app_of_a_slot_leaves_the_other_alone(driver: ProcessDriver, slot: Path, tmp_path: Path) -> None:
    notes, needed = app_in_slot(slot), app_in_slot(slot, "needed")
    for app in (notes, needed):
        driver.deploy(app, checkout(tmp_path / app.recipe), DeployOptions("1.0.0", COMMIT))
    seen = settled(driver, needed)
    settled(driver, notes)
    driver.remove(notes)
    assert driver.status(notes) == NotRunning("")
    assert driver.status(needed) == seen
    assert not notes.folder.exists()
    driver.clear(str(slot))
    assert isinstance(driver.status(needed), NotRunning)
    assert driver.leftovers(slot.parent) == ()


def test_clearing_a_slot_leaves_another_slot_alone(slot: Path, tmp_path: Path) -> None:
    other = slot.with_name("slot-2")
    with process_driver(slot, other) as driver:
        for each in (slot, other):
            driver.deploy(app_in_slot(each), checkout(tmp_path / each.name), OPTIONS)
            settled(driver, app_in_slot(each))
        assert driver.leftovers(slot.parent) == (str(slot), str(other))
        driver.clear(str(slot))
        assert isinstance(driver.status(app_in_slot(slot)), NotRunning)
        settled(driver, app_in_slot(other))


def test_slots_that_come_and_go_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    slots = [tmp_path / "work" / f"slot-{number}" for number in range(4)]
    with process_driver(*slots) as driver:
        results: dict[Path, tuple[RunningApp, bytes, RemovalResult]] = {}

        def live(slot: Path) -> None:
            for turn in range(2):
                folder = tmp_path / f"{slot.name}-{turn}"
                driver.deploy(
                    app_in_slot(slot),
                    checkout(folder, worker=daemon("exec sleep 1000")),
                    DeployOptions(slot.name, COMMIT),
                )
                seen = settled(driver, app_in_slot(slot))
                wait_for_line(app_in_slot(slot).data / "daemon")
                results[slot] = (seen, get(seen, "/env"), driver.stop(app_in_slot(slot)))

        threads = [threading.Thread(target=live, args=(slot,)) for slot in slots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(results) == set(slots)
        for slot, (seen, environment, removal) in results.items():
            pid = (app_in_slot(slot).data / "daemon").read_text().strip()
            assert (seen.version, json.loads(environment)["CANON_SLOT"]) == (slot.name, str(slot))
            assert f"sleep (pid {pid})" in removal.ended
            assert not is_running(int(pid))
        assert driver.leftovers(tmp_path) == ()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.procfile_apps import ENVIRONMENT, OPTIONS, app_in_slot, settled, wait_for_line
from reconciler.host.processes.process_driver import ProcessDriver
slot, checkout = map(Path, sys.argv[1:])
driver = ProcessDriver(ENVIRONMENT)
driver.deploy(app_in_slot(slot), checkout, OPTIONS)
settled(driver, app_in_slot(slot))
wait_for_line(app_in_slot(slot).data / "daemon")
print("deployed", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("folder_is_gone", [False, True])
def test_what_a_killed_pass_left_running_is_found_and_ended_by_the_next(
    driver: ProcessDriver, app: App, slot: Path, tmp_path: Path, *, folder_is_gone: bool
) -> None:
    release = checkout(tmp_path / "one", worker=daemon("exec sleep 1000"))
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(slot), str(release)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "deployed\n"
        killed.kill()
    pid = int((app.data / "daemon").read_text())
    assert isinstance(driver.status(app), RunningApp)
    assert is_running(pid)
    if folder_is_gone:
        slot.rename(tmp_path / "elsewhere")
    assert driver.leftovers(slot.parent) == (str(slot),)
    assert f"sleep (pid {pid})" in driver.clear(str(slot)).ended
    assert driver.leftovers(slot.parent) == ()
    assert not is_running(pid)
    assert driver.status(app) == NotRunning("")


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


# ---- another state folder of the same path ----


def test_a_driver_of_another_state_folder_with_the_same_path_leaves_an_app_alone(
    slot: Path, app: App, tmp_path: Path
) -> None:
    one, two = (ProcessDriver({**ENVIRONMENT, "CANON_STATE": name * 32}, grace=2.0) for name in "ab")
    try:
        one.deploy(app, checkout(tmp_path / "one"), OPTIONS)
        seen = settled(one, app)
        assert (two.leftovers(slot.parent), two.status(app), two.stop(app)) == ((), NotRunning(""), RemovalResult())
        assert two.clear(str(slot)) == RemovalResult()
        assert one.status(app) == seen
        assert one.leftovers(slot.parent) == (str(slot),)
    finally:
        one.clear(str(slot))
    assert one.status(app) == NotRunning("")


def test_an_app_from_before_there_were_ids_is_known_by_its_path(
    driver: ProcessDriver, slot: Path, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    settled(driver, app)
    later = ProcessDriver({**ENVIRONMENT, "CANON_STATE": "a" * 32}, grace=2.0)
    assert later.leftovers(slot.parent) == (str(slot),)
    assert later.clear(str(slot)) == RemovalResult()
    assert later.status(app) == NotRunning("")
