"""`reconcile plan` and `reconcile apply`: save a plan, and carry out exactly that plan."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from reconciler.cli.command_context import CommandContext, load_context
from reconciler.cli.composition import interruptible, make_host, progress_on_stderr
from reconciler.cli.missing_state import missing_state_notes
from reconciler.cli.options import Options
from reconciler.cli.output_file import require_output_folder
from reconciler.cli.passes import print_report, request_of, run_pass
from reconciler.cli.told_pass import EventLines
from reconciler.core.basis import moved_parts
from reconciler.core.report import ReportCommand
from reconciler.core.saved_plan import PlannedStep, SavedPlan, planned_steps
from reconciler.errors import NeedsPersonError, UsageError
from reconciler.ports.host import Host
from reconciler.show.documents.report_document import json_text, report_document
from reconciler.show.quantities import rfc3339
from reconciler.stages.planning import RunRequest
from reconciler.stages.preview import Preview, preview_with_basis
from state.folder.durable import replace_file

FORMAT = 1
_COMMAND = "saved-plan"
_MAKE_ONE = "make one: reconcile plan --out FILE"
_MOST_NAMED = 8


def plan(options: Options, retry: Sequence[str], out: str | None) -> int:
    """Print what a pass would do. Save the plan in the file `out`, unless `out` is None. Return the report's exit code.

    `retry` names recipes to try again although they were red. Raise UsageError if `out` is there and no saved plan.
    """
    path = _require_plan_path(out)
    context = load_context(options)
    request = request_of(context, ReportCommand.PLAN, retry)
    with interruptible(), progress_on_stderr(options) as progress:
        seen = preview_with_basis(make_host(context, progress), request)
    if path is not None:
        replace_file(path, _text(_saved(context, request, seen), seen).encode("ascii"))
    return print_report(context, evolve(seen.report, notes=(*missing_state_notes(context.state), *seen.report.notes)))


def apply(options: Options, file: str, lines: EventLines | None) -> int:
    """Carry out the plan in `file`, if nothing on which it depends has changed. Return the exit code of the pass.

    `lines` prints what the pass does; None without --events. Raise UsageError if the file has no saved plan for this
    fleet folder and state folder. Raise NeedsPersonError if something has changed on which the plan depends.
    """
    context = load_context(options)
    saved = _read(Path(file))
    _require_same_folders(context, saved, file)
    names = tuple(name for name in saved.names if name in context.fleet.recipes)
    retry = tuple(name for name in saved.retry if name in context.fleet.recipes)
    context = evolve(context, names=names)
    request = evolve(request_of(context, ReportCommand.PASS, retry), planned=saved.steps)
    return run_pass(context, request, check=lambda host: _require_unmoved(host, request, saved, file), lines=lines)


def _require_unmoved(host: Host, request: RunRequest, saved: SavedPlan, file: str) -> None:
    """Observe and plan again. Raise NeedsPersonError if anything has changed on which the plan `saved` depends.

    `file` is the file of the saved plan, which the error names.
    """
    moved = moved_parts(saved.basis, preview_with_basis(host, request).basis)
    if moved:
        more = f", and {len(moved) - _MOST_NAMED} more" if len(moved) > _MOST_NAMED else ""
        message = (
            f"the plan in {file} is stale: since {saved.made_at} these moved: {', '.join(moved[:_MOST_NAMED])}{more}"
        )
        raise NeedsPersonError(f"{message}; nothing was done", f"look again: reconcile plan --out {file}")


def _require_same_folders(context: CommandContext, saved: SavedPlan, file: str) -> None:
    """Raise UsageError if the saved plan is for another state folder or fleet folder, or if the option -r is given.

    `file` is the file of the saved plan, which the error names.
    """
    if context.options.recipes:
        raise UsageError("apply takes no --recipe", "the plan says which recipes it is about")
    for what, planned, own in (
        ("state", saved.state, str(context.state.root.resolve())),
        ("fleet", saved.fleet, str(context.fleet.folder.resolve())),
    ):
        if planned != own:
            raise UsageError(
                f"the plan in {file} is for the {what} folder {planned}, and this is {own}", "name that one"
            )


# ---- the file ----


def _require_plan_path(out: str | None) -> Path | None:
    """Return the absolute path of the file `out`, for a plan to be saved; None if `out` is None.

    Raise UsageError if its folder is missing or cannot be written to, or if something is there that is neither a saved
    plan, of any format, nor an empty file. Raise OSError if a file is there that cannot be read.
    """
    if out is None:
        return None
    path = Path(out).absolute()
    require_output_folder("--out", out)
    if os.path.lexists(path) and not (path.is_file() and _is_replaceable(path.read_bytes())):
        raise UsageError(f"--out {out}: what is there is no saved plan, and stays as it is", "name a new file")
    return path


def _is_replaceable(content: bytes) -> bool:
    """Return whether a file with this content may be replaced by a new plan: it is a saved plan, or it is empty."""
    if not content:
        return True
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("command") == _COMMAND


def _saved(context: CommandContext, request: RunRequest, seen: Preview) -> SavedPlan:
    return SavedPlan(
        state=str(context.state.root.resolve()),
        fleet=str(context.fleet.folder.resolve()),
        made_at=rfc3339(seen.report.run.started_at),
        names=tuple(request.names),
        retry=tuple(sorted(request.retry)),
        steps=planned_steps(seen.plan),
        basis=seen.basis,
    )


def _text(saved: SavedPlan, seen: Preview) -> str:
    """Return the content of the file of a saved plan, as JSON text: the plan, and the JSON document of its report."""
    steps = {name: {"action": step.action, "commit": step.commit} for name, step in saved.steps.items()}
    return json_text(
        {
            "format": FORMAT,
            "command": _COMMAND,
            "state": saved.state,
            "fleet": saved.fleet,
            "made_at": saved.made_at,
            "names": list(saved.names),
            "retry": list(saved.retry),
            "steps": steps,
            "basis": {name: dict(parts) for name, parts in saved.basis.items()},
            "report": report_document(seen.report),
        }
    )


def _read(file: Path) -> SavedPlan:
    """Return the saved plan in `file`.

    Raise UsageError if there is no such file, or if its content is no saved plan. Raise OSError if the file cannot be
    read.
    """
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", _MAKE_ONE) from error
    try:
        document = json.loads(content)
        if (document["format"], document["command"]) != (FORMAT, _COMMAND):
            raise ValueError("it has another format")  # noqa: TRY301  the same error as for any other content
        return _of_document(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{file} is no saved plan: {error}", _MAKE_ONE) from error


def _of_document(document: Mapping[str, Any]) -> SavedPlan:
    return SavedPlan(
        state=str(document["state"]),
        fleet=str(document["fleet"]),
        made_at=str(document["made_at"]),
        names=tuple(map(str, document["names"])),
        retry=tuple(map(str, document["retry"])),
        steps={name: PlannedStep(str(step["action"]), str(step["commit"])) for name, step in document["steps"].items()},
        basis={name: dict(parts) for name, parts in document["basis"].items()},
    )
