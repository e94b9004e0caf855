"""The upgrade tier: deploys the base, and then the release under test over the data of the base."""

from attrs import evolve

from desired.model import DataPolicy, TierName
from desired.releases import Release
from reconciler.core.base import Origin
from reconciler.core.tier_results import Skip
from reconciler.deploy.app_health import check_up
from reconciler.deploy.app_set import AppSet, AppSpec, SnapshotDamagedError, canonical_app_set
from reconciler.deploy.deploying import deploy_app, deploy_app_set, deploy_needed
from reconciler.deploy.slot import Slot
from reconciler.errors import InfrastructureError, KilledError, NeededAppError, RecipeError, TimedOutError
from reconciler.trial.trial_run import Skipped, TrialRun
from state.records import Canonical

_CHANGED_TESTS = (
    "its tests, its declaration or its needs changed since it was promoted, so this does not count as damage: "
    "make them pass with its data, or leave out the upgrade tier in its declaration"
)


class SlowHostError(InfrastructureError):
    """The base was not ready in time or did not stop in time, or data.check took too long on a fresh install.

    This host may be too busy, so all tiers of the trial are run once more.
    """

    def __init__(self, slow: TimedOutError) -> None:
        super().__init__(f"{slow.message} (host: {slow.pressure})")


def upgrade(run: TrialRun) -> Skipped | None:
    """Run the tier "upgrade": deploy the base, then the release under test over the base's data, and check that data.

    Return None if the tier passed. Return a skip if there is no base, if the base is broken, or if no check proves that
    its data was kept.
    """
    base = run.request.base
    if base.release is None:
        return Skipped(Skip.BASE_UNUSABLE if base.is_unusable else Skip.NO_BASE, base.why)
    run.stop_current_slot()
    slot = run.enter_slot(TierName.UPGRADE)
    lineage = _deploy_base(run, slot, base.release)
    if isinstance(lineage, Skipped):
        return lineage
    if broken := _deploy_over_base(run, slot, base.release):
        return broken
    run.check_data(slot)
    run.switch_to(slot)
    if run.request.recipe.canonical.data is DataPolicy.CARRIED:
        run.save_candidate(slot, _extended(lineage, run))
    check_up(slot)
    return _unproved(run)


def _extended(lineage: tuple[str, ...], run: TrialRun) -> tuple[str, ...]:
    """Return `lineage` with the version under test at its end.

    If the base is the release under test, return `lineage` unchanged, because the version is there already.
    """
    release = run.request.release
    return lineage if run.request.base.release == release else (*lineage, release.version)


def _unproved(run: TrialRun) -> Skipped | None:
    """Return a skip if no check proves that the data of the base was kept; else None."""
    if run.request.recipe.data.check is None:
        return Skipped(Skip.NO_CHECK, "came up over the base's data, but no [data] check proves that data")
    if run.effects.check_is_late:
        why = f"which data.check does not prove: it {run.lateness()}, so it may prove nothing"
        return Skipped(Skip.NO_CHECK, f"came up over the base's data, {why}")
    if not run.effects.check_proves_data:
        why = "came up over the base's data, which data.check does not prove: it passes on a fresh install too"
        return Skipped(Skip.NO_CHECK, why)
    return None


def _deploy_base(run: TrialRun, slot: Slot, release: Release) -> tuple[str, ...] | Skipped:
    """Deploy the base, which is `release`, and check its data. Return the lineage of that data.

    The lineage has the versions that ran on the data, the oldest first. If the base is broken, return a skip. If it
    only took too long and this is the first run, raise SlowHostError instead. If the base is the canonical and does not
    come up, raise InfrastructureError.
    """
    base, canonical = run.request.base, run.request.canonical
    if base.origin is Origin.CANONICAL and canonical is not None:
        _deploy_canonical(run, slot, canonical)
        return canonical.lineage
    try:
        deploy_app_set(slot, (*run.request.app_set[:-1], AppSpec(run.request.recipe, release)))
        run.mark_data(slot)
        run.check_data(slot)
        check_up(slot)
    except RecipeError as broken:
        if isinstance(broken, TimedOutError) and not run.is_retry:
            raise SlowHostError(broken) from broken
        why = f"{release.version} does not come up, which is no evidence against the head: {broken.message}"
        return _skip_broken_base(run, slot, why)
    return (release.version,)


def _deploy_over_base(run: TrialRun, slot: Slot, base: Release) -> Skipped | None:
    """Deploy the release under test over the release `base`. Return None, or a skip if the base had to be killed.

    A base that does not stop in time is no fault of the release under test. So other cases are errors:

    * SlowHostError in the first run, so that all tiers run once more.
    * InfrastructureError in the second run, if the base is the canonical.
    * KilledError if the base is the release under test itself.
    """
    *needed, own = run.request.app_set
    for spec in needed:
        if slot.apps[spec.recipe.name].release != spec.release:
            deploy_needed(slot, evolve(spec, source=None), own.recipe)
    try:
        deploy_app(slot, evolve(own, source=None))
    except KilledError as killed:
        if base == own.release:
            raise
        if not run.is_retry:
            raise SlowHostError(killed) from killed
        if run.request.base.origin is Origin.CANONICAL:
            raise InfrastructureError(f"the canonical {base.version}: {killed.message}") from killed
        why = f"{base.version} had to be killed, which is no evidence against the head: {killed.message}"
        return _skip_broken_base(run, slot, why)
    return None


def _skip_broken_base(run: TrialRun, slot: Slot, why: str) -> Skipped:
    """Return the result of the tier for a broken base: a skip with the reason `why`.

    If no candidate was saved yet, stop the base's apps, which run in `slot`. Then save the data of the release under
    test, from its fresh install in the install tier, as the candidate.
    """
    if run.effects.candidate is None:
        slot.stop_without_checks()
        run.save_candidate(run.start_current_slot(), (run.request.release.version,))
    return Skipped(Skip.BASE_BROKEN, why)


def _deploy_canonical(run: TrialRun, slot: Slot, canonical: Canonical) -> None:
    """Deploy the snapshot of the canonical in the slot, and check its data.

    If the canonical does not come up, raise InfrastructureError, because the snapshot is to blame, and not the release
    under test. If it takes too long, raise SlowHostError. If an app that it needs takes too long, or fails although it
    has no data from the snapshot, raise NeededAppError.
    """
    app_set = _canonical_app_set(run, slot, canonical)
    try:
        deploy_app_set(slot, app_set)
        run.check_data(slot)
        check_up(slot)
    except TimedOutError as slow:
        raise SlowHostError(slow) from slow
    except RecipeError as broken:
        why = ": ".join((_canonical_failed(run, canonical, broken.message), *broken.tail[-1:]))
        raise InfrastructureError(why, broken.hint) from broken
    except NeededAppError as failed:
        saved = {spec.recipe.name for spec in app_set if spec.source is not None}
        if failed.timed_out or failed.need not in saved:
            raise
        raise InfrastructureError(_canonical_failed(run, canonical, failed.message), failed.hint) from failed


def _canonical_app_set(run: TrialRun, slot: Slot, canonical: Canonical) -> AppSet:
    """Unpack the snapshot of the canonical into the slot. Return the app set to deploy from it.

    If the snapshot is damaged, or if the canonical's commit is no longer in the mirror, record that as damage in the
    effects of the run, and raise InfrastructureError.
    """
    if run.host.mirrors.resolve(canonical.recipe, canonical.commit) is None:
        commit = canonical.commit[:7]
        run.effects.damage = f"{canonical.version} was recorded at {commit}, which is no longer in the mirror"
        raise InfrastructureError(run.effects.damage)
    try:
        return canonical_app_set(run.host, canonical, run.request.app_set, slot.folder / "source")
    except SnapshotDamagedError as broken:
        run.effects.damage = broken.message
        raise


def _canonical_failed(run: TrialRun, canonical: Canonical, why: str) -> str:
    """Return the error message for a canonical that does not come up. `why` is the text of the error.

    Record the message also as damage in the effects of the run, unless the recipe's tests have changed since the
    promotion: then the tests may be to blame.
    """
    message = f"the snapshot of {canonical.version} does not come up: {why}"
    if canonical.evidence.tests != run.request.tests:
        return f"{message}; {_CHANGED_TESTS}"
    run.effects.damage = message
    return message
