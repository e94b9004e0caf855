import re
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from desired.model import Ready
from desired.releases import Unobservable
from reconciler.errors import InfrastructureError
from reconciler.host.command_runner import HostCommands, SystemClock
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.host.readiness.wait import HostReadiness
from reconciler.ports.app import App, NotRunning, RunningApp, Unready
from tests.host.readiness_checks import AT_ONCE, SOON, probe, readiness
from tests.procfile_apps import ENVIRONMENT, OPTIONS, checkout, script, settled

SEQUENCE = " ".join(map(str, range(1, 1001)))[3 - 199 :]


def wait(driver: ProcessDriver, app: App, ready: Ready) -> RunningApp | Unready:
    return readiness(app).wait(ready, lambda: driver.status(app), probe(app))


def test_an_app_that_answers_as_declared_is_ready(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    seen = wait(driver, app, Ready(http="/", timeout=SOON))
    assert seen == settled(driver, app)


@pytest.mark.parametrize(
    ("ready", "reason"),
    [
        (Ready(http="/status/503"), "GET /status/503 is answered with 503, not 200"),
        (Ready(http="/status/404", status=(200, 204)), "GET /status/404 is answered with 404, not 200 or 204"),
        (Ready(http="/away"), "GET /away is answered with 302, not 200"),
        (Ready(http="/a b"), "GET /a b: URL can't contain control characters. '/a b' (found at least ' ')"),
        (Ready(http=None, run=("sh", "-c", "echo broken; exit 4")), "sh ended with exit code 4: broken"),
        (Ready(http=None, run=("sh", "-c", "seq 1000; echo it; exit 4")), f"sh ended with exit code 4: …{SEQUENCE} it"),
    ],
)
def test_an_app_that_answers_otherwise_is_not_ready_in_time_and_its_last_answer_is_reported(
    driver: ProcessDriver, app: App, tmp_path: Path, ready: Ready, reason: str
) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    settled(driver, app)
    unready = wait(driver, app, evolve(ready, timeout=AT_ONCE))
    assert unready == Unready(f"not ready after 0.6 s: {reason}", timed_out=True)


@pytest.mark.parametrize(
    "ready",
    [
        Ready(http="/status/418", status=(200, 418)),
        Ready(http="/away", status=(302,)),
        Ready(http=None, tcp=True),
        Ready(http=None, run=("sh", "-c", 'test "$URL" = "http://$ADDRESS" && test "$RECIPE" = notes')),
    ],
)
def test_readiness_is_whatever_was_declared(driver: ProcessDriver, app: App, tmp_path: Path, ready: Ready) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    assert isinstance(wait(driver, app, evolve(ready, timeout=SOON)), RunningApp)


def test_an_app_that_crashes_at_its_start_is_reported_at_once_with_its_last_lines(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    crash = "echo starting; echo 'no such table: notes' >&2; exit 3"
    driver.deploy(app, checkout(tmp_path / "one", web=crash, worker="echo busy; exec sleep 1000"), OPTIONS)
    unready = wait(driver, app, Ready(timeout=timedelta(hours=1)))
    assert unready == Unready("web ended with exit code 3", timed_out=False)
    assert {"web: starting", "web: no such table: notes"} <= {*driver.logs(app)}


def test_an_app_whose_worker_ended_is_reported_at_once(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker="echo out of ideas; exit 9"), OPTIONS)
    unready = wait(driver, app, Ready(timeout=timedelta(hours=1)))
    assert unready == Unready("worker ended with exit code 9", timed_out=False)
    assert driver.logs(app) == ("worker: out of ideas",)


def test_an_app_that_ends_after_its_first_answer_is_not_ready(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    once = (
        "import http.server, os; h = http.server.SimpleHTTPRequestHandler;"
        "http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), h).handle_request(); os._exit(5)"
    )
    driver.deploy(app, checkout(tmp_path / "one", web=script(once)), OPTIONS)
    unready = wait(driver, app, Ready(timeout=timedelta(hours=1)))
    assert isinstance(unready, Unready)
    assert unready.reason.startswith("web ended with exit code 5")


def test_an_app_that_never_listens_is_not_ready_in_time(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web="exec sleep 1000"), OPTIONS)
    unready = wait(driver, app, Ready(timeout=AT_ONCE))
    assert isinstance(unready, Unready)
    assert unready.timed_out
    assert re.fullmatch(r"not ready after 0.6 s: nothing listens on 127.0.0.1:\d+", unready.reason)


def test_an_app_that_was_never_started_is_not_waited_for(app: App) -> None:
    unready = readiness(app).wait(Ready(timeout=SOON), lambda: NotRunning(""), probe(app))
    assert unready == Unready("nothing of it runs", timed_out=False)


def test_pauses_grow_up_to_one_second(app: App) -> None:
    slept: list[float] = []
    clock = SystemClock()
    ready = HostReadiness(HostCommands(ENVIRONMENT, app.folder.parent), clock, slept.append)
    looks = iter([Unobservable("x")] * 12 + [NotRunning("gone")])
    assert isinstance(ready.wait(Ready(timeout=SOON), lambda: next(looks), probe(app)), Unready)
    assert slept == sorted(slept)
    assert (len(slept), slept[0], slept[-1]) == (12, 0.05, 1.0)


def test_a_probe_whose_program_is_missing_blames_the_host(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    settled(driver, app)
    with pytest.raises(InfrastructureError, match="no-such-probe: not found in PATH"):
        wait(driver, app, Ready(http=None, run=("no-such-probe",), timeout=SOON))


def test_a_probe_that_hangs_is_ended_by_the_deadline(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    settled(driver, app)
    unready = wait(driver, app, Ready(http=None, run=("sleep", "1000"), timeout=AT_ONCE))
    assert isinstance(unready, Unready)
    assert unready.timed_out
    assert "sleep did not end in time" in unready.reason


def test_last_words_are_short_printable_and_without_secrets(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    flood = (
        "import sys; sys.stdout.write('x' * 4_000_000 + chr(10)); key = open('key').read();"
        "print('the key is', key, chr(27) + '[2J', chr(0x202e)); sys.exit(1)"
    )
    release = checkout(tmp_path / "one", web=script(flood))
    (release / "key").write_text("hunter2-hunter2")
    app.secrets.mkdir(parents=True)
    (app.secrets / "key").write_text("hunter2-hunter2\n")
    driver.deploy(app, release, OPTIONS)
    assert isinstance(wait(driver, app, Ready(timeout=SOON)), Unready)
    said = driver.logs(app)
    assert all(line.isprintable() for line in said)
    assert "web: the key is [redacted] \\x1b[2J \\u202e" in said
    assert len("".join(said)) < 6000
