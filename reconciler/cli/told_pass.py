"""Tells what a pass is doing: on stderr, in a file of the state folder and, with --events, in lines of JSON."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from attrs import define, field

from reconciler.cli.journal_output import journal_outcome
from reconciler.cli.options import Options
from reconciler.cli.standard_streams import UnwrittenError, print_error, report_code_after_failure, write_answer
from reconciler.core.outcome import Outcome
from reconciler.core.report import Report
from reconciler.errors import UsageError
from reconciler.host.stopping_signals import blocked_signals
from reconciler.ports.host import Host
from reconciler.show.documents.pass_events import (
    began_line,
    done_line,
    ended_line,
    planned_line,
    result_line,
    step_line,
)
from reconciler.show.text.progress import LineProgress
from state.pass_progress import PassProgress, PlannedWork
from state.running_pass import drop_progress, keep_progress


@define
class EventLines:
    """Writes the lines of --events to stdout. Once a line cannot be written, drops all later lines; the pass goes on.

    `failure` is the error of the line that could not be written; None if all lines were written.
    """

    failure: UnwrittenError | None = None

    def write(self, line: str) -> None:
        try:
            if self.failure is None:
                write_answer(line)
        except UnwrittenError as failed:
            self.failure = failed

    def end(self, report: Report) -> int:
        """Write the report as the last line of --events. Return the report's exit code.

        If this or an earlier line could not be written, print the reason to stderr, and return 1 in place of a code
        from 0 to 4; other codes are returned unchanged.
        """
        self.write(ended_line(report))
        if self.failure is None:
            return report.exit_code
        print_error(f"reconcile: {self.failure.message}\n  {self.failure.hint}\n")
        return report_code_after_failure(report.exit_code)


def event_lines(options: Options, *, wanted: bool, dry_run: bool = False) -> EventLines | None:
    """Return an object that writes the lines of --events; None if --events is not `wanted`.

    Raise UsageError if --events is wanted together with -o text or -o wide, which ask for text. Raise UsageError also
    if it is wanted for a `dry_run`: --events tells what a pass does, and a dry run starts no pass.
    """
    if not wanted:
        return None
    if options.output in {"text", "wide"}:
        raise UsageError(f"--events prints JSON, and -o {options.output} asks for text", "leave one of them out")
    if dry_run:
        raise UsageError("--events tells what a pass does, and --dry-run runs none", "for its plan: --dry-run -o json")
    return EventLines()


@define
class ToldPass:
    """Tells the progress of a pass, as an implementation of the port Progress.

    * `shown`: shows the progress on stderr.
    * `file`: the file of the state folder that other processes read.
    * `lines`: writes the lines of --events; None if this option is not given.
    * `now`: returns the present time.
    * `pass_now`: what `file` says; None until the pass begins.
    """

    shown: LineProgress
    file: Path
    lines: EventLines | None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    pass_now: PassProgress | None = None

    def begin(self, host: Host, recipes: Sequence[str]) -> None:
        """Tell that the pass of `host` begins, and which recipes it is about."""
        progress = PassProgress(host.pass_id, host.place.trigger, self.now())
        self._keep(progress)
        self._write(lambda: began_line(progress, recipes))

    def planned(self, work: Sequence[PlannedWork], over_budget: Sequence[str]) -> None:
        self._change(lambda progress: progress.with_plan(work, over_budget))
        self._write(lambda: planned_line(work, over_budget, self.now()))

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        self.shown.step(recipe, doing, last_seconds)
        self._change(lambda progress: progress.with_step(recipe, doing, last_seconds, self.now()))
        self._write(lambda: step_line(recipe, doing, last_seconds, self.now()))

    def done(self, recipe: str, result: str) -> None:
        self.shown.done(recipe, result)
        self._change(lambda progress: progress.without(recipe))
        self._write(lambda: done_line(recipe, result, self.now()))

    def show_running(self, recipes: frozenset[str]) -> None:
        self.shown.show_running(recipes)
        self._change(lambda progress: progress.with_beside(recipes))

    def outcome(self, outcome: Outcome) -> None:
        """Tell the outcome of a step in the file and in the lines of --events, and send it to systemd's journal."""
        journal_outcome(outcome)
        self._change(lambda progress: progress.with_result(outcome.step.recipe, outcome.result, self.now()))
        self._write(lambda: result_line(outcome, self.now()))

    def _change(self, change: Callable[[PassProgress], PassProgress]) -> None:
        if self.pass_now is not None:
            changed = change(self.pass_now)
            if changed != self.pass_now:
                self._keep(changed)

    def _keep(self, progress: PassProgress) -> None:
        self.pass_now = progress
        keep_progress(self.file, progress)

    def _write(self, line: Callable[[], str]) -> None:
        if self.lines is not None and self.pass_now is not None:
            self.lines.write(line())


@contextmanager
def told_pass(shown: LineProgress, file: Path, lines: EventLines | None) -> Iterator[ToldPass]:
    """Yield an object that tells the progress of a pass. At the end of the `with` block, remove `file`.

    `shown`, `file` and `lines` become the fields of the yielded object: see ToldPass.
    """
    try:
        yield ToldPass(shown, file, lines)
    finally:
        # A signal here must not leave the file of a pass that ended by itself.
        with blocked_signals():
            drop_progress(file)
