import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve, field, frozen

from desired.model import Ready, Unobservable
from reconciler.errors import InfrastructureError
from reconciler.host.command_runner import HostCommands, SystemClock
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.host.readiness.wait import HostReadiness
from reconciler.ports.app import App, AppStatus, NotRunning, RunningApp, Unready
from reconciler.ports.commands import RecipeCommand
from tests.procfile_apps import ENVIRONMENT, OPTIONS, app_in_slot, checkout, process_driver, script, settled

SOON = timedelta(seconds=30)
AT_ONCE = timedelta(seconds=0.6)
SEQUENCE = " ".join(map(str, range(1, 1001)))[3 - 199 :]


@pytest.fixture
def app(tmp_path: Path) -> App:
    return app_in_slot(tmp_path / "work" / "slot")


@pytest.fixture
def driver(app: App) -> Iterator[ProcessDriver]:
    with process_driver(app.folder.parent) as driver:
        yield driver


def probe(app: App) -> RecipeCommand:
    folder = app.folder.parent
    return RecipeCommand(("true",), folder, {"RECIPE": app.recipe}, SOON, folder / "probe.log", app.mark)


def readiness(app: App) -> HostReadiness:
    return HostReadiness(HostCommands(ENVIRONMENT, app.folder.parent), SystemClock())


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


class Impostor:
    """A listener that sends the same bytes to every client, with `pause` between them."""

    def __init__(self, answer: bytes, pause: float = 0.0) -> None:
        self.answer, self.pause, self.asked = answer, pause, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.over = threading.Event()

    def serve(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.asked += 1
                with suppress(OSError):
                    self.drip(connection)

    def drip(self, connection: socket.socket) -> None:
        for byte in self.answer:
            connection.sendall(bytes([byte]))
            if self.pause and self.over.wait(self.pause):
                return


@contextmanager
def impostor(answer: bytes, pause: float = 0.0) -> Iterator[Impostor]:
    with served(Impostor(answer, pause)) as server:
        yield server


@contextmanager
def served(server: Impostor) -> Iterator[Impostor]:
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def seen_at(port: int, *, lacks: str = "") -> RunningApp:
    return RunningApp("1.0.0", "c" * 40, not lacks, f"http://127.0.0.1:{port}", f"127.0.0.1:{port}", lacks)


def test_what_ends_every_connection_at_once_is_not_ready_though_it_takes_them(
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


def test_a_stranger_who_answers_well_makes_no_app_ready(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
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


@frozen
class Skipping:
    """A clock that each pause moves, so that no test waits."""

    passed: list[float] = field(factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return sum(self.passed)


def patient(app: App, times: float = 1.0) -> HostReadiness:
    """Return a HostReadiness whose pauses take no time, and count `times` as long."""
    clock = Skipping()
    commands = HostCommands(ENVIRONMENT, app.folder.parent)
    return HostReadiness(commands, clock, lambda pause: clock.passed.append(pause * times))


FOREIGN = {
    b"SSH-2.0-OpenSSH_9.2\r\n": "“SSH-2.0-OpenSSH_9.2”, which is no HTTP",
    b"220 mail.example ESMTP\r\n": "“220 mail.example ESMTP”, which is no HTTP",
    b"-ERR unknown command 'GET', with args beginning with\r\n": "“-ERR unknown command 'GET', with args be”",
    b"J\0\0\0\n8.0.36\0": "“J",
    b"\x15\x03\x01\0\x02\x02\x0a": "in TLS, which is no HTTP",
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n": "since it wants HTTPS",
}


class Foreign(Impostor):
    """A listener that sends everything at once, whatever the request, and reads the request."""

    def drip(self, connection: socket.socket) -> None:
        connection.sendall(self.answer)
        connection.recv(4096)


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


class Deaf(Impostor):
    """A listener that accepts connections, and closes them at any request."""

    def drip(self, connection: socket.socket) -> None:
        connection.recv(64)


def test_what_ends_a_connection_only_when_it_is_asked_in_http_does_not_speak_it(app: App) -> None:
    with served(Deaf(b"")) as server:
        look = lambda: seen_at(server.port)  # noqa: E731
        unready = patient(app, times=10).wait(Ready(timeout=timedelta(hours=1)), look, probe(app))
    assert isinstance(unready, Unready)
    assert not unready.timed_out
    assert "though it takes connections" in unready.reason


class Starting(Impostor):
    """A listener that answers well in the end; earlier clients get the bytes of `first`, or nothing for long."""

    def __init__(self, *first: bytes | None) -> None:
        super().__init__(GOOD)
        self.first = first

    def drip(self, connection: socket.socket) -> None:
        if self.asked > len(self.first):
            super().drip(connection)
            connection.recv(4096)
        elif (early := self.first[self.asked - 1]) is None:
            connection.settimeout(20)
            while connection.recv(64):
                pass
        else:
            connection.sendall(early)
            connection.recv(4096)


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
def test_what_answers_well_in_the_end_is_ready_whatever_it_did_before(
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


def test_what_was_never_started_is_not_waited_for(app: App) -> None:
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
