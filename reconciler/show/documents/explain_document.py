"""The JSON document of `reconcile explain`."""

from collections.abc import Sequence

from reconciler.core.blocker import Blocker, Change
from reconciler.core.explanation import Explanation, Family
from reconciler.show.documents.event_document import event_part
from reconciler.show.documents.recorded_parts import Json, time_part
from reconciler.show.documents.report_document import FORMAT, gate_part
from reconciler.show.documents.ways_part import recorded_ways_part
from reconciler.show.labels import ACTION_WORDS


def explain_document(explained: Sequence[Explanation], notes: Sequence[str] = ()) -> Json:
    """Return the JSON document of `reconcile explain`, with an entry for each recipe. `notes` are about all of it."""
    recipes = [_recipe(each) for each in explained]
    return {"format": FORMAT, "command": "explain", "explanations": recipes, "notes": list(notes), "exit_code": 0}


def _recipe(explained: Explanation) -> Json:
    step, release, base = explained.step, explained.release, explained.base
    return {
        "name": explained.recipe,
        "family": FAMILIES[explained.family],
        "verdict": explained.verdict,
        "cause": step.finding.cause,
        "state": step.finding.status.state,
        "held_back": step.held_back,
        "action": ACTION_WORDS[step.action],
        "release": {"version": release.version, "commit": release.commit} if release is not None else None,
        "since": {what: time_part(when) for what, when in explained.drift.since.items()},
        "policies": gate_part(explained.policies),
        "gate": gate_part(explained.conditions),
        "blockers": [_blocker(each) for each in explained.blockers],
        "moved_by": [_change(each) for each in explained.moved_by],
        "next": _change(explained.next) if explained.next is not None else None,
        "base": {"version": base.release.version if base.release else None, "why": base.why} if base else None,
        "ways": recorded_ways_part(explained.ways),
        "history": [event_part(each) for each in explained.history],
        "not_read": [{"tag": each.tag, "why": each.why} for each in explained.not_read],
        "upstream": _upstream_part(explained),
    }


def _upstream_part(explained: Explanation) -> Json:
    fresh = explained.freshness
    return {
        "asked": fresh.asked,
        "seen_at": time_part(fresh.seen_at),
        "same_since": time_part(fresh.same_since),
        "by_record": explained.by_record or None,
    }


FAMILIES = {
    Family.NOTHING: "nothing-to-do",
    Family.WAITS: "waits-by-itself",
    Family.NEEDS_YOU: "needs-you",
}
"""The word for each family in format 1."""


def _blocker(blocker: Blocker) -> Json:
    return {
        "name": blocker.name,
        "needs_person": blocker.needs_person,
        "any_of": [_change(change) for change in blocker.any_of],
        "look": blocker.look or None,
    }


def _change(change: Change) -> Json:
    return {"fact": change.fact, "by": change.by, "command": change.command or None}
