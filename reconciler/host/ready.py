"""Waits until an app answers as declared: twice in a row, and from a listener of its own."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta

from attrs import evolve, frozen

from desired.model import Argv, Ready, Unobservable
from reconciler.crossing import Absent, Command, Seen, Unready
from reconciler.errors import InfrastructureError
from reconciler.host.text import one_line, printable
from reconciler.ports import Clock, Commands

Look = Callable[[], Seen | Absent | Unobservable]

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_BEFORE_SECOND = 0.2
_LONGEST_PROBE = 10.0
# How long a connection has to stay to count.
_STAYS = 0.5
_BODY = 64 * 1024


@frozen
class _NotYet:
    """The app does not answer as declared, which may change."""

    reason: str


@frozen
class _Question:
    """What is asked of an app and how; `until` is the deadline on the monotonic clock."""

    ready: Ready
    look: Look
    command: Command
    until: float


class HostReadiness:
    """`commands` runs the probe of `[ready] run`; `sleep` takes seconds."""

    def __init__(self, commands: Commands, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self._commands = commands
        self._clock = clock
        self._sleep = sleep

    def wait(self, ready: Ready, look: Look, command: Command) -> Seen | Unready:
        """Raises InfrastructureError where the program of `[ready] run` is missing."""
        from tenacity import Retrying, retry_if_result, wait_exponential

        seconds = ready.timeout.total_seconds()
        question = _Question(ready, look, command, self._clock.monotonic() + seconds)
        ask = Retrying(
            sleep=self._sleep,
            stop=lambda _: self._clock.monotonic() >= question.until,
            wait=wait_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE),
            retry=retry_if_result(lambda answer: isinstance(answer, _NotYet)),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        answer = ask(self._twice, question)
        if isinstance(answer, Seen):
            return answer
        late = isinstance(answer, _NotYet)
        reason = f"not ready after {seconds:g} s: {answer.reason}" if late else answer.reason
        return Unready(reason, timed_out=late)

    def _twice(self, question: _Question) -> Seen | Unready | _NotYet:
        """An app that answers once may be on its way down."""
        first = self._once(question)
        if not isinstance(first, Seen):
            return first
        self._sleep(_BEFORE_SECOND)
        return self._once(question)

    def _once(self, question: _Question) -> Seen | Unready | _NotYet:
        seen = question.look()
        if isinstance(seen, Absent):
            return Unready(seen.reason or "nothing of it runs")
        if isinstance(seen, Unobservable):
            return _NotYet(seen.reason)
        if seen.lost:
            return Unready(seen.lost, timed_out=seen.late)
        objection = self._objection(question, seen) if seen.settled else seen.lacks
        return _NotYet(objection) if objection else seen

    def _objection(self, question: _Question, seen: Seen) -> str:
        """Why what the app answers now is not what was declared; "" when it is."""
        ready = question.ready
        left = max(_BEFORE_SECOND, question.until - self._clock.monotonic())
        if ready.run is not None:
            return self._run(ready.run, question.command, seen, left)
        limit = min(_LONGEST_PROBE, left)
        if ready.tcp:
            return _connect(seen.address, limit)
        return _get(seen, ready.http or "/", ready.status, limit)

    def _run(self, argv: Argv, command: Command, seen: Seen, left: float) -> str:
        environment = {**command.env, "URL": seen.url, "ADDRESS": seen.address}
        deadline = min(command.deadline, timedelta(seconds=left))
        ran = self._commands.run(evolve(command, argv=argv, env=environment, deadline=deadline))
        program = printable(argv[0])
        if ran.missing:
            raise InfrastructureError(f"{program}: not found in PATH", "install it, and name it in [recipe] requires")
        if ran.ok:
            return ""
        how = "did not end in time" if ran.code is None else f"ended with exit code {ran.code}"
        return f"{program} {how}: {one_line(ran.tail.encode())}"


def _connect(address: str, limit: float) -> str:
    """Docker's proxy takes any connection for a container, and ends it at once where the app does not listen."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=limit) as connection:
            return "" if _stays(connection) else f"{address} ends a connection at once"
    except OSError as failure:
        return f"{address} takes no connection: {failure}"


def _stays(connection: socket.socket) -> bool:
    connection.settimeout(_STAYS)
    try:
        return bool(connection.recv(1))
    except TimeoutError:
        return True
    except OSError:
        return False


def _get(seen: Seen, path: str, wanted: tuple[int, ...], limit: float) -> str:
    """Ask for `path` once; an answer that leads elsewhere is an answer, and is not followed.

    The name in the URL goes along: a proxy at the address routes by it.
    """
    from http.client import HTTPConnection, HTTPException, IncompleteRead

    connection = HTTPConnection(seen.address, timeout=limit)
    with closing(connection):
        try:
            connection.connect()
            with _cut_off(connection.sock, limit):
                connection.request("GET", path, headers={"Host": seen.url.partition("://")[2]})
                response = connection.getresponse()
                body = response.read(_BODY)
                if response.length and len(body) < _BODY:
                    raise IncompleteRead(body, response.length)
        except (OSError, HTTPException, ValueError) as failure:
            return f"GET {printable(path)}: {printable(str(failure)) or type(failure).__name__}"
    status = response.status
    return "" if status in wanted else f"GET {printable(path)} is answered with {status}, not {_listed(wanted)}"


@contextmanager
def _cut_off(connection: socket.socket, limit: float) -> Iterator[None]:
    """End a connection after `limit` seconds: a timeout of its socket alone begins anew with every byte."""
    timer = threading.Timer(limit, _cut, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _listed(wanted: tuple[int, ...]) -> str:
    return " or ".join(map(str, wanted))
