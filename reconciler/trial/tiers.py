"""Runs the tiers of a trial. Each deploys a release, runs its commands, and returns whether it proved something."""

from collections.abc import Callable, Mapping

from attrs import evolve

from desired.model import Argv, DataPolicy, TierName
from reconciler.core.base import Origin
from reconciler.core.tier_results import Skip
from reconciler.deploy.app_health import check_stable, check_up, ready_timeout, wait_until_ready, with_app_logs
from reconciler.deploy.app_set import AppSet
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.recipe_commands import ProbeAnswer, probe_command, run_command, run_commands
from reconciler.deploy.slot import Slot
from reconciler.errors import InfrastructureError, TimedOutError
from reconciler.trial.scripts import unfit_scripts
from reconciler.trial.trial_run import Skipped, TrialRun
from reconciler.trial.upgrade_tier import SlowHostError, upgrade


def run_tier(run: TrialRun, name: TierName) -> Skipped | None:
    """Run the tier `name`. Return None if it passed; else why it was skipped.

    Raise RecipeError if the recipe is to blame for a failure. Raise InfrastructureError, StateError or OSError if this
    host is to blame.
    """
    if name not in run.request.tiers:
        return Skipped(Skip.NOT_ASKED, "not asked for")
    if name in run.request.recipe.tiers:
        return Skipped(Skip.DECLARED, run.request.recipe.tiers[name])
    return _TIERS[name](run)


def _install(run: TrialRun) -> None:
    """Run the tier "install": deploy the release with fresh data, write data by data.mark, and check it by data.check.

    Return None: the tier passed. If the upgrade tier will not make the candidate, stop the apps, and save their data as
    the candidate.
    """
    _check_requirements(run)
    slot = run.enter_slot(TierName.INSTALL)
    run.switch_to(slot)
    deploy_app_set(slot, run.request.app_set)
    run.effects.check_proves_data = _check_proves_data(run, slot)
    run.mark_data(slot)
    run.check_data(slot)
    if _saves_fresh_data(run):
        run.save_candidate(slot, (run.request.release.version,))
    elif TierName.UPGRADE in run.request.tiers:
        check_up(slot)
    else:
        check_stable(slot)


def _check_requirements(run: TrialRun) -> None:
    """Check that all programs that the recipe requires are on this host, and that its scripts can be executed.

    The scripts of the recipes that it needs are checked too. Raise InfrastructureError if a program is missing, or if a
    script cannot be executed.
    """
    recipe, missing_programs = run.request.recipe, run.host.commands.missing
    if missing := missing_programs(recipe.requires):
        raise InfrastructureError(f"required and missing here: {', '.join(missing)}", "install it on this host")
    unfit = [
        message
        for spec in run.request.app_set
        for message in unfit_scripts(spec.recipe, missing_programs, needed=spec.recipe != recipe)
    ]
    if unfit:
        raise InfrastructureError(f"scripts of the fleet cannot be executed: {'; '.join(unfit)}")


def _check_proves_data(run: TrialRun, slot: Slot) -> bool:
    """Return whether the recipe's data.check can prove that data was kept.

    This is so if data.mark is declared, and if data.check fails on the fresh install, before data.mark has run. Raise
    SlowHostError if data.check takes too long there and this is the first run.
    """
    data = run.request.recipe.data
    return data.check is not None and data.mark is not None and _fails_on_fresh_install(run, slot, data.check)


def _fails_on_fresh_install(run: TrialRun, slot: Slot, check: Argv) -> bool:
    """Run `check`, the recipe's command data.check, in a fresh install. Return whether it fails.

    If data.check passes although there is no data, it cannot prove later that data was kept or restored. Nor can it if
    it takes too long here: with more time, it might pass. Then return False in the second run of the trial. In the
    first run raise SlowHostError, so that all tiers run once more.
    """
    slot.log_line("data.check on the fresh install, which is to fail:")
    started = run.host.clock.monotonic()
    answer = probe_command(slot, run.own_app(slot), check, "data.check")
    slot.log_line(f"data.check {answer}, before anything was marked or restored")
    if answer is ProbeAnswer.LATE:
        run.effects.check_is_late = True
        if not run.is_retry:
            raise SlowHostError(TimedOutError(f"data.check {run.lateness()}", run.host.commands.pressure()))
    if answer is ProbeAnswer.FAILED:
        took = run.host.clock.monotonic() - started
        run.effects.check_failed_after = max(run.effects.check_failed_after, took)
    return answer is ProbeAnswer.FAILED


def _saves_fresh_data(run: TrialRun) -> bool:
    """Return whether the data of the fresh install becomes the candidate.

    This is so if no upgrade is tried, or if the recipe declares that its canonicals have fresh data.
    """
    recipe, base = run.request.recipe, run.request.base
    no_upgrade = base.origin is Origin.NONE or TierName.UPGRADE in recipe.tiers
    return no_upgrade or recipe.canonical.data is DataPolicy.FRESH


def _backup(run: TrialRun) -> Skipped | None:
    """Run the tier "backup": take a backup of the app in the current slot. Return None if the tier passed.

    Return a skip if no backup is declared, or if no restore will prove the backup.
    """
    take = run.request.recipe.backup.take
    if not _has_backup(run):
        return Skipped(Skip.NO_CHECK, "no [backup] is declared")
    slot = run.start_current_slot()
    own = run.own_app(slot)
    if take is not None:
        run_command(slot, own, take, "backup.take")
    else:
        with with_app_logs(slot, own):
            run.effects.findings += own.driver.backup(own.app, slot.backup)
    check_up(slot)
    if TierName.RESTORE in run.request.recipe.tiers or run.request.recipe.data.check is None:
        return Skipped(Skip.NO_CHECK, "was taken, but no restore proves it")
    return None


def _has_backup(run: TrialRun) -> bool:
    """Return whether the recipe declares a command for backups, or the release itself declares how it is backed up."""
    assert run.current_slot is not None  # noqa: S101  a trial ends if install, its first tier, fails
    own = run.own_app(run.current_slot)
    return run.request.recipe.backup.take is not None or own.driver.backs_up(own.app)


def _restore(run: TrialRun) -> Skipped | None:
    """Run the tier "restore": restore the backup into a fresh install in a slot of its own, and check the data there.

    Return None if the tier passed. Return a skip if there is no backup, or if no check proves that the data was
    restored. Raise SlowHostError if data.check takes too long before the restore and this is the first run.
    """
    recipe = run.request.recipe
    if not _has_backup(run):
        return Skipped(Skip.NO_CHECK, "no [backup] is declared")
    if TierName.BACKUP in recipe.tiers or TierName.BACKUP not in run.request.tiers:
        return Skipped(Skip.NO_CHECK, "no backup was taken")
    run.stop_current_slot()
    with run.open_slot(TierName.RESTORE) as slot:
        deploy_app_set(slot, _app_set_to_restore(run))
        proves = run.effects.check_proves_data and _check_proves_data(run, slot)
        if not proves and not run.effects.check_is_late:
            # What passes on one of two fresh installs proved nothing before either.
            run.effects.check_proves_data = False
        _restore_into(run, slot)
        run.check_data(slot)
        check_up(slot)
    if recipe.data.check is None:
        return Skipped(Skip.NO_CHECK, "was restored, but no [data] check proves its data")
    if not proves and run.effects.check_is_late:
        return Skipped(Skip.NO_CHECK, f"is not proved by data.check: it {run.lateness()}, so it may prove nothing")
    if not proves:
        return Skipped(Skip.NO_CHECK, "proves nothing: data.check passes before anything is restored")
    return None


def _restore_into(run: TrialRun, slot: Slot) -> None:
    """Restore the backup into the app under test in the slot, and wait until the app is ready."""
    own, restore = run.own_app(slot), run.request.recipe.backup.restore
    if restore is not None:
        run_command(slot, own, restore, "backup.restore", may_stop=True)
    else:
        with with_app_logs(slot, own):
            own.driver.restore(own.app, slot.backup, ready_timeout(own))
    wait_until_ready(slot, own)


def _app_set_to_restore(run: TrialRun) -> AppSet:
    """Return the app set into which the backup is restored.

    The recipe's own app gets the secrets and settings of the app that was backed up, because the data may need them,
    and a backup does not contain them. A person who restores a backup would have them, too.
    """
    assert run.current_slot is not None  # noqa: S101  a trial ends if install, its first tier, fails
    *needed, own = run.request.app_set
    return (*needed, evolve(own, settings_from=run.own_app(run.current_slot).app))


def _custom(run: TrialRun) -> Skipped | None:
    """Run the tier "custom": the recipe's own tests, in the current slot.

    Return None if all tests passed, a skip if no tests are declared.
    """
    if not run.request.recipe.custom.run:
        return Skipped(Skip.NO_CHECK, "no [custom] tests are declared")
    slot = run.start_current_slot()
    run_commands(slot, run.own_app(slot), run.request.recipe.custom.run, "custom test")
    check_up(slot)
    return None


_TIERS: Mapping[TierName, Callable[[TrialRun], Skipped | None]] = {
    TierName.INSTALL: _install,
    TierName.UPGRADE: upgrade,
    TierName.BACKUP: _backup,
    TierName.RESTORE: _restore,
    TierName.CUSTOM: _custom,
}
