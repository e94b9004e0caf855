"""`reconcile`, `reconcile --dry-run` and `reconcile drift`: run or preview a pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve

from reconciler.cli.command_context import CommandContext, load_context, pass_lock, require_declared
from reconciler.cli.composition import (
    interruptible,
    make_host,
    parallel_of,
    private_files,
    progress_on_stderr,
    workers_for,
)
from reconciler.cli.journal_output import journal_report
from reconciler.cli.metrics_file import require_metrics_path, write_metrics
from reconciler.cli.missing_state import missing_state_notes
from reconciler.cli.named_lists import read_ways
from reconciler.cli.notifications import tell_failed_pass, tell_pass
from reconciler.cli.options import Options, stdout_screen
from reconciler.cli.read_last_pass import last_whole_pass
from reconciler.cli.standard_streams import print_answer
from reconciler.cli.told_pass import EventLines, told_pass
from reconciler.core.last_pass import LastWholePass, code_with_last_pass
from reconciler.core.report import Report, ReportCommand
from reconciler.errors import UsageError
from reconciler.host.stopping_signals import blocked_signals
from reconciler.ports.host import Host
from reconciler.show.documents.report_document import json_text, report_document
from reconciler.show.text.pass_age import last_pass_part, stale_notes
from reconciler.show.text.report_table import render_report
from reconciler.stages.loop import Pass, reconcile, with_exit_code_of
from reconciler.stages.planning import RunRequest
from reconciler.stages.preview import preview as make_preview


def preview(
    options: Options, command: str, retry: Sequence[str], metrics: str | None, *, ways: str | None = None
) -> int:
    """Print what a pass would do, and return the report's exit code. Only the metrics are written; no lock is taken.

    * `command`: the command whose report is printed, "plan" or "drift".
    * `retry`: recipes to try again although they were red.
    * `metrics`: the file for metrics; None for none.
    * `ways`: ways to try of every canonical, with commas between, besides those that its recipe declares; None for
      none.

    Raise UsageError if an option is not valid.
    """
    context, metrics_path = load_context(options), require_metrics_path(metrics)
    request = evolve(request_of(context, ReportCommand(command), retry), ways=read_ways(ways))
    with interruptible(), progress_on_stderr(options) as progress:
        report = make_preview(make_host(context, progress), request)
    report = evolve(report, notes=(*missing_state_notes(context.state), *report.notes))
    last = last_whole_pass(context)
    if report.run.command is ReportCommand.DRIFT:
        code = code_with_last_pass(report.exit_code, last)
        report = evolve(report, notes=(*report.notes, *stale_notes(last)), exit_code=code)
        journal_report(report)
    code = print_report(context, report, last)
    return write_metrics(context, metrics_path, report, code, last)


def converge(
    options: Options,
    retry: Sequence[str],
    metrics: str | None,
    lines: EventLines | None = None,
    *,
    ways: str | None = None,
) -> int:
    """Run one pass under the pass lock, and print its report. Return the report's exit code.

    * `retry`: recipes to try again although they were red.
    * `metrics`: the file for metrics; None for none.
    * `lines`: prints what the pass does; None without --events.
    * `ways`: ways to try of every canonical, with commas between, besides those that its recipe declares; None for
      none.

    Raise UsageError if one of these options is not valid, LockHeldError if another process holds the lock.
    """
    context, metrics_path = load_context(options), require_metrics_path(metrics)
    request = evolve(request_of(context, ReportCommand.PASS, retry), ways=read_ways(ways))
    return run_pass(context, request, metrics_path, lines=lines)


def run_pass(
    context: CommandContext,
    request: RunRequest,
    metrics_path: Path | None = None,
    check: Callable[[Host], None] = lambda _: None,
    lines: EventLines | None = None,
) -> int:
    """Run one pass under the pass lock, and print its report. Return the report's exit code.

    * `metrics_path`: the file for metrics; None for no file.
    * `check`: is called first, under the lock. If `check` raises an error, no pass is run.
    * `lines`: prints what the pass does, and the report as its last line; None without --events.
    """
    with interruptible(), private_files():
        done = _run_locked(context, request, check, lines)
        # A signal may have come only while messages were sent.
        report = with_exit_code_of(done.signal, done.report)
        with blocked_signals():
            journal_report(report)
            code = print_report(context, report) if lines is None else lines.end(report)
            return write_metrics(context, metrics_path, report, code)


def _run_locked(
    context: CommandContext, request: RunRequest, check: Callable[[Host], None], lines: EventLines | None
) -> Pass:
    """Run one pass under the pass lock, and show what it does. Return its result.

    `check` is called first, under the lock. If `check` raises an error, no pass is run. `lines` prints what the pass
    does; None without --events.
    """
    with (
        pass_lock(context, "reconcile") as lock,
        progress_on_stderr(context.options) as shown,
        told_pass(shown, context.state.running_pass, lines) as told,
    ):
        with _failure_told(context):
            host = make_host(context, told, lock.descriptor)
            workers = workers_for(context, host, told, lock.descriptor)
        check(host)
        told.begin(host, request.names)
        with _failure_told(context):
            done = reconcile(host, request, told.outcome, workers, told.planned)
        return tell_pass(context, done)


@contextmanager
def _failure_told(context: CommandContext) -> Iterator[None]:
    """Send the message that the pass failed, if the `with` block raises an error."""
    try:
        yield
    except Exception as failed:
        tell_failed_pass(context, failed)
        raise


def request_of(context: CommandContext, command: ReportCommand, retry: Sequence[str]) -> RunRequest:
    """Return the request for a pass or a preview of the selected recipes.

    * `command`: the command whose report is made: PASS for a pass, PLAN or DRIFT for a preview.
    * `retry`: the recipes to try again although they were red.

    Raise UsageError if a recipe in `retry` is not declared, or not selected.
    """
    for name in retry:
        require_declared(context, name)
        if name not in context.names:
            raise UsageError(f"--retry {name}: this run is not about {name}", f"add --recipe {name}")
    return RunRequest(context.fleet, context.names, command, frozenset(retry), parallel_of(context.fleet))


def print_report(context: CommandContext, report: Report, last: LastWholePass | None = None) -> int:
    """Print the report in the format that the options ask for. Return the report's exit code.

    `last` is the last pass over the whole fleet, whose age is printed too. None: print no age, as after a pass itself.
    """
    options = context.options
    if options.json:
        more = {"last_whole_pass": last_pass_part(last)} if last is not None else {}
        return print_answer(json_text({**report_document(report), **more}), report.exit_code)
    screen = stdout_screen(options)
    text = render_report(report, screen, wide=options.output == "wide", state=str(context.state.root), last=last)
    return print_answer(text, report.exit_code)
