"""The commands that change something. Their work is in other modules."""

import click

from reconciler.cli.options import NONEMPTY, Options, common_options, events_option, examples, ways_option


@click.command(epilog=examples("reconcile plan --out monday.plan"))
@click.option("--out", type=NONEMPTY, metavar="FILE", help="Save the plan in this file, for `reconcile apply`.")
@click.option(
    "--retry", type=NONEMPTY, multiple=True, metavar="NAME", help="Try this recipe again although it was red."
)
@common_options
def plan(options: Options, out: str | None, retry: tuple[str, ...]) -> int:
    """Show what a pass would do, as --dry-run does; with --out, save it."""
    from reconciler.cli import saved_plans

    return saved_plans.plan(options, retry, out)


@click.command(epilog=examples("reconcile apply monday.plan"))
@click.argument("file", type=NONEMPTY)
@events_option
@common_options
def apply(options: Options, file: str, *, in_lines: bool) -> int:
    """Run a pass that does what the plan in FILE says, and nothing else.

    Refused, with exit code 4, when anything moved on which the plan rests: tags, records, fleet, snapshots, place.
    """
    from reconciler.cli import saved_plans
    from reconciler.cli.told_pass import event_lines

    return saved_plans.apply(options, file, event_lines(options, wanted=in_lines))


@click.command(
    epilog=examples(
        "reconcile trial gitea",
        "reconcile trial gitea --ref main --tiers install,upgrade",
        "reconcile trial gitea --ref refs/pull/7/head --wait 1h --junit gitea.xml",
    )
)
@click.argument("name", type=NONEMPTY)
@click.option(
    "--ref",
    type=NONEMPTY,
    metavar="REF",
    help="A release, branch, commit or full name of a ref; default: the newest release.",
)
@click.option(
    "--tiers", type=NONEMPTY, metavar="LIST", help="Only these tiers, separated by commas; install always runs."
)
@ways_option
@click.option("--junit", type=NONEMPTY, metavar="FILE", help="Also write tiers and ways as JUnit XML; ends in .xml.")
@click.option("--wait", type=NONEMPTY, metavar="SPAN", help="Wait so long, e.g. 30m, while the recipe is in use.")
@common_options
def trial(  # noqa: PLR0913, PLR0917  one for each option
    options: Options,
    name: str,
    ref: str | None,
    tiers: str | None,
    ways: str | None,
    junit: str | None,
    wait: str | None,
) -> int:
    """Test a release, branch or commit, upgraded from the canonical. Never promotes.

    Exit codes: 0 green, 4 red or a closed gate, 1 infrastructure, 64 usage, or no release to try, 75 another trial or a
    pass uses the recipe, 3 green, but a kept deployment that was stopped meanwhile is down.
    """
    from reconciler.cli import trial_command

    return trial_command.trial(options, name, trial_command.TrialOptions(ref, tiers, junit, ways, wait))


@click.command("raise", epilog=examples("reconcile raise gitea --for 10m"))
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


@click.command(
    epilog=examples(
        'reconcile accept gitea 3.1.0+1.25.4 --reason "the maintainers moved it on purpose"',
        'reconcile accept gitea --reason "they withdrew these releases"',
    )
)
@click.argument("name", type=NONEMPTY)
@click.argument("tag", type=NONEMPTY, required=False)
@click.option("--reason", required=True, help="Why this is right; kept in the ledger.")
@common_options
def accept(options: Options, name: str, tag: str | None, reason: str) -> int:
    """Accept a moved TAG; without TAG, accept that upstream lost tags."""
    from reconciler.cli import accept_and_forget

    return accept_and_forget.accept(options, name, tag, reason)


@click.command(epilog=examples('reconcile hold gitea --reason "until the move is done" --until 2027-03-01'))
@click.argument("name", type=NONEMPTY)
@click.option("--reason", required=True, help="Why nothing is to change; kept in the ledger.")
@click.option("--until", type=NONEMPTY, metavar="DATE", help="The day when it ends, e.g. 2027-03-01; default: no end.")
@common_options
def hold(options: Options, name: str, reason: str, until: str | None) -> int:
    """Keep a recipe at the release it has: nothing is tried or promoted."""
    from reconciler.cli import hold_and_resume

    return hold_and_resume.hold(options, name, hold_and_resume.HoldRequest(reason, until))


@click.command(epilog=examples('reconcile resume gitea --reason "the move is done"'))
@click.argument("name", type=NONEMPTY)
@click.option("--reason", default="", help="Why it goes on; kept in the ledger.")
@common_options
def resume(options: Options, name: str, reason: str) -> int:
    """End the hold or the rollback of a recipe."""
    from reconciler.cli import hold_and_resume

    return hold_and_resume.resume(options, name, reason)


@click.command(
    epilog=examples(
        'reconcile rollback gitea --reason "no mail is sent since 3.2.0"',
        'reconcile rollback gitea --to 4 --reason "the data of 4 is the last good one"',
    )
)
@click.argument("name", type=NONEMPTY)
@click.option("--to", type=click.IntRange(min=1), metavar="GENERATION", help="Default: the newest of an older release.")
@click.option("--reason", required=True, help="Why the release is left; kept in the ledger.")
@common_options
def rollback(options: Options, name: str, to: int | None, reason: str) -> int:
    """Make an older generation the canonical again, after a check that it comes up.

    The recipe stays there until upstream has a release newer than the one that was left, or until it is resumed.

    Exit codes: 0 done, 3 done, but a kept deployment that was stopped meanwhile is down.
    """
    from reconciler.cli import rollback_command

    return rollback_command.rollback(options, name, rollback_command.RollbackOptions(reason, to))


@click.command(epilog=examples('reconcile forget gitea --reason "replaced by forgejo"'))
@click.argument("name", type=NONEMPTY)
@click.option("--reason", required=True, help="Why it is deleted; kept in the ledger.")
@common_options
def forget(options: Options, name: str, reason: str) -> int:
    """Delete a recipe that is no longer declared: records, snapshots, mirror, logs."""
    from reconciler.cli import accept_and_forget

    return accept_and_forget.forget(options, name, reason)


@click.command(epilog=examples("reconcile init /etc/reconcile"))
@click.argument("folder", type=NONEMPTY)
@common_options
def init(options: Options, folder: str) -> int:
    """Make a new fleet in FOLDER."""
    from reconciler.cli import init_and_demo

    return init_and_demo.init(options, folder)


@click.command(epilog=examples("reconcile demo canon-demo --tell"))
@click.argument("folder", type=NONEMPTY)
@click.option("--tell", is_flag=True, help="Also run the demo's story, with real commands.")
@common_options
def demo(options: Options, folder: str, *, tell: bool) -> int:
    """Make the demo fleet in FOLDER."""
    from reconciler.cli import init_and_demo

    return init_and_demo.demo(options, folder, tell=tell)


@click.command(epilog=examples("reconcile notify --test", "reconcile notify"))
@click.option("--test", is_flag=True, help="Send a test message to each target, and nothing else.")
@common_options
def notify(options: Options, *, test: bool) -> int:
    """Send the messages that are due: reminders, those that failed before, a warning if the last whole pass is too old.

    Every pass does so, too. The targets are declared below [notify] in fleet.toml. Looks at no recipe.

    Exit codes: 0 all was sent, 1 something was not.
    """
    from reconciler.cli import notify_command

    return notify_command.notify(options, test=test)
