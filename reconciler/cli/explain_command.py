"""`reconcile explain`: why a recipe is as it is, and what would change it. Changes nothing."""

from datetime import UTC, datetime

from reconciler.cli.command_context import CommandContext, load_context, require_declared
from reconciler.cli.composition import interruptible, make_host, progress_on_stderr
from reconciler.cli.missing_state import missing_state_notes, missing_state_text
from reconciler.cli.options import Options, stdout_screen
from reconciler.cli.standard_streams import print_answer
from reconciler.core.report import ReportCommand
from reconciler.show.documents.explain_document import explain_document
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.explain import render_explanations
from reconciler.stages.explaining import explanations
from reconciler.stages.planning import RunRequest
from state.registry.registry import SqliteRegistry


def explain(options: Options, name: str | None, *, offline: bool) -> int:
    """Print why the recipe `name` is as it is. Return 0.

    If `name` is None, explain the recipes named by -r; without -r, all declared recipes and all orphans. With
    `offline`, no upstream is asked. Raise UsageError if `name` is neither declared nor recorded.
    """
    context = load_context(options)
    names = _names(context, name)
    request = RunRequest(context.fleet, names, ReportCommand.PLAN)
    with interruptible(), progress_on_stderr(options) as progress:
        host = make_host(context, progress)
        explained = explanations(host, request, ask=not offline)
    if options.json:
        return print_answer(json_text(explain_document(explained, missing_state_notes(context.state))), 0)
    text = render_explanations(explained, stdout_screen(options), datetime.now(UTC))
    if not explained:
        text = f"nothing to explain: {context.fleet.folder} declares no recipe, and none is recorded\n"
    return print_answer(missing_state_text(context.state) + text, 0)


def _names(context: CommandContext, name: str | None) -> tuple[str, ...]:
    """Return the recipes to explain: only `name`, if it is not None.

    If `name` is None, return the recipes named by -r; without -r, all declared recipes and all orphans. Raise
    UsageError if `name` is neither declared nor recorded.
    """
    recorded = SqliteRegistry(context.state.database).read().canonicals
    if name is not None:
        if name not in recorded:
            require_declared(context, name)
        return (name,)
    return context.names if context.options.recipes else tuple(sorted({*context.names, *recorded}))
