"""Waits until an app answers as it is declared, and watches that it stays up."""

import math
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import repeat
from typing import TypeVar

from attrs import define, evolve, frozen

from desired.model import Argv, Ready
from desired.releases import Unobservable
from desired.unprintable import escape_unprintable
from reconciler.errors import InfrastructureError
from reconciler.host.readiness.liveness import ended_since
from reconciler.host.readiness.not_yet import NotYet
from reconciler.host.readiness.polling import growing_pauses, poll
from reconciler.host.text import last_words
from reconciler.ports.app import AppStatus, EndedPart, NotRunning, RunningApp, Unready
from reconciler.ports.commands import Commands, RecipeCommand
from reconciler.ports.driver import Changes
from reconciler.ports.host import Clock

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
# If the driver tells of changes: how often to look nevertheless.
_LONGEST_WITH_CHANGES = 2.0
# In seconds. Checks can be rare, because a driver also reports the parts that ended between two checks.
_WATCH_PAUSE = 5.0
_BEFORE_SECOND = 0.2
_HINT = "Canon waits for HTTP, unless [ready] has tcp = true or run"
# In seconds. Even the last probe, when the time is nearly up, gets _SHORTEST_PROBE: its answer is reported.
_SHORTEST_PROBE = 2.0
_LONGEST_PROBE = 10.0


Answer = TypeVar("Answer")


@frozen
class _ReadinessCheck:
    """How one app is checked.

    * `ready`: the table [ready] of its recipe, which declares the probe.
    * `status`: returns the present status of the app.
    * `command`: has the environment, folder, log and limits for a probe that is a program.
    * `until`: the deadline on the monotonic clock.
    """

    ready: Ready
    status: Callable[[], AppStatus]
    command: RecipeCommand
    until: float


@define
class _FinalAnswers:
    """Measures for how long an app has given only final answers.

    An answer is final if it is a NotYet with a finite `final_after`: such an app hardly becomes ready any more. `since`
    is when the final answers began, on the monotonic clock; None if the last answer was not final.
    """

    since: float | None = None

    def seconds(self, answer: object, now: float) -> float:
        """Return for how many seconds the app has given only final answers; 0 if `answer` is not final.

        `answer` is the answer of a check at the time `now` on the monotonic clock.
        """
        if not (isinstance(answer, NotYet) and math.isfinite(answer.final_after)):
            self.since = None
            return 0.0
        self.since = now if self.since is None else self.since
        return now - self.since


@define
class _Pauses:
    """Makes the pauses between the checks of one app.

    * `changes`: ends a pause early if the app has changed; None if the driver does not report changes.
    * `clock`, `sleep`: read the time, and wait some seconds.
    * `again_in`: the longest next pause in seconds; infinite if only a reported change can change the answer.
    * `unready_at`: when the last check began that found the app not ready, on the monotonic clock; None if none did.
    * `has_changed`: whether a change ended the last pause.
    """

    changes: Changes | None
    clock: Clock
    sleep: Callable[[float], None]
    again_in: float = math.inf
    unready_at: float | None = None
    has_changed: bool = False

    def after(self, check: Callable[[], Answer]) -> Answer:
        """Call `check`, and return its answer. Remember the answer, because the next pause depends on it."""
        began = self.clock.monotonic()
        answer = check()
        self.unready_at = began if isinstance(answer, NotYet) else self.unready_at
        self.again_in = answer.again_in if isinstance(answer, NotYet) else math.inf
        return answer

    def lengths(self) -> Iterator[float]:
        """Yield endless pauses in seconds. They grow up to a limit, and are short again after a change of the app."""
        longest = _LONGEST_PAUSE if self.changes is None else _LONGEST_WITH_CHANGES
        return growing_pauses(_FIRST_PAUSE, 2.0, longest, self.clock.monotonic, lambda: self.has_changed)

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`, or for `again_in` if that is shorter. Stop waiting when `changes` reports a change.

        If `again_in` is less than 0.05 s, 0.05 s take its place.
        """
        seconds = min(seconds, max(_FIRST_PAUSE, self.again_in))
        if self.changes is None:
            self.sleep(seconds)
        else:
            self.has_changed = self.changes.wait(seconds)


class HostReadiness:
    """Waits until apps are ready: implements the port Readiness.

    `commands` runs the programs that `[ready] run` declares. `sleep` waits some seconds.
    """

    def __init__(self, commands: Commands, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self._commands = commands
        self._clock = clock
        self._sleep = sleep

    def wait(
        self, ready: Ready, status: Callable[[], AppStatus], command: RecipeCommand, changes: Changes | None = None
    ) -> RunningApp | Unready:
        """Wait until two checks in a row find that the app answers as `ready` declares.

        Return the app's status; its `unready_at` is when the last check began that found the app not ready. If the app
        fails or takes too long, return Unready with the reason.
        * `status`: reads the status of the app.
        * `command`: has the environment, folder and log for the probe `[ready] run`.
        * `changes`: says when to read the status again; None if the driver does not report changes.

        Raise InfrastructureError if the program of the probe is missing.
        """
        seconds, final = ready.within().total_seconds(), _FinalAnswers()
        check = _ReadinessCheck(ready, status, command, self._clock.monotonic() + seconds)
        pauses = _Pauses(changes, self._clock, self._sleep)
        answer = poll(
            lambda: pauses.after(lambda: self._check(check, final)),
            lambda answer: not isinstance(answer, NotYet),
            seconds,
            pauses.lengths(),
            clock=self._clock.monotonic,
            sleep=pauses.pause,
        )
        if isinstance(answer, NotYet):
            return Unready(f"not ready after {seconds:g} s: {answer.reason}", timed_out=True)
        return evolve(answer, unready_at=pauses.unready_at) if isinstance(answer, RunningApp) else answer

    def watch(self, status: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        """Watch for `seconds` whether the app stays up. Return None if it does. If parts end, return which and how.

        `status` reads the present status of the app. `ready` is the status that the app had when it was ready. Raise
        InfrastructureError if the status cannot be read at the end.
        """

        def ended() -> EndedPart | Unobservable | None:
            now = status()
            return now if isinstance(now, Unobservable) else ended_since(ready, now)

        last = poll(
            ended,
            lambda last: isinstance(last, EndedPart),
            seconds,
            repeat(_WATCH_PAUSE),
            clock=self._clock.monotonic,
            sleep=self._sleep,
        )
        if isinstance(last, Unobservable):
            raise InfrastructureError(last.reason)
        return last

    def _check(self, check: _ReadinessCheck, final: _FinalAnswers) -> RunningApp | Unready | NotYet:
        """Check the app. Return the result of the check; Unready instead of NotYet if waiting longer is useless.

        Waiting is useless if the app has given only final answers for long enough, as `final` measures.
        """
        answer = self._check_twice(check)
        seconds = final.seconds(answer, self._clock.monotonic())
        if isinstance(answer, NotYet) and seconds >= answer.final_after:
            return Unready(f"{answer.reason}: {_HINT}")
        return answer

    def _check_twice(self, check: _ReadinessCheck) -> RunningApp | Unready | NotYet:
        """Check the app. If it is ready, check again, because the app may be about to stop. Return the last result."""
        first = self._check_once(check)
        if not isinstance(first, RunningApp):
            return first
        self._sleep(_BEFORE_SECOND)
        return self._check_once(check)

    def _check_once(self, check: _ReadinessCheck) -> RunningApp | Unready | NotYet:
        """Check the app once. Return its status if it is up and answers as declared.

        Return Unready if it does not run or has failed. Return NotYet otherwise, also if the status cannot be read.
        """
        status = check.status()
        if isinstance(status, NotRunning):
            return Unready(status.reason or "nothing of it runs")
        if isinstance(status, Unobservable):
            return NotYet(status.reason, again_in=_LONGEST_PAUSE)
        if status.failure:
            return Unready(status.failure, timed_out=status.timed_out)
        if not status.is_up:
            settles_in = math.inf if status.settles_in is None else status.settles_in.total_seconds()
            return NotYet(status.problem, again_in=settles_in)
        not_yet = self._probe(check, status)
        # Nobody tells when the app begins to answer.
        return evolve(not_yet, again_in=_LONGEST_PAUSE) if not_yet else status

    def _probe(self, check: _ReadinessCheck, app: RunningApp) -> NotYet | None:
        """Return why the app does not answer as declared; None if it does."""
        ready = check.ready
        left = max(_SHORTEST_PROBE, check.until - self._clock.monotonic())
        if ready.run is not None:
            return self._run(ready.run, check.command, app, left)
        # Imports http.client, which a command that waits for no app does not need.
        from reconciler.host.readiness.http import connect, get

        limit = min(_LONGEST_PROBE, left)
        if ready.tcp:
            return connect(app.address, limit)
        return get(app, ready.http or "/", ready.status, limit)

    def _run(self, argv: Argv, command: RecipeCommand, app: RunningApp, left: float) -> NotYet | None:
        """Run the program `argv` of `[ready] run` for at most `left` seconds. Return None if it exits with 0.

        If it does not, return a NotYet that says how it ended. Raise InfrastructureError if the program is missing.
        """
        environment = {**command.env, "URL": app.url, "ADDRESS": app.address}
        deadline = min(command.deadline, timedelta(seconds=left))
        result = self._commands.run(evolve(command, argv=argv, env=environment, deadline=deadline))
        program = escape_unprintable(argv[0])
        if result.missing:
            raise InfrastructureError(f"{program}: not found in PATH", "install it, and name it in [recipe] requires")
        if result.ok:
            return None
        how = "did not end in time" if result.code is None else f"ended with exit code {result.code}"
        return NotYet(f"{program} {how}: {last_words(result.tail.encode())}")
