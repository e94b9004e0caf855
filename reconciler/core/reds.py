"""Finds the remembered red (failed trial) of a release, and what has changed since then."""

from desired.releases import Release
from reconciler.core.case import Case
from reconciler.core.circumstances import changed_circumstances, circumstances_of, matching_red
from reconciler.core.observation import Observation
from reconciler.core.plan import HeldBack
from state.records import Red


def red_now(case: Case) -> Red | None:
    """Return the red (failed trial) that is the reason why no release is tried now.

    * If there is a red of the wanted release: that red.
    * Else, if the canonical is damaged and its release is not tested again because of a red: that red.
    * Else None.
    """
    red, have, observed = red_of_wanted(case), case.step.finding.have, case.observation
    if red is None and case.step.held_back is HeldBack.RED_BEFORE and have is not None and observed is not None:
        return _red_of(case, observed, Release(have.version, have.commit))
    return red


def red_of_wanted(case: Case) -> Red | None:
    """Return the red (failed trial) that prevents a new try of the wanted release.

    Return None if there is no such red, or if no release is wanted.
    """
    observed, want = case.observation, case.step.finding.want
    if observed is None or not isinstance(want, Release):
        return None
    return _red_of(case, observed, want)


def _red_of(case: Case, observed: Observation, release: Release) -> Red | None:
    now = circumstances_of(release, observed, case.context)
    return matching_red(observed.memory, now, release, case.context)


def what_changed(case: Case, observed: Observation, release: Release, red: Red) -> tuple[str, ...]:
    """Return what has changed since `red`, a failed trial of `release`, in words such as "its commit"; () for nothing.

    Only the circumstances on which the verdict of a trial depends are compared.
    """
    return changed_circumstances(red.circumstances, circumstances_of(release, observed, case.context))
