"""The group of all commands, and the command without a name, which runs a pass."""

import io
import sys
from collections.abc import Sequence

import click

from reconciler import __version__
from reconciler.cli import changing_commands, looking_commands
from reconciler.cli.options import (
    NONEMPTY,
    Options,
    common_options,
    events_option,
    examples,
    metrics_option,
    ways_option,
)
from reconciler.cli.standard_streams import FAILED, print_error, unwritten_message
from reconciler.errors import InterruptedPassError

EXITS = """\b
Exit codes, the gravest wins (5, 1, 4, 3, 2):
  0   all in sync and intact
  1   could not be checked, or could not be done
  2   a promotion is wanted
  3   a canonical is damaged or down
  4   needs a person
  5   hollow: nothing is enrolled, or the counts do not add up
  64  usage    75  busy    78  declarations    129/130/143  interrupted
"""
EXAMPLES = examples("reconcile --dry-run", "reconcile", "reconcile -r gitea --retry gitea")


class _Commands(click.Group):
    """A group that lists its commands in the order in which they are defined. click's own group sorts them by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self.commands)


@click.group(cls=_Commands, invoke_without_command=True, epilog=f"{EXAMPLES}\n\n{EXITS}")
@click.version_option(__version__, prog_name="reconcile")
@click.option("--dry-run", is_flag=True, help="Show what a pass would do, and stop.")
@click.option(
    "--retry", type=NONEMPTY, multiple=True, metavar="NAME", help="Try this recipe again although it was red."
)
@ways_option
@events_option
@metrics_option
@common_options
def reconcile(  # noqa: PLR0913  one for each option
    options: Options,
    *,
    dry_run: bool,
    retry: tuple[str, ...],
    ways: str | None,
    metrics: str | None,
    in_lines: bool,
) -> int:
    """Bring every enrolled recipe's canonical to its latest release that passes a cold test.

    Without a command: one pass.

    Each recipe declares its driver: process, swarm, or abra. The driver abra was built from the documents of
    Co-op Cloud's abra, and has not been run against the real one yet.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return 0
    from reconciler.cli import passes
    from reconciler.cli.told_pass import event_lines

    lines = event_lines(options, wanted=in_lines, dry_run=dry_run)
    if dry_run:
        return passes.preview(options, "plan", retry, metrics, ways=ways)
    return passes.converge(options, retry, metrics, lines, ways=ways)


# In the order in which `--help` lists them.
_COMMANDS = (
    changing_commands.plan,
    changing_commands.apply,
    looking_commands.drift,
    looking_commands.status,
    looking_commands.explain,
    looking_commands.history,
    looking_commands.events,
    looking_commands.report,
    changing_commands.trial,
    changing_commands.raise_,
    looking_commands.logs,
    looking_commands.audit,
    changing_commands.accept,
    changing_commands.hold,
    changing_commands.resume,
    changing_commands.rollback,
    changing_commands.forget,
    looking_commands.evidence,
    looking_commands.prove,
    looking_commands.doctor,
    changing_commands.notify,
    looking_commands.schema,
    changing_commands.init,
    changing_commands.demo,
)
for _command in _COMMANDS:
    reconcile.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run the command line `arguments`. Print errors to stderr, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows only ASCII still gets its answer
            stream.reconfigure(errors="backslashreplace")
    try:
        left = reconcile.main(list(arguments), prog_name="reconcile", standalone_mode=False)
    except click.exceptions.Exit as over:
        return over.exit_code
    except click.UsageError as wrong:
        from reconciler.cli.failures import report_usage_error

        return report_usage_error(wrong, arguments)
    except click.Abort:
        return 130
    except OSError as error:  # from click, which prints the help and the version itself
        print_error("reconcile: {}\n  {}\n".format(*unwritten_message(error)))
        return FAILED
    except (Exception, InterruptedPassError) as failed:  # noqa: BLE001  where an error becomes an exit code
        from reconciler.cli.failures import report_error

        return report_error(failed, arguments)
    return left if isinstance(left, int) else 0
