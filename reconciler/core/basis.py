"""Computes digests of everything that a plan depends on, to notice whether any of it has changed since."""

import hashlib
from collections.abc import Iterator, Mapping

from desired.model import Fleet
from desired.releases import Unobservable
from reconciler.core.circumstances import PlanContext
from reconciler.core.findings import needs_fetch
from reconciler.core.observation import Observation, State, upstream_tags
from reconciler.core.plan import Action, Plan, Step

Basis = Mapping[str, Mapping[str, str]]
"""Maps each recipe to the digests of the parts on which its step depends, and "" to those on which all steps depend."""

PARTS = {
    "place": "the place: unit, user, PATH, variables or tools of this host",
    "canon": "this program",
    "settings": "the fleet's own settings",
    "tags": "its tags upstream",
    "registry": "its records in the registry",
    "fleet": "its declaration or its tests in the fleet, or the release of a need",
    "state": "its snapshot, its mirror or its deployment",
    "step": "what is to be done",
}
"""The words for each part in a message."""


def basis_of(plan: Plan, observations: Mapping[str, Observation], context: PlanContext, fleet: Fleet) -> Basis:
    """Return the digests of everything on which the plan depends: by recipe, and under "" the digests of this host.

    `observations` are by recipe. `context` and `fleet` give what the digests of this host cover.
    """
    host = {
        "place": _digest(context.place.digest, context.place.versions_digest),
        "canon": _digest(context.canon),
        "settings": _digest(fleet.name, fleet.unit, fleet.protocols, fleet.passes, fleet.swarm),
    }
    steps = {name: _parts(step, observations.get(name)) for name, step in plan.steps.items()}
    return {"": host, **steps}


def moved_parts(before: Basis, now: Basis) -> tuple[str, ...]:
    """Return a text for each part that differs between `before` and `now`, such as "app: its tags upstream".

    The texts are sorted by recipe. Return () if nothing differs. A recipe that is only in one of the two also counts as
    a difference.
    """
    return tuple(_moved(before, now))


def _moved(before: Basis, now: Basis) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        about = f"{name}: " if name else ""
        if name not in now:
            yield f"{about}it is no longer selected or declared"
        elif name not in before:
            yield f"{about}it was not in the plan"
        else:
            changed = [part for part in PARTS if before[name].get(part) != now[name].get(part)]
            # A step moves with what it rests on; alone it is named only if nothing else explains it.
            causes = [part for part in changed if part != "step"] or changed
            yield from (f"{about}{PARTS[part]}" for part in causes)


def _parts(step: Step, observation: Observation | None) -> Mapping[str, str]:
    """Return the digests of what one step depends on, by names such as "tags". `observation` is None for an orphan."""
    finding = step.finding
    have = finding.have
    record = (have.version, have.commit, have.generation) if have is not None else None
    decided = _digest(step.action, step.held_back, finding.cause, step.release and step.release.commit)
    state = (finding.status.state, finding.status.reason)
    if observation is None:
        return {"registry": _digest(record), "state": _digest(state), "step": decided}
    memory = observation.memory
    return {
        "tags": _digest(_tags(observation)),
        "registry": _digest(
            record, sorted(memory.known.items()), sorted(memory.reds.items()), observation.hold, observation.rollback
        ),
        "fleet": _digest(observation.recipe.enrolled, observation.tests, observation.files),
        "state": _digest(state, finding.mirror, observation.missing_tools),
        "step": decided,
    }


def _tags(observation: Observation) -> object:
    """Return what the digest of the tags is made from: upstream's main commit and tags, or why they are not known."""
    if isinstance(observation.answer, Unobservable):
        return observation.answer.reason
    return observation.answer.head, sorted((upstream_tags(observation) or {}).items())


def _digest(*values: object) -> str:
    return hashlib.sha256(repr(values).encode("utf-8", "backslashreplace")).hexdigest()


# ---- whether a pass would do anything ----


def unsettled(plan: Plan, observations: Mapping[str, Observation]) -> Mapping[str, str]:
    """Return what a pass would do, as a text for each recipe. Recipes for which it would do nothing are left out."""
    texts = {name: _would_do(step, observations.get(name)) for name, step in plan.steps.items()}
    return {name: text for name, text in texts.items() if text}


def unseen(plan: Plan, observations: Mapping[str, Observation]) -> Mapping[str, str]:
    """Return the recipes whose upstream or canonical could not be observed, each with the reason.

    What a pass would do for them is not known. Recipes with `enrolled = false` are left out.
    """
    found: dict[str, str] = {}
    for name, step in plan.steps.items():
        observation = observations.get(name)
        if observation is not None and not observation.recipe.enrolled:
            continue
        if observation is not None and isinstance(observation.answer, Unobservable):
            found[name] = observation.answer.reason
        elif step.finding.status.state is State.UNKNOWN:
            found[name] = step.finding.status.reason
    return found


def _would_do(step: Step, observation: Observation | None) -> str:
    if step.action is not Action.NONE:
        return f"{step.action}: {step.reason}"
    if observation is not None and needs_fetch(observation):
        return f"its mirror is {step.finding.mirror} and would be fetched"
    return ""
