"""The commands that only look: they print what is recorded, and what differs. Their work is in other modules."""

import click

from reconciler.cli.options import NONEMPTY, Options, common_options, examples, metrics_option

_since_option = click.option(
    "--since", type=NONEMPTY, metavar="WHEN", help="Only since then: 12h, 7d, 2026-11-01, or a time."
)


@click.command(epilog=examples("reconcile drift", "reconcile drift -r gitea -o wide"))
@metrics_option
@common_options
def drift(options: Options, metrics: str | None) -> int:
    """Show what differs, and since when. Never writes."""
    from reconciler.cli import passes

    return passes.preview(options, "drift", (), metrics)


@click.command(epilog=examples("reconcile status", "reconcile status gitea", "reconcile status --watch"))
@click.argument("name", type=NONEMPTY, required=False)
@click.option("-w", "--watch", is_flag=True, help="Show also what a pass does now, until interrupted.")
@common_options
def status(options: Options, name: str | None, *, watch: bool) -> int:
    """Show the canonicals as recorded; asks no upstream.

    With --watch on a terminal, the screen is drawn again twice a second; elsewhere each change is a line. Ctrl-C ends
    it with exit code 130.
    """
    from reconciler.cli import status_and_logs

    return status_and_logs.status(options, name, watch=watch)


@click.command(epilog=examples("reconcile explain gitea", "reconcile explain --offline"))
@click.argument("name", type=NONEMPTY, required=False)
@click.option("--offline", is_flag=True, help="Ask no upstream; explain by what passes recorded.")
@common_options
def explain(options: Options, name: str | None, *, offline: bool) -> int:
    """Say why a recipe is as it is, what would change that, and what happens next. Never writes.

    Without NAME: all recipes.
    """
    from reconciler.cli import explain_command

    return explain_command.explain(options, name, offline=offline)


@click.command(epilog=examples("reconcile history gitea --since 30d", "reconcile history --since 2026-11-01 -o json"))
@click.argument("name", type=NONEMPTY, required=False)
@_since_option
@common_options
def history(options: Options, name: str | None, since: str | None) -> int:
    """Show what happened to a recipe, or to all, and who or what did it; failures stay.

    With -o json, one object on each line.
    """
    from reconciler.cli import history_command

    return history_command.history(options, name, since)


@click.command(epilog=examples("reconcile events --for gitea", "reconcile events --since 1h --watch"))
@click.option("--for", "name", type=NONEMPTY, metavar="NAME", help="Only of this recipe.")
@_since_option
@click.option("-w", "--watch", is_flag=True, help="Go on with what happens, until interrupted.")
@common_options
def events(options: Options, name: str | None, since: str | None, *, watch: bool) -> int:
    """Show the lines of the ledger, the oldest first.

    With -o json, one object on each line.
    """
    from reconciler.cli import history_command

    return history_command.events(options, name, since, watch=watch)


@click.command(
    epilog=examples("reconcile report --html /srv/www/canon.html", "reconcile report --html canon.html --offline")
)
@click.option(
    "--html", "file", type=NONEMPTY, metavar="FILE", required=True, help='Write the page to this file; "-": to stdout.'
)
@click.option("--offline", is_flag=True, help="Ask no upstream; show what passes recorded.")
@common_options
def report(options: Options, file: str, *, offline: bool) -> int:
    """Write one page that shows the whole fleet: what is asked of you, why, what was tried, and how long it took.

    The file needs nothing beside it, and runs no script.

    Exit codes: 0: it was written; 1: it could not be, or the ledger was changed, which the page says first.
    """
    from reconciler.cli import report_command

    return report_command.report(options, file, offline=offline)


@click.command(epilog=examples("reconcile logs gitea", "reconcile logs gitea 20261124T125659.357529Z"))
@click.argument("name", type=NONEMPTY)
@click.argument("trial_id", type=NONEMPTY, metavar="[TRIAL]", required=False)
@common_options
def logs(options: Options, name: str, trial_id: str | None) -> int:
    """Show the log of the last trial, tier by tier."""
    from reconciler.cli import status_and_logs

    return status_and_logs.logs(options, name, trial_id)


@click.command(epilog=examples("reconcile audit", 'reconcile audit --head "$(cat /media/usb/canon.head)"'))
@click.option("--head", type=NONEMPTY, metavar="HASH", help="The hash of a line of the ledger that you kept elsewhere.")
@common_options
def audit(options: Options, head: str | None) -> int:
    """Derive every claim of the records anew, and show whether it agrees. Never writes.

    Asks upstreams with git, reads mirrors, snapshots and the ledger byte by byte, and looks at what runs. Shares no
    code with what promotes.

    Exit codes: 0 nothing disagrees, 3 a claim disagrees, 78 there is no state folder, or nothing is recorded in it.
    """
    from reconciler.cli import audit_command

    return audit_command.audit_records(options, head)


@click.command(epilog=examples("reconcile prove"))
@common_options
def prove(options: Options) -> int:
    """Plan twice and try nothing. If a pass would do nothing, the ledger gets a certificate.

    Exit codes: 0 proved, 2 a pass would do something, 1 that could not be seen, 5 nothing is enrolled.
    """
    from reconciler.cli import prove_command

    return prove_command.prove(options)


@click.command(epilog=examples("reconcile evidence gitea", "reconcile evidence gitea --generation 4"))
@click.argument("name", type=NONEMPTY)
@click.option("--generation", type=int, metavar="N", help="Of this generation; default: the canonical's.")
@common_options
def evidence(options: Options, name: str, generation: int | None) -> int:
    """Print the in-toto statement on the promotion of the canonical, in its DSSE envelope.

    If a rollback made the canonical, or generation N, the statement is on the generation that was copied.
    """
    from reconciler.cli import evidence_command

    return evidence_command.evidence(options, name, generation)


@click.command(epilog=examples("reconcile doctor"))
@common_options
def doctor(options: Options) -> int:
    """Check everything that a pass needs on this host. Changes nothing.

    Exit codes: 0 nothing failed, 1 a check failed.
    """
    from reconciler.cli import doctor_command

    return doctor_command.doctor(options)


@click.command(epilog=examples("reconcile schema status", "reconcile schema"))
@click.argument("command", type=NONEMPTY, required=False)
@common_options
def schema(options: Options, command: str | None) -> int:  # noqa: ARG001  every command takes the common options
    """Print the JSON Schema of what COMMAND prints with -o json; without COMMAND, of every command.

    "pass" is reconcile alone, "saved-plan" the file of plan --out, "message" what [notify.webhook] gets.
    """
    from reconciler.cli import schema_command

    return schema_command.schema(command)
