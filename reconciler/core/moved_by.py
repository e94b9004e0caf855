"""Says after which changes a recipe that is in sync would not stay as it is."""

from reconciler.core.blocker import Actor, Change
from reconciler.core.blockers import A_NAME
from reconciler.core.case import Case
from reconciler.core.needs import keeps_running


def moved_by(case: Case) -> tuple[Change, ...]:
    """Return changes after which a recipe that is in sync would no longer be, such as a newer release upstream.

    Each change alone is enough. Return () for an orphan, and if there is no canonical.
    """
    observed, have = case.observation, case.step.finding.have
    if observed is None or have is None:
        return ()
    admits = "" if observed.recipe.allow == "*" else f' that `allow = "{observed.recipe.allow}"` admits'
    changes = [
        Change(f"upstream publishes a release newer than {have.version}{admits}; {A_NAME}", Actor.UPSTREAM),
        Change(f"its snapshot is damaged or gone: the next pass tests {have.version} again", Actor.HOST),
    ]
    if keeps_running(observed.recipe):
        changes.append(Change("its kept deployment is down: the next pass deploys it again", Actor.HOST))
    changes.append(Change(f"upstream moves or drops the tag {have.version}: then it needs you", Actor.UPSTREAM))
    return tuple(changes)
