"""The upgrade tier: deploys the base, then the release under test over its data."""

from attrs import evolve

from desired.model import DataPolicy, Release, TierName
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
    """A base was not ready in time, or did not stop in time. This host may be too busy, so all tiers run once more."""

    def __init__(self, slow: TimedOutError) -> None:
        super().__init__(f"{slow.message} (host: {slow.pressure})")


def upgrade(run: TrialRun) -> Skipped | None:
    """Deploy the base, deploy the release under test over the base's data, and check the data.

    Return a skip if there is no base, if the base is broken, or if no check proves that its data was kept; else None.
    """
    base = run.request.base
    if base.release is None:
        return Skipped(Skip.NO_BASE, base.why)
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
    """Return the lineage with the version under test added at its end, unless the base is the same release."""
    release = run.request.release
    return lineage if run.request.base.release == release else (*lineage, release.version)


def _unproved(run: TrialRun) -> Skipped | None:
    """Return a skip if no check proves that the base's data was kept, else None."""
    if run.request.recipe.data.check is None:
        return Skipped(Skip.NO_CHECK, "came up over the base's data, but no [data] check proves that data")
    if not run.effects.check_proves_data:
        why = "came up over the base's data, which data.check does not prove: it passes on a fresh install too"
        return Skipped(Skip.NO_CHECK, why)
    return None


def _deploy_base(run: TrialRun, slot: Slot, release: Release) -> tuple[str, ...] | Skipped:
    """Deploy the base `release`, and check its data.

    Return the versions that ran on the data, the oldest first; or a skip if the base is broken. The first run raises
    SlowHostError instead of this skip if the base took too long. Raise InfrastructureError if the base is the canonical
    and does not come up.
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

    A base that does not stop and is killed is no fault of the release under test. The first run raises SlowHostError
    for it, so that the trial runs once more. In the second run, a killed base is skipped, but if it is the canonical,
    raise InfrastructureError.
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
    """Return the skip for a broken base, with the reason `why`.

    If there is no candidate yet, stop the apps in `slot`, and save the fresh data of the install tier as the candidate.
    """
    if run.effects.candidate is None:
        slot.stop_without_checks()
        run.save_candidate(run.start_current_slot(), (run.request.release.version,))
    return Skipped(Skip.BASE_BROKEN, why)


def _deploy_canonical(run: TrialRun, slot: Slot, canonical: Canonical) -> None:
    """Deploy the canonical's snapshot in the slot, and check its data.

    Raise InfrastructureError if the apps do not come up: the snapshot is to blame, and not the release under test.
    Raise SlowHostError if they took too long.
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
    """Unpack the canonical's snapshot into the slot, and return its app set.

    If the snapshot is damaged, or its commit is no longer in the mirror, record this as damage in the run's effects and
    raise InfrastructureError.
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
    """Return the message for a canonical that does not come up; `why` is the error's text.

    Also record the message as damage in the run's effects, unless the tests changed since the promotion.
    """
    message = f"the snapshot of {canonical.version} does not come up: {why}"
    if canonical.evidence.tests != run.request.tests:
        return f"{message}; {_CHANGED_TESTS}"
    run.effects.damage = message
    return message
