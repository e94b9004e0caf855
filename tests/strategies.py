"""Hypothesis strategies for observations of recipes. They use few versions, so that equal ones are frequent."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, TypeVar

from attrs import evolve, frozen
from hypothesis import strategies as st

from desired.model import CanonicalPolicy, Install, Keep, Recipe
from desired.releases import Signature, Unobservable
from reconciler.core.circumstances import PlanContext
from reconciler.core.observation import CanonicalStatus, MirrorContents, Observation, Orphan, State
from state.decisions import Hold
from state.records import Canonical, Circumstances, Memory, Red
from tests.values import AROUND, EARLIER, NOW, answer, canonical, circumstances, commit, known, recipe, red

T = TypeVar("T")
Tags = Mapping[str, str | None]

LADDER: Final = (
    ("0.2.0", "v0.2.0"),
    ("3.0.0+v2.0.0",),
    ("3.0.1+v2.0.0",),
    ("3.0.9+1.10.7", "v3.0.9+1.10.7"),
    ("3.0.10+1.10.8", "3.0.10+1.10.08"),
    ("3.0.10+1.10.10", "v3.0.10+1.10.10"),
)
"""Release names, oldest first; those of one line are equal in the order."""

RANK: Final = {name: rank for rank, names in enumerate(LADDER) for name in names}
NAMES: Final = tuple(RANK)
NOT_RELEASES: Final = ("latest", "20191109", "3.0", "3.0.9_1", "03.0.9")
ALLOWED: Final = {"*": range(6), ">=3.0.0": range(1, 6), "<3.0.9": range(3)}
"""Ranges for `allow`, with the ranks of LADDER that lie in them."""

RECIPES: Final = ("bonfire", "gitea", "notes", "plausible")


def weighted(weights: Mapping[T, int]) -> st.SearchStrategy[T]:
    """Draw each value as often as its weight says."""
    return st.sampled_from([value for value, weight in weights.items() for _ in range(weight)])


def usual_commit(name: str) -> str:
    """Return the usual commit of a release name. Names that are equal in the order share it."""
    return commit(f"r{RANK[name]}")


# ---- what was seen of one recipe ----


@st.composite
def remembered_tags(draw: st.DrawFn) -> dict[str, str]:
    """Draw release tags that an earlier pass remembered."""
    count = draw(weighted({0: 2, 1: 3, 2: 3, 3: 3, 4: 2}))
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=count, max_size=count))
    return {name: usual_commit(name) for name in names}


@st.composite
def published_tags(draw: st.DrawFn) -> dict[str, str | None]:
    """Draw the tags of a new repository, also equal versions, tags on no commit, and tags that are no releases."""
    tags: dict[str, str | None] = {}
    count = draw(weighted({0: 1, 1: 2, 3: 4, 5: 4}))
    names = st.sampled_from((*NAMES, *NOT_RELEASES))
    for name in draw(st.lists(names, unique=True, min_size=count, max_size=count)):
        tidy = usual_commit(name) if name in RANK else commit("other")
        tags[name] = draw(weighted({tidy: 6, commit("elsewhere"): 1, None: 1}))
    return tags


@st.composite
def changed_tags(draw: st.DrawFn, before: Mapping[str, str]) -> dict[str, str | None]:
    """Draw how remembered tags may have changed."""
    tags: dict[str, str | None] = dict(before)
    changes = weighted({"publish": 5, "part": 5, "move": 3, "vanish": 2, "unpeel": 1, "clutter": 1})
    for _ in range(draw(weighted({0: 4, 1: 5, 2: 2}))):
        there = st.sampled_from(sorted(before) or ["none"])
        match draw(changes):
            case "publish":
                name = draw(st.sampled_from(NAMES))
                tags.setdefault(name, usual_commit(name))
            case "part":
                first, *twins = LADDER[max((RANK[name] for name in before), default=0)]
                tags.setdefault(first, usual_commit(first))
                tags |= dict.fromkeys(twins, commit("apart"))
            case "move" if before:
                tags[draw(there)] = commit("moved")
            case "vanish" if before:
                tags.pop(draw(there), None)
            case "unpeel" if before:
                tags[draw(there)] = None
            case _:
                tags[draw(st.sampled_from(NOT_RELEASES))] = commit("clutter")
    return tags


@st.composite
def recorded_canonicals(draw: st.DrawFn, name: str, before: Mapping[str, str]) -> Canonical | None:
    """Draw a canonical at one of the remembered releases, mostly the newest, or None."""
    kind = draw(weighted({"none": 2, "newest": 6, "any": 3, "accepted": 1}))
    if kind == "none" or not before:
        return None
    newest = max(before, key=lambda tag: RANK[tag])
    version = newest if kind == "newest" else draw(st.sampled_from(sorted(before)))
    return canonical(version, commit("past") if kind == "accepted" else before[version], name)


@st.composite
def canonical_statuses(draw: st.DrawFn, have: Canonical | None, *, kept: bool = False) -> CanonicalStatus:
    """Draw the status of a canonical. It can be down only if it is `kept` running."""
    if have is None:
        return CanonicalStatus(State.NONE)
    state = draw(weighted({State.INTACT: 4, State.DAMAGED: 4, State.DOWN: 3 if kept else 0, State.UNKNOWN: 2}))
    if state is State.DOWN:
        return CanonicalStatus(state, "service app is gone", draw(st.sampled_from((None, EARLIER))))
    return CanonicalStatus(state, "" if state is State.INTACT else f"snapshot.tar: {state}")


@st.composite
def mirrors_seen(draw: st.DrawFn, tags: Tags, before: Mapping[str, str]) -> MirrorContents:
    kind = draw(weighted({"equal": 3, "behind": 2, "missing": 5, "unreadable": 2}))
    if kind == "missing":
        return MirrorContents()
    if kind == "unreadable":
        return MirrorContents(unreadable="not a repository")
    new = {tag: at for tag, at in tags.items() if at is not None and tag in RANK}
    return MirrorContents(commit("main"), {} if kind == "behind" else new | dict(before))


@st.composite
def changed_circumstances(draw: st.DrawFn, under: Circumstances) -> Circumstances:
    """Draw `under` with exactly one field changed."""
    changed = draw(st.sampled_from(("commit", "tests", "canon", "place", "versions")))
    return evolve(under, **{changed: "changed"})


@st.composite
def red_memories(draw: st.DrawFn, tags: Tags, have: Canonical | None) -> dict[str, Red]:
    """Draw red releases among the published or recorded ones, under the present circumstances or others."""
    at = {tag: commit_ for tag, commit_ in tags.items() if commit_ is not None and tag in RANK}
    at |= {} if have is None else {have.version: have.commit}
    newest = max(at, key=lambda tag: RANK[tag], default="")
    kind = draw(weighted({"none": 4, "newest": 3, "recorded": 1, "changed": 2}))
    version = have.version if kind == "recorded" and have is not None else newest
    if kind == "none" or not version:
        return {}
    under = circumstances(at[version])
    return {version: red(version, draw(changed_circumstances(under)) if kind == "changed" else under)}


@st.composite
def recipes(draw: st.DrawFn, name: str = "notes") -> Recipe:
    enrolled = draw(weighted({True: 8, False: 1}))
    review = draw(st.sampled_from((None, date(2026, 1, 1), date(2027, 1, 1))))
    allow = draw(weighted({"*": 6, ">=3.0.0": 1, "<3.0.9": 1}))
    kept = CanonicalPolicy(keep=draw(st.sampled_from(Keep)))
    declared = evolve(recipe(name), enrolled=enrolled, allow=allow, canonical=kept)
    return declared if enrolled else evolve(declared, exception="needs a mail server", review=review)


@st.composite
def observations(draw: st.DrawFn, name: str = "notes") -> Observation:
    """Draw the observation of one recipe."""
    before = draw(remembered_tags())
    tags = draw(draw(weighted({changed_tags(before): 3, published_tags(): 1})))
    have = draw(recorded_canonicals(name, before))
    forgotten = draw(weighted({False: 9, True: 1}))
    hidden = {tag: commit("blob") for tag, at in tags.items() if at is None and draw(st.booleans())}
    unseen = draw(weighted({False: 11, True: 1}))
    declared = draw(recipes(name))
    return Observation(
        recipe=declared,
        answer=Unobservable("connection refused") if unseen else answer(tags | hidden),
        memory=Memory(
            name,
            known={} if forgotten else known(before),
            not_commits=hidden,
            reds=draw(red_memories(tags, have)),
        ),
        canonical=have,
        status=draw(canonical_statuses(have, kept=declared.enrolled)),
        mirror=draw(mirrors_seen(tags, before)),
        files="files-1",
        tests="tests-1",
        observed_at=NOW,
        missing_tools=draw(weighted({(): 5, ("git-lfs",): 1})),
        tests_unreadable=draw(weighted({"": 5, "its tests cannot be read": 1})),
    )


@st.composite
def holds(draw: st.DrawFn, name: str = "notes") -> Hold | None:
    """Draw a hold that is in effect at the time of `AROUND`, one that has ended, or none."""
    until = draw(weighted({None: 1, AROUND.today + timedelta(1): 1, AROUND.today: 1}))
    return Hold(name, "the fair", "maria", EARLIER, until) if draw(weighted({False: 3, True: 1})) else None


LONGER_THAN_KNOWN: Final = timedelta(days=30)
"""More than the time since any release of these strategies was first seen."""


# ---- a whole fleet ----


@frozen
class ObservedFleet:
    """The observations of a fleet of one to four recipes."""

    observations: Mapping[str, Observation]
    orphans: Mapping[str, Orphan]
    around: PlanContext


@st.composite
def observed_fleets(draw: st.DrawFn) -> ObservedFleet:
    names = draw(st.lists(st.sampled_from(RECIPES), unique=True, min_size=1))
    seen = {name: draw(observations(name)) for name in names}
    for place, name in enumerate(names):
        needs = draw(st.lists(st.sampled_from(names[:place]), unique=True, max_size=2)) if place else []
        declared = evolve(seen[name].recipe, install=Install(needs=tuple(needs)))
        if not seen[name].memory.reds and draw(weighted({True: 2, False: 1})):
            declared = evolve(declared, minimum_age=LONGER_THAN_KNOWN)
        else:
            declared = evolve(declared, signed=draw(weighted({False: 4, True: 1})))
        refused = dict.fromkeys(RANK, Signature(fault="the tag has no signature")) if declared.signed else {}
        seen[name] = evolve(seen[name], recipe=declared, hold=draw(holds(name)), signatures=refused)
    orphans = {}
    if draw(weighted({False: 2, True: 1})):
        have = canonical("0.2.0", usual_commit("0.2.0"), "zulip")
        orphans["zulip"] = Orphan(have, draw(canonical_statuses(have)))
    retry = draw(weighted({(): 5, (names[0],): 1}))
    return ObservedFleet(
        seen, orphans, evolve(AROUND, retry=retry, recipes={name: each.recipe for name, each in seen.items()})
    )
