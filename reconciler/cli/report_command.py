"""`reconcile report --html FILE`: writes what Canon knows of the fleet as one page. Changes nothing but FILE."""

from pathlib import Path

from attrs import evolve

from reconciler.cli.command_context import CommandContext, load_context
from reconciler.cli.composition import interruptible, make_host, progress_on_stderr
from reconciler.cli.missing_state import missing_state_notes
from reconciler.cli.options import Options, print_line
from reconciler.cli.output_file import READABLE, reason_beside, require_output_path
from reconciler.cli.read_last_pass import last_whole_pass
from reconciler.cli.standard_streams import FAILED, print_answer, print_error
from reconciler.core.events import events_of
from reconciler.core.needs import apps_of
from reconciler.core.report import ReportCommand
from reconciler.errors import UsageError
from reconciler.ports.host import Host
from reconciler.show.page.page import render_page
from reconciler.show.page.page_facts import PageFacts
from reconciler.stages.disk_room import free_of_state
from reconciler.stages.explaining import explain_preview, without_asking
from reconciler.stages.planning import RunRequest
from reconciler.stages.preview import preview_with_basis
from state.folder.durable import replace_file
from state.registry.registry import SqliteRegistry
from state.state_errors import StateError

_STDOUT = "-"


def report(options: Options, file: str, *, offline: bool) -> int:
    """Write the page to `file`; to stdout if `file` is "-". Return the exit code.

    * 0: the page was written, and the ledger is intact.
    * 1: the page could not be written, or it says that the ledger was changed.

    With `offline`, no upstream is asked. Raise UsageError if the name of `file` does not end in .html, or if its folder
    cannot be written to.
    """
    path = _require_page_path(file)
    if path is None and options.json:
        raise UsageError("--html - prints the page, and -o json an object, both to stdout", "name a file for the page")
    context = load_context(options)
    with interruptible(), progress_on_stderr(options) as progress:
        host = make_host(context, progress)
        facts = collect(context, host, ask=not offline)
    code = FAILED if facts.broken_ledger else 0
    page = render_page(facts)
    if path is None:
        return print_answer(page, code)
    return _write(options, path, page, code)


def collect(context: CommandContext, host: Host, *, ask: bool = True) -> PageFacts:
    """Observe the recipes as `reconcile drift` does, explain each, and read the ledger. Return all that the page shows.

    If -r names recipes, the recipes that they need are included. If `ask` is False, no upstream is asked, and the
    answers that passes recorded are used. Nothing is changed.
    """
    host = host if ask else without_asking(host)
    recipes = context.fleet.recipes
    names = tuple(sorted({app for name in context.names for app in apps_of(recipes[name], recipes)}))
    request = RunRequest(context.fleet, names, ReportCommand.DRIFT)
    made = preview_with_basis(host, request)
    registry = SqliteRegistry(context.state.database)
    events = events_of(registry.lines())
    return PageFacts(
        fleet=context.fleet,
        report=evolve(made.report, notes=(*missing_state_notes(context.state), *made.report.notes)),
        explained=explain_preview(host, request, made, events),
        events=events,
        records=made.records,
        last=last_whole_pass(context),
        asked=ask,
        broken_ledger=_broken_ledger(registry),
        free=free_of_state(host),
    )


def _broken_ledger(registry: SqliteRegistry) -> str:
    """Return how the ledger was changed; "" if its chain of hashes is intact."""
    try:
        registry.verify()
    except StateError as broken:
        return broken.message
    return ""


def _require_page_path(file: str) -> Path | None:
    """Return the absolute path for the page; None for stdout. `file` is the value of --html: a path, or "-" for stdout.

    Raise UsageError if the file's name does not end in .html, or if the file's folder cannot be written to.
    """
    if file == _STDOUT:
        return None
    return require_output_path("--html", file, ".html", name_hint='name one, or "-" for stdout')


def _write(options: Options, path: Path, page: str, code: int) -> int:
    """Replace the file `path` by `page`, in one step and readable by everybody, and print the path. Return `code`.

    If the file cannot be written, print the reason to stderr, and return 1 instead of `code`.
    """
    try:
        replace_file(path, page.encode(), READABLE)
    except OSError as error:
        print_error(f"reconcile: cannot write the page to {path}: {reason_beside(path, error)}\n")
        return FAILED
    return print_line(options, "report", f"the page is in {path}", code)
