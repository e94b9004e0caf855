"""Plain values for tests: each builder fills in what its case does not name."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from attrs import evolve

from desired.model import Fleet, Recipe, TierName
from desired.releases import Release, Unobservable, Want
from reconciler.core.base import Base, Origin
from reconciler.core.circumstances import PlanContext
from reconciler.core.findings import Cause, Finding, MirrorState
from reconciler.core.observation import CanonicalStatus, MirrorContents, Observation, State
from reconciler.core.plan import Action, HeldBack, Step
from reconciler.core.tier_results import Candidate, Skip, TierResult, Trial, Verdict
from state.decisions import Hold, Rollback
from state.records import (
    Answer,
    BaseRecord,
    Canonical,
    Circumstances,
    Evidence,
    FileSeal,
    KnownTag,
    Memory,
    Place,
    Red,
    Seal,
    TierRecord,
)

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(days=9)
HERE = Place("timer", "reconcile.service", "canon", "/usr/bin", ("HOME",), {"git": "2.39"}, "place-1", "versions-1")
SEAL = Seal("m" * 64, {"snapshot.tar": FileSeal(1, 2, 3, 4)}, bytes=10, packed=20, entries=3)


def commit(word: str) -> str:
    """Return a full commit made from a word."""
    return word.encode().hex().ljust(40, "0")


def recipe(name: str = "notes") -> Recipe:
    return Recipe(name, f"https://forge.example/{name}.git", Path("fleet/recipes") / name)


def fleet(*recipes: Recipe, unit: str = "") -> Fleet:
    return Fleet("ci", Path("fleet"), {each.name: each for each in recipes}, unit=unit)


def evidence(trial: str = "trial-0") -> Evidence:
    return Evidence(
        trial=trial,
        pass_id="pass-0",
        started_at=EARLIER,
        finished_at=EARLIER,
        place=HERE,
        canon="canon-1",
        fleet="fleet-1",
        tests="tests-1",
        level="1/5",
        base=BaseRecord(None, "no older release"),
        tiers=(TierRecord("install", "pass", "", 1.0),),
        log="logs/notes/trial-0",
    )


def canonical(version: str, at: str, name: str = "notes", trial: str = "trial-0") -> Canonical:
    """Return a record at `version`. `at` is the full commit."""
    return Canonical(name, version, at, 1, (version,), EARLIER, evidence(trial), SEAL)


# ---- what was seen ----


def answer(tags: Mapping[str, str | None]) -> Answer:
    return Answer(f"digest of {sorted(tags)}", "main", commit("main"), tags)


def known(tags: Mapping[str, str]) -> dict[str, KnownTag]:
    return {tag: KnownTag(at, EARLIER) for tag, at in tags.items()}


def observation(
    tags: Mapping[str, str | None] | Unobservable,
    have: Canonical | None = None,
    before: Mapping[str, str] | None = None,
) -> Observation:
    """Return an observation of `tags`, canonical intact, no mirror. `before`: remembered tags, default `tags`."""
    seen = tags if isinstance(tags, Unobservable) else answer(tags)
    now = {} if isinstance(tags, Unobservable) else {tag: at for tag, at in tags.items() if at is not None}
    return Observation(
        recipe=recipe(),
        answer=seen,
        memory=Memory("notes", known=known(now if before is None else before)),
        canonical=have,
        status=CanonicalStatus(State.NONE if have is None else State.INTACT),
        mirror=MirrorContents(),
        files="files-1",
        tests="tests-1",
        observed_at=NOW,
    )


# ---- what is decided ----

AROUND = PlanContext(HERE, "canon-1", date(2026, 3, 2))


def circumstances(at: str) -> Circumstances:
    """What `AROUND` and a `observation` give for a release at the full commit `at`."""
    return Circumstances(at, "tests-1", "canon-1", "place-1", "versions-1")


def red(version: str, under: Circumstances) -> Red:
    return Red(version, under, EARLIER, "trial-r", "install failed: exited 1")


def finding(name: str = "notes", cause: Cause = Cause.IN_SYNC, state: State = State.INTACT) -> Finding:
    return Finding(name, None, None, cause, CanonicalStatus(state), MirrorState.EQUAL, f"{cause} it is", NOW)


# ---- what a step did ----


def tiers(*verdicts: Verdict) -> tuple[TierResult, ...]:
    """Return all tiers in order, passed unless a verdict is given. A skip is for lack of a check."""
    given = dict(zip(TierName, verdicts, strict=False))
    return tuple(tier(name, given.get(name, Verdict.PASS)) for name in TierName)


def tier(name: TierName, verdict: Verdict) -> TierResult:
    reason = "" if verdict is Verdict.PASS else f"{name} said {verdict}"
    return TierResult(name, verdict, reason, 1.0, Skip.NO_CHECK if verdict is Verdict.SKIP else None)


def trial(release: Release, name: str = "notes") -> Trial:
    """Return a cold, green trial of `release` by a pass."""
    return Trial(
        id="trial-1",
        recipe=name,
        release=release,
        by_pass=True,
        tiers=tiers(),
        base=Base(None, Origin.NONE, "no older release"),
        slots_were_empty=True,
        altered=(),
        tests="tests-1",
        tests_unchanged=True,
        started_at=NOW,
        finished_at=NOW,
        seconds=4.0,
        log=f"logs/{name}/trial-1",
        candidate=Candidate(Path("work/candidate"), SEAL, (release.version,)),
    )


# ---- a canonical and the release after it ----

OLD, NEW = Release("1.1.0+2.2.0", commit("old")), Release("1.2.0+2.3.0", commit("new"))
HOLD = Hold("peertube", "the fair is on Monday", "maria", EARLIER, date(2026, 3, 9))
ROLLBACK = Rollback("rallly", "1.2.0 loses mails", "tom", EARLIER, OLD.version, NEW.version, NEW.version)
STORED = evolve(SEAL, bytes=1_300_000, packed=410_000, entries=14)


RED_TIERS = (
    TierResult(TierName.INSTALL, Verdict.PASS, "", 12.34),
    TierResult(TierName.UPGRADE, Verdict.FAIL, "data.check exited 1", 80.0),
)


def canonical_of(
    name: str, release: Release = OLD, lineage: Sequence[str] = ("1.0.0+2.1.0", "1.1.0+2.2.0")
) -> Canonical:
    """The recorded canonical of `name`, in its third generation."""
    recorded = canonical(release.version, release.commit, name, f"20260221T040000.{name}")
    log = f"logs/{name}/{recorded.evidence.trial}"
    proof = evolve(recorded.evidence, log=log, level="4/5", finished_at=NOW - timedelta(days=9))
    return evolve(recorded, generation=3, lineage=tuple(lineage), seal=STORED, evidence=proof)


def trial_of(name: str, results: Sequence[TierResult] = tiers()) -> Trial:
    """A trial of the new release over the old one, by a pass."""
    return evolve(
        trial(NEW, name),
        id=f"20260302T040000.{name}",
        tiers=tuple(results),
        base=Base(OLD, Origin.CANONICAL, "the canonical, with its data"),
        seconds=92.3,
        log=f"logs/{name}/20260302T040000.{name}",
    )


def finding_of(
    name: str, cause: Cause, want: Want | None = NEW, at: Canonical | None = None, look: CanonicalStatus | None = None
) -> Finding:
    """A finding whose reason names its cause; the canonical is intact where there is one, the mirror up to date."""
    seen = look or CanonicalStatus(State.NONE if at is None else State.INTACT)
    since = NOW - timedelta(hours=30) if cause in {Cause.NEW_RELEASE, Cause.FIRST_RELEASE} else None
    observed = None if cause is Cause.ORPHANED else NOW
    mirror = MirrorState.UNKNOWN if cause in {Cause.ORPHANED, Cause.UNOBSERVABLE} else MirrorState.EQUAL
    return Finding(name, want, at, cause, seen, mirror, f"why it is {cause}", observed, since)


def with_mirror(finding: Finding, mirror: MirrorState) -> Finding:
    return evolve(finding, mirror=mirror)


def step_left(
    finding: Finding, action: Action = Action.NONE, held: HeldBack | None = None, *, you: bool = False
) -> Step:
    """What is left to do, for the finding's own reason."""
    release = finding.want if action is not Action.NONE and isinstance(finding.want, Release) else None
    return Step(finding, action, finding.reason, release, held, needs_person=you)
