"""Observations of a recipe, each with the cause that is found."""

from attrs import evolve, frozen

from desired.releases import Unobservable
from reconciler.core.findings import Cause
from reconciler.core.observation import Observation
from state.records import Canonical
from tests.values import canonical, commit, observation, recipe

A, B, C = commit("a"), commit("b"), commit("c")


OLD, TAG, TWIN, NEXT = "0.9.0", "1.0.0", "v1.0.0", "1.1.0"
LONG = f"1.0.0+{'v' * 123}"
HAVE = canonical(TAG, A)


@frozen
class CauseCase:
    """What upstream has, what is recorded, and what follows; `before` are the remembered tags, if others than now."""

    about: str
    tags: dict[str, str | None] | Unobservable
    have: Canonical | None
    cause: Cause
    reason: str
    before: dict[str, str] | None = None
    allow: str = "*"

    @property
    def observation(self) -> Observation:
        return evolve(observation(self.tags, self.have, self.before), recipe=evolve(recipe(), allow=self.allow))


PLAIN = [
    CauseCase("have is want", {TAG: A}, HAVE, Cause.IN_SYNC, "canonical is at the newest release 1.0.0"),
    CauseCase("no canonical", {TAG: A}, None, Cause.FIRST_RELEASE, "no canonical yet; newest release is 1.0.0"),
    CauseCase("a newer tag", {TAG: A, NEXT: B}, HAVE, Cause.NEW_RELEASE, "1.1.0 was released after 1.0.0"),
    CauseCase("no tags", {}, None, Cause.NEVER_RELEASED, "upstream has no tags"),
    CauseCase("other tags", {"latest": A, "20191109": B}, None, Cause.NEVER_RELEASED, "upstream has no release tag"),
    CauseCase("a tag on no commit", {TAG: None}, None, Cause.NEVER_RELEASED, "upstream has no release tag"),
    CauseCase(
        "a tag too long", {LONG: A, "x": B}, None, Cause.NEVER_RELEASED, "1 of its 2 tags have more than 128 characters"
    ),
    CauseCase(
        "tags like versions",
        {"latest": A, "v26": B, "1.10": C},
        None,
        Cause.NEVER_RELEASED,
        "upstream has no release tag; tags that look like versions and are not read: v26, 1.10 (a release is",
    ),
    CauseCase(
        "tags like versions in the range",
        {TAG: A, "v26": B, "0.5": C},
        None,
        Cause.NEVER_RELEASED,
        'no release tag lies in `allow = "<1"`; tags that look like versions and are not read: 0.5 (a',
        allow="<1",
    ),
    CauseCase(
        "none allowed", {TAG: A}, None, Cause.NEVER_RELEASED, 'no release tag lies in `allow = "<1"`', allow="<1"
    ),
    CauseCase("unseen", Unobservable("timed out"), HAVE, Cause.UNOBSERVABLE, "timed out"),
    CauseCase("unseen, nothing recorded", Unobservable("timed out"), None, Cause.UNOBSERVABLE, "timed out"),
]


ORDER = [
    CauseCase("ten is after nine", {"3.0.9": A, "3.0.10": B}, canonical("3.0.10", B), Cause.IN_SYNC, "release 3.0.10"),
    CauseCase("a back-port", {"6.0.1": A, "5.0.3": B}, canonical("6.0.1", A), Cause.IN_SYNC, "6.0.1", {"6.0.1": A}),
    CauseCase("same app", {"3.0.0+v2": A, "3.0.1+v2": B}, canonical("3.0.0+v2", A), Cause.NEW_RELEASE, "3.0.1+v2 was"),
    CauseCase(
        "a newer app", {"3.0.0+v9": A, "3.0.0+v10": B}, canonical("3.0.0+v9", A), Cause.NEW_RELEASE, "3.0.0+v10 was"
    ),
    CauseCase(
        "a candidate", {f"{TAG}+2-rc.1": A, f"{TAG}+2": B}, None, Cause.FIRST_RELEASE, "newest release is 1.0.0+2"
    ),
    CauseCase(
        "a candidate is recorded",
        {f"{TAG}+2-rc.1": A, f"{TAG}+2": B},
        canonical(f"{TAG}+2-rc.1", A),
        Cause.NEW_RELEASE,
        "1.0.0+2 was released after 1.0.0+2-rc.1",
    ),
    CauseCase(
        "its release is recorded", {f"{TAG}+2-rc.1": A, f"{TAG}+2": B}, canonical(f"{TAG}+2", B), Cause.IN_SYNC, "+2"
    ),
    CauseCase("twins on one commit", {TAG: A, TWIN: A}, canonical(TWIN, A), Cause.IN_SYNC, "newest release 1.0.0"),
    CauseCase("own name gone, its twin there", {TWIN: A}, HAVE, Cause.IN_SYNC, "newest release v1.0.0"),
    CauseCase("twins apart", {TAG: A, TWIN: B}, None, Cause.AMBIGUOUS, "tags on different commits: 1.0.0, v1.0.0"),
    CauseCase(
        "twins apart, one recorded", {TAG: A, TWIN: B}, HAVE, Cause.AMBIGUOUS, "1.0.0, v1.0.0; upstream must drop"
    ),
    CauseCase("twins apart below a greater", {TAG: A, TWIN: B, NEXT: C}, HAVE, Cause.NEW_RELEASE, "1.1.0 was"),
]


MOVED = [
    CauseCase("have", {TAG: B}, HAVE, Cause.MOVED, "tag 1.0.0 named 6100000 and now names 6200000", {TAG: A}),
    CauseCase("want", {TAG: A, NEXT: C}, HAVE, Cause.MOVED, "tag 1.1.0 named", {TAG: A, NEXT: B}),
    CauseCase("want, nothing recorded", {TAG: B}, None, Cause.MOVED, "reconcile accept notes 1.0.0 --reason", {TAG: A}),
    CauseCase("have, with a newer one there", {TAG: C, NEXT: B}, HAVE, Cause.MOVED, "tag 1.0.0", {TAG: A}),
    CauseCase("have, known by the record alone", {TAG: B}, HAVE, Cause.MOVED, "tag 1.0.0", {}),
    CauseCase("have, and excluded since", {TAG: B}, HAVE, Cause.MOVED, "tag 1.0.0", {TAG: A}, allow="<1"),
    CauseCase("have, and accepted", {TAG: B}, HAVE, Cause.NEW_RELEASE, "was moved to 6200000 and accepted", {TAG: B}),
    CauseCase("neither want nor have", {OLD: B, TAG: A}, HAVE, Cause.IN_SYNC, "newest", {OLD: C, TAG: A}),
]


AHEAD = [
    CauseCase("gone", {OLD: A}, HAVE, Cause.AHEAD, "the canonical's tag 1.0.0 is gone upstream", {OLD: A, TAG: A}),
    CauseCase("gone, a newer one there", {NEXT: B}, HAVE, Cause.AHEAD, "is gone upstream", {TAG: A}),
    CauseCase("gone, a twin on another commit", {TWIN: B}, HAVE, Cause.AHEAD, "is gone upstream", {TAG: A}),
    CauseCase("on no commit now", {OLD: A, TAG: None}, HAVE, Cause.AHEAD, "is gone upstream", {OLD: A, TAG: A}),
    CauseCase("gone with all others", {}, HAVE, Cause.AHEAD, "is gone upstream", {TAG: A}),
    CauseCase("excluded, an older one allowed", {OLD: A, TAG: A}, HAVE, Cause.AHEAD, "newer than 0.9.0", allow="<1"),
    CauseCase("excluded, none allowed", {TAG: A}, HAVE, Cause.AHEAD, "which `allow` now excludes", allow="<1"),
]


SEVERAL = [
    CauseCase("shrunken, moved", {TAG: B}, HAVE, Cause.UNOBSERVABLE, "shrunken: 2 of 3", {OLD: A, TAG: A, NEXT: A}),
    CauseCase("moved, ahead", {TAG: B}, canonical(NEXT, A), Cause.MOVED, "tag 1.0.0", {TAG: A, NEXT: A}),
    CauseCase("moved, ambiguous", {TAG: A, TWIN: B}, None, Cause.MOVED, "tag v1.0.0", {TAG: A, TWIN: A}),
    CauseCase("gone, ambiguous", {TAG: A, TWIN: B}, canonical(OLD, C), Cause.AHEAD, "is gone upstream", {OLD: C}),
    CauseCase("excluded, ambiguous", {OLD: A, "v0.9.0": B, TAG: A}, HAVE, Cause.AHEAD, "newer than 0.9.0", allow="<1"),
]
