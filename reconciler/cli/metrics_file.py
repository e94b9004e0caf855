"""Writes the metrics of a run to a file that the textfile collector of node_exporter reads."""

from pathlib import Path

from attrs import evolve

from reconciler.cli.command_context import CommandContext
from reconciler.cli.output_file import READABLE, code_of_unwritten, require_output_path
from reconciler.cli.read_last_pass import last_whole_pass
from reconciler.core.last_pass import LastWholePass
from reconciler.core.report import Report
from reconciler.errors import CanonError
from reconciler.show.documents.metrics import MetricsInput, metrics_text
from state.folder.durable import replace_file
from state.registry.registry import SqliteRegistry
from state.state_errors import StateError


def require_metrics_path(file: str | None) -> Path | None:
    """Return the path that the option --metrics names; None if the option is not given.

    Raise UsageError if the file's name does not end in .prom, because node_exporter reads only such files. Also raise
    UsageError if the file's folder cannot be written to.
    """
    if file is None:
        return None
    return require_output_path("--metrics", file, ".prom", name_hint="node_exporter reads no other files")


def write_metrics(
    context: CommandContext, path: Path | None, report: Report, code: int, last: LastWholePass | None = None
) -> int:
    """Write the metrics of a report to the file `path`, in one step and readable by everybody. Return the exit code.

    * `path`: None to write nothing.
    * `code`: the exit code of the command, which is not the report's if stdout could not be written. It is written too,
      and returned if writing succeeds.
    * `last`: the last pass over the whole fleet; None to read it from the ledger.

    If the file cannot be written, or the records that it needs cannot be read, print the reason to stderr, and return 1
    in place of a code from 0 to 4; other codes are returned unchanged.
    """
    if path is None:
        return code
    try:
        records = SqliteRegistry(context.state.database).read()
        seconds = {name: memory.seconds for name, memory in records.memories.items() if memory.seconds is not None}
        since = {name: record.since for name, record in records.drift.items()}
        known = MetricsInput(context.fleet.name, last or last_whole_pass(context), seconds, since)
        replace_file(path, metrics_text(evolve(report, exit_code=code), known).encode(), READABLE)
    except (OSError, CanonError, StateError) as error:
        return code_of_unwritten("the metrics", path, error, code)
    return code
