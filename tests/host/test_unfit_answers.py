import math
import signal
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from desired.model import Ready
from desired.releases import Unobservable
from reconciler.host.command_runner import HostCommands, SystemClock
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.host.readiness.http import CUTTER, get
from reconciler.host.readiness.wait import HostReadiness
from reconciler.ports.app import App, AppStatus, NotRunning, RunningApp, Unready
from tests.host.blocked_signals_of_threads import STOPPING, blocked_in
from tests.host.readiness_checks import AT_ONCE, SOON, probe, readiness
from tests.host.unfit_servers import FOREIGN, GOOD, Deaf, Foreign, Full, Impostor, Skipping, Starting, impostor, served
from tests.procfile_apps import ENVIRONMENT, OPTIONS, checkout, script, settled


def seen_at(port: int, *, lacks: str = "") -> RunningApp:
    return RunningApp("1.0.0", "c" * 40, not lacks, f"http://127.0.0.1:{port}", f"127.0.0.1:{port}", lacks)


def test_a_server_that_closes_every_connection_at_once_is_not_ready(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    """Docker's proxy does this before the app in its container listens."""
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    with impostor(b"") as proxy:
        unready = readiness(app).wait(
            Ready(http=None, tcp=True, timeout=AT_ONCE), lambda: seen_at(proxy.port), probe(app)
        )
    assert isinstance(unready, Unready)
    assert unready.reason.endswith(f"127.0.0.1:{proxy.port} ends a connection at once")
    with impostor(b"220 ready\r\n") as greeter:
        look = seen_at(greeter.port)
        assert readiness(app).wait(Ready(http=None, tcp=True, timeout=AT_ONCE), lambda: look, probe(app)) == look


def test_another_program_that_answers_well_makes_no_app_ready(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one", web="exec sleep 1000"), OPTIONS)
    with impostor(GOOD) as stranger:
        # The app gets the port on which the stranger listens.
        def look() -> RunningApp | NotRunning:
            seen = driver.status(app)
            assert isinstance(seen, RunningApp)
            return seen_at(stranger.port, lacks=seen.problem)

        unready = readiness(app).wait(Ready(timeout=AT_ONCE), look, probe(app))
        assert isinstance(unready, Unready)
        assert unready.timed_out
        assert stranger.asked == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nServer: x",
        b"HTTP/1.1 200 OK\r\nServer: x\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nshort",
        b"\xff" * 99,
    ],
)
def test_an_answer_that_is_cut_or_no_http_makes_no_app_ready(app: App, answer: bytes) -> None:
    with impostor(answer) as server:
        look = lambda: seen_at(server.port)  # noqa: E731
        unready = readiness(app).wait(Ready(timeout=AT_ONCE), look, probe(app))
    assert isinstance(unready, Unready)
    assert unready.timed_out
    assert unready.reason.startswith("not ready after 0.6 s: GET /: ")
    assert unready.reason.isprintable()


@pytest.mark.parametrize("slow", [b"X-Slow: 1\r\n" * 100_000, b"\r\n" + b"x" * 100_000])
def test_an_answer_that_drips_is_cut_off_and_is_none(app: App, slow: bytes) -> None:
    with impostor(b"HTTP/1.1 200 OK\r\n" + slow, pause=0.05) as server:
        look = lambda: seen_at(server.port)  # noqa: E731
        unready = readiness(app).wait(Ready(timeout=AT_ONCE), look, probe(app))
    assert isinstance(unready, Unready)
    assert unready.timed_out
    assert unready.reason.startswith("not ready after 0.6 s: GET /: ")


def patient(app: App, times: float = 1.0) -> HostReadiness:
    """Return a HostReadiness whose pauses take no time, and count `times` as long."""
    clock = Skipping()
    commands = HostCommands(ENVIRONMENT, app.folder.parent)
    return HostReadiness(commands, clock, lambda pause: clock.passed.append(pause * times))


@pytest.mark.parametrize("sent", FOREIGN)
def test_a_server_that_speaks_no_http_is_reported_long_before_its_time_is_up(app: App, sent: bytes) -> None:
    with served(Foreign(sent)) as server:
        look = lambda: seen_at(server.port)  # noqa: E731
        unready = patient(app).wait(Ready(timeout=timedelta(hours=1)), look, probe(app))
    assert isinstance(unready, Unready)
    assert not unready.timed_out
    assert unready.reason.startswith("GET /")
    assert FOREIGN[sent] in unready.reason
    assert unready.reason.endswith("Canon waits for HTTP, unless [ready] has tcp = true or run")


def test_a_server_that_closes_a_connection_on_an_http_request_does_not_speak_http(app: App) -> None:
    with served(Deaf(b"")) as server:
        look = lambda: seen_at(server.port)  # noqa: E731
        unready = patient(app, times=10).wait(Ready(timeout=timedelta(hours=1)), look, probe(app))
    assert isinstance(unready, Unready)
    assert not unready.timed_out
    assert "though it takes connections" in unready.reason


def test_an_app_that_closes_a_connection_and_takes_no_other_is_not_said_to_take_connections() -> None:
    with served(Full(b"")) as server:
        unready = get(seen_at(server.port), "/", (200,), 1.0)
    assert unready is not None
    assert unready.reason.endswith("; it takes no other connection within 1 s")
    assert unready.final_after == math.inf


@pytest.mark.parametrize(
    ("first", "timeout"),
    [
        # Docker's proxy ends connections until the app listens.
        ([b""] * 40, timedelta(hours=1)),
        # An app that takes connections, and comes to answer them later.
        ([None, None], timedelta(seconds=2.5)),
        ([b"garbage\r\n"] * 3, timedelta(hours=1)),
        # Whatever it says between them ends a series of answers that are none.
        ([b"garbage\r\n", b"garbage\r\n", b"garbage\r\n", b"HTTP/1.1 503 Wait\r\n\r\n"] * 6, timedelta(hours=1)),
    ],
)
def test_an_app_that_answers_well_in_the_end_is_ready_whatever_it_did_before(
    app: App, first: list[bytes | None], timeout: timedelta
) -> None:
    with served(Starting(*first)) as server:
        look = seen_at(server.port)
        assert patient(app).wait(Ready(timeout=timeout), lambda: look, probe(app)) == look


def test_an_app_of_a_procfile_that_speaks_no_http_is_reported(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    banner = (
        "import os, socket; s = socket.create_server(('127.0.0.1', int(os.environ['PORT'])));"
        "[(c := s.accept()[0], c.sendall(b'SSH-2.0-x'), c.recv(4096), c.close()) for _ in iter(int, 1)]"
    )
    driver.deploy(app, checkout(tmp_path / "one", web=script(banner)), OPTIONS)
    settled(driver, app)
    unready = patient(app).wait(Ready(timeout=timedelta(hours=1)), lambda: driver.status(app), probe(app))
    assert isinstance(unready, Unready)
    assert not unready.timed_out
    assert "“SSH-2.0-x”, which is no HTTP" in unready.reason


def test_an_answer_that_ends_with_the_connection_is_complete(app: App) -> None:
    with impostor(b"HTTP/1.0 200 OK\r\n\r\nhi") as server:
        assert readiness(app).wait(Ready(timeout=SOON), lambda: seen_at(server.port), probe(app)) == seen_at(
            server.port
        )


def test_an_app_whose_status_could_not_be_read_is_checked_again(app: App) -> None:
    looks: list[AppStatus] = [Unobservable("the daemon is busy"), seen_at(1, lacks="x")]
    with impostor(GOOD) as server:
        looks += [seen_at(server.port)] * 2
        slept: list[float] = []
        ready = HostReadiness(HostCommands(ENVIRONMENT, app.folder.parent), SystemClock(), slept.append)
        look = lambda: looks.pop(0) if len(looks) > 1 else looks[0]  # noqa: E731
        assert ready.wait(Ready(timeout=SOON), look, probe(app)) == seen_at(server.port)
    assert len(looks) == 1
    assert len(slept) >= 3


def test_no_signal_that_the_main_thread_has_blocked_comes_through_the_thread_that_ends_a_probe() -> None:
    blocked = list[set[signal.Signals]]()

    class Looking(Impostor):
        def drip(self, connection: socket.socket) -> None:
            assert connection.recv(4096)
            blocked.append(blocked_in(CUTTER))
            super().drip(connection)

    with served(Looking(GOOD)) as server:
        assert get(seen_at(server.port), "/", (200,), 20) is None
    assert blocked == [STOPPING]
