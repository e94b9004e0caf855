"""The commands with their options; each calls its function in another module."""

import io
import sys
from collections.abc import Sequence

import click

from reconciler import __version__
from reconciler.cli.options import NONEMPTY, Options, common_options, metrics_option
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


class _Commands(click.Group):
    """A group that lists its commands in the order of their definition; click's own sorts them by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self.commands)


@click.group(cls=_Commands, invoke_without_command=True, epilog=EXITS)
@click.version_option(__version__, prog_name="reconcile")
@click.option("--dry-run", is_flag=True, help="Show what a pass would do, and stop.")
@click.option(
    "--retry", type=NONEMPTY, multiple=True, metavar="NAME", help="Try this recipe again although it was red."
)
@metrics_option
@common_options
@click.pass_context
def reconcile(
    context: click.Context, options: Options, *, dry_run: bool, retry: tuple[str, ...], metrics: str | None
) -> int:
    """Bring every enrolled recipe's canonical to its latest release that passes a cold test.

    Without a command: one pass.

    Each recipe declares its driver: process, swarm, or abra. The driver abra was built from the documents of
    Co-op Cloud's abra, and has not been run against the real one yet.
    """
    if context.invoked_subcommand is not None:
        return 0
    from reconciler.cli import passes

    return passes.preview(options, "plan", retry, metrics) if dry_run else passes.converge(options, retry, metrics)


@reconcile.command()
@click.option("--out", type=NONEMPTY, metavar="FILE", help="Save the plan in this file, for `reconcile apply`.")
@click.option(
    "--retry", type=NONEMPTY, multiple=True, metavar="NAME", help="Try this recipe again although it was red."
)
@common_options
def plan(options: Options, out: str | None, retry: tuple[str, ...]) -> int:
    """Show what a pass would do, as --dry-run does; with --out, save it."""
    from reconciler.cli import saved_plans

    return saved_plans.plan(options, retry, out)


@reconcile.command()
@click.argument("file", type=NONEMPTY)
@common_options
def apply(options: Options, file: str) -> int:
    """Run a pass that does what the plan in FILE says, and nothing else.

    Refused, with exit code 4, when anything moved on which the plan rests: tags, records, fleet, snapshots, place.
    """
    from reconciler.cli import saved_plans

    return saved_plans.apply(options, file)


@reconcile.command()
@metrics_option
@common_options
def drift(options: Options, metrics: str | None) -> int:
    """Show what differs, and since when. Never writes."""
    from reconciler.cli import passes

    return passes.preview(options, "drift", (), metrics)


@reconcile.command()
@click.argument("name", type=NONEMPTY, required=False)
@common_options
def status(options: Options, name: str | None) -> int:
    """Show the canonicals as recorded; asks no upstream."""
    from reconciler.cli import status_and_logs

    return status_and_logs.status(options, name)


@reconcile.command()
@click.argument("name", type=NONEMPTY, required=False)
@click.option("--offline", is_flag=True, help="Ask no upstream; explain by what passes recorded.")
@common_options
def explain(options: Options, name: str | None, *, offline: bool) -> int:
    """Say why a recipe is as it is, what would change that, and what happens next. Never writes.

    Without NAME: all recipes. Example: reconcile explain gitea
    """
    from reconciler.cli import explain_command

    return explain_command.explain(options, name, offline=offline)


_since_option = click.option(
    "--since", type=NONEMPTY, metavar="WHEN", help="Only since then: 12h, 7d, 2026-11-01, or a time."
)


@reconcile.command()
@click.argument("name", type=NONEMPTY, required=False)
@_since_option
@common_options
def history(options: Options, name: str | None, since: str | None) -> int:
    """Show what happened to a recipe, or to all, and who or what did it; failures stay.

    With -o json, one object on each line. Example: reconcile history gitea --since 30d
    """
    from reconciler.cli import history_command

    return history_command.history(options, name, since)


@reconcile.command()
@click.option("--for", "name", type=NONEMPTY, metavar="NAME", help="Only of this recipe.")
@_since_option
@click.option("-w", "--watch", is_flag=True, help="Go on with what happens, until interrupted.")
@common_options
def events(options: Options, name: str | None, since: str | None, *, watch: bool) -> int:
    """Show the lines of the ledger, the oldest first.

    With -o json, one object on each line. Example: reconcile events --since 1h --watch
    """
    from reconciler.cli import history_command

    return history_command.events(options, name, since, watch=watch)


@reconcile.command()
@click.argument("name", type=NONEMPTY)
@click.option("--ref", type=NONEMPTY, metavar="REF", help="A release, branch or commit; default: the newest release.")
@click.option(
    "--tiers", type=NONEMPTY, metavar="LIST", help="Only these tiers, separated by commas; install always runs."
)
@click.option("--junit", type=NONEMPTY, metavar="FILE", help="Also write the tiers as JUnit XML.")
@common_options
def trial(options: Options, name: str, ref: str | None, tiers: str | None, junit: str | None) -> int:
    """Test a release, branch or commit, upgraded from the canonical. Never promotes.

    Exit codes: 0 green, 4 red, 1 infrastructure.
    """
    from reconciler.cli import trial_command

    return trial_command.trial(options, name, trial_command.TrialOptions(ref, tiers, junit))


@reconcile.command("raise")
@click.argument("name", type=NONEMPTY)
@click.option(
    "--for", "span", default="1h", metavar="SPAN", show_default=True, help="How long to keep it running, e.g. 10m."
)
@common_options
def raise_(options: Options, name: str, span: str) -> int:
    """Run an isolated copy of a canonical with its data, until interrupted.

    Prints one line with its address. The canonical is not touched.
    """
    from reconciler.cli import raise_command

    return raise_command.raise_copy(options, name, span)


@reconcile.command()
@click.argument("name", type=NONEMPTY)
@click.argument("trial_id", type=NONEMPTY, metavar="[TRIAL]", required=False)
@common_options
def logs(options: Options, name: str, trial_id: str | None) -> int:
    """Show the log of the last trial, tier by tier."""
    from reconciler.cli import status_and_logs

    return status_and_logs.logs(options, name, trial_id)


@reconcile.command()
@click.option("--head", type=NONEMPTY, metavar="HASH", help="The hash of a line of the ledger that you kept elsewhere.")
@common_options
def audit(options: Options, head: str | None) -> int:
    """Derive every claim of the records anew, and show whether it agrees. Never writes.

    Asks upstreams with git, reads mirrors, snapshots and the ledger byte by byte, and looks at what runs. Shares no
    code with what promotes.

    Exit codes: 0 nothing disagrees, 3 a claim disagrees.
    """
    from reconciler.cli import audit_command

    return audit_command.audit_records(options, head)


@reconcile.command()
@click.argument("name", type=NONEMPTY)
@click.argument("tag", type=NONEMPTY, required=False)
@click.option("--reason", required=True, help="Why this is right; kept in the ledger.")
@common_options
def accept(options: Options, name: str, tag: str | None, reason: str) -> int:
    """Accept a moved TAG; without TAG, accept that upstream lost tags."""
    from reconciler.cli import accept_and_forget

    return accept_and_forget.accept(options, name, tag, reason)


@reconcile.command()
@click.argument("name", type=NONEMPTY)
@click.option("--reason", required=True, help="Why nothing is to change; kept in the ledger.")
@click.option("--until", type=NONEMPTY, metavar="DATE", help="The day when it ends, e.g. 2027-03-01; default: no end.")
@common_options
def hold(options: Options, name: str, reason: str, until: str | None) -> int:
    """Keep a recipe at the release it has: nothing is tried or promoted."""
    from reconciler.cli import hold_and_resume

    return hold_and_resume.hold(options, name, hold_and_resume.HoldRequest(reason, until))


@reconcile.command()
@click.argument("name", type=NONEMPTY)
@click.option("--reason", default="", help="Why it goes on; kept in the ledger.")
@common_options
def resume(options: Options, name: str, reason: str) -> int:
    """End the hold or the rollback of a recipe."""
    from reconciler.cli import hold_and_resume

    return hold_and_resume.resume(options, name, reason)


@reconcile.command()
@click.argument("name", type=NONEMPTY)
@click.option("--to", type=click.IntRange(min=1), metavar="GENERATION", help="Default: the newest of an older release.")
@click.option("--reason", required=True, help="Why the release is left; kept in the ledger.")
@common_options
def rollback(options: Options, name: str, to: int | None, reason: str) -> int:
    """Make an older generation the canonical again, after a check that it comes up.

    The recipe stays there until upstream has a release newer than the one that was left, or until it is resumed.
    """
    from reconciler.cli import rollback_command

    return rollback_command.rollback(options, name, rollback_command.RollbackOptions(reason, to))


@reconcile.command()
@click.argument("name", type=NONEMPTY)
@click.option("--reason", required=True, help="Why it is deleted; kept in the ledger.")
@common_options
def forget(options: Options, name: str, reason: str) -> int:
    """Delete a recipe that is no longer declared: records, snapshots, mirror, logs."""
    from reconciler.cli import accept_and_forget

    return accept_and_forget.forget(options, name, reason)


@reconcile.command()
@click.argument("name", type=NONEMPTY)
@click.option("--generation", type=int, metavar="N", help="Of this generation; default: the newest.")
@common_options
def evidence(options: Options, name: str, generation: int | None) -> int:
    """Print the in-toto statement on a promotion, in its DSSE envelope."""
    from reconciler.cli import evidence_command

    return evidence_command.evidence(options, name, generation)


@reconcile.command()
@common_options
def prove(options: Options) -> int:
    """Plan twice and try nothing. If a pass would do nothing, the ledger gets a certificate.

    Exit codes: 0 proved, 2 a pass would do something, 1 that could not be seen, 5 nothing is enrolled.
    """
    from reconciler.cli import prove_command

    return prove_command.prove(options)


@reconcile.command()
@common_options
def doctor(options: Options) -> int:
    """Check everything that a pass needs on this host. Changes nothing.

    Exit codes: 0 nothing failed, 1 a check failed.
    """
    from reconciler.cli import doctor_command

    return doctor_command.doctor(options)


@reconcile.command()
@click.argument("folder", type=NONEMPTY)
@common_options
def init(options: Options, folder: str) -> int:
    """Make a new fleet in FOLDER."""
    from reconciler.cli import init_and_demo

    return init_and_demo.init(options, folder)


@reconcile.command()
@click.argument("folder", type=NONEMPTY)
@click.option("--tell", is_flag=True, help="Also run the demo's story, with real commands.")
@common_options
def demo(options: Options, folder: str, *, tell: bool) -> int:
    """Make the demo fleet in FOLDER."""
    from reconciler.cli import init_and_demo

    return init_and_demo.demo(options, folder, tell=tell)


def run(arguments: Sequence[str]) -> int:
    """Run the command line `arguments`. Prints errors to stderr, and returns the exit code."""
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
