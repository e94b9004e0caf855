"""Waits until an app answers as declared: twice in a row, and from a listener of its own."""

import math
import time
from collections.abc import Callable
from datetime import timedelta

from attrs import define, evolve, frozen

from desired.model import Argv, Ready, Unobservable
from desired.unprintable import escape_unprintable
from reconciler.errors import InfrastructureError
from reconciler.host.pauses import pauses
from reconciler.host.readiness.liveness import ended_since
from reconciler.host.readiness.not_yet import NotYet
from reconciler.host.text import last_words
from reconciler.ports.app import AppStatus, EndedPart, NotRunning, RunningApp, Unready
from reconciler.ports.commands import Commands, RecipeCommand
from reconciler.ports.host import Clock

Look = Callable[[], AppStatus]

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
# What ended by itself while nobody looked is still told afterwards, so that a watch need not look often.
_WATCH_PAUSE = 5.0
_BEFORE_SECOND = 0.2
_OTHERWISE = "[ready] wants HTTP unless it says tcp = true, or run"
# The last attempt often begins when time is up, and its answer is what gets told.
_SHORTEST_PROBE = 2.0
_LONGEST_PROBE = 10.0


@frozen
class _Question:
    """What is asked of an app and how; `until` is the deadline on the monotonic clock."""

    ready: Ready
    look: Look
    command: RecipeCommand
    until: float


@define
class _Spell:
    """Since when an app has given nothing but answers that no waiting mends; None where its last was another."""

    since: float | None = None

    def lasted(self, answer: object, now: float) -> float:
        """How many seconds that is, with this answer."""
        if not (isinstance(answer, NotYet) and math.isfinite(answer.final_after)):
            self.since = None
            return 0.0
        self.since = now if self.since is None else self.since
        return now - self.since


class HostReadiness:
    """`commands` runs the probe of `[ready] run`; `sleep` takes seconds."""

    def __init__(self, commands: Commands, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self._commands = commands
        self._clock = clock
        self._sleep = sleep

    def wait(self, ready: Ready, look: Look, command: RecipeCommand) -> RunningApp | Unready:
        """Raises InfrastructureError where the program of `[ready] run` is missing."""
        from tenacity import Retrying, retry_if_result

        seconds = ready.within().total_seconds()
        question = _Question(ready, look, command, self._clock.monotonic() + seconds)
        growing = pauses(_FIRST_PAUSE, 2.0, _LONGEST_PAUSE, self._clock.monotonic)
        ask = Retrying(
            sleep=self._sleep,
            stop=lambda _: self._clock.monotonic() >= question.until,
            wait=lambda _: next(growing),
            retry=retry_if_result(lambda answer: isinstance(answer, NotYet)),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        answer = ask(self._ask, question, _Spell())
        if isinstance(answer, RunningApp):
            return answer
        late = isinstance(answer, NotYet)
        reason = f"not ready after {seconds:g} s: {answer.reason}" if late else answer.reason
        return Unready(reason, timed_out=late)

    def watch(self, look: Look, ready: RunningApp, seconds: float) -> EndedPart | None:
        """Raises InfrastructureError where the app cannot be looked at when the time is over."""
        until = self._clock.monotonic() + seconds
        while True:
            now = look()
            ending = None if isinstance(now, Unobservable) else ended_since(ready, now)
            left = until - self._clock.monotonic()
            if ending is None and left > 0:
                self._sleep(min(_WATCH_PAUSE, left))
                continue
            if isinstance(now, Unobservable):
                raise InfrastructureError(now.reason)
            return ending

    def _ask(self, question: _Question, spell: _Spell) -> RunningApp | Unready | NotYet:
        answer = self._twice(question)
        lasted = spell.lasted(answer, self._clock.monotonic())
        if isinstance(answer, NotYet) and lasted >= answer.final_after:
            return Unready(f"{answer.reason}: {_OTHERWISE}")
        return answer

    def _twice(self, question: _Question) -> RunningApp | Unready | NotYet:
        """An app that answers once may be on its way down."""
        first = self._once(question)
        if not isinstance(first, RunningApp):
            return first
        self._sleep(_BEFORE_SECOND)
        return self._once(question)

    def _once(self, question: _Question) -> RunningApp | Unready | NotYet:
        seen = question.look()
        if isinstance(seen, NotRunning):
            return Unready(seen.reason or "nothing of it runs")
        if isinstance(seen, Unobservable):
            return NotYet(seen.reason)
        if seen.failure:
            return Unready(seen.failure, timed_out=seen.timed_out)
        objection = self._objection(question, seen) if seen.is_up else NotYet(seen.problem)
        return objection or seen

    def _objection(self, question: _Question, seen: RunningApp) -> NotYet | None:
        """Why what the app answers now is not what was declared; None when it is."""
        ready = question.ready
        left = max(_SHORTEST_PROBE, question.until - self._clock.monotonic())
        if ready.run is not None:
            return self._run(ready.run, question.command, seen, left)
        # It brings HTTP along, which a command that waits for no app does without.
        from reconciler.host.readiness.http import connect, get

        limit = min(_LONGEST_PROBE, left)
        if ready.tcp:
            return connect(seen.address, limit)
        return get(seen, ready.http or "/", ready.status, limit)

    def _run(self, argv: Argv, command: RecipeCommand, seen: RunningApp, left: float) -> NotYet | None:
        environment = {**command.env, "URL": seen.url, "ADDRESS": seen.address}
        deadline = min(command.deadline, timedelta(seconds=left))
        ran = self._commands.run(evolve(command, argv=argv, env=environment, deadline=deadline))
        program = escape_unprintable(argv[0])
        if ran.missing:
            raise InfrastructureError(f"{program}: not found in PATH", "install it, and name it in [recipe] requires")
        if ran.ok:
            return None
        how = "did not end in time" if ran.code is None else f"ended with exit code {ran.code}"
        return NotYet(f"{program} {how}: {last_words(ran.tail.encode())}")
