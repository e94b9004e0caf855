"""Finds what keeps a recipe from getting a new canonical, and which facts would have to change for that."""

from collections.abc import Iterator
from typing import Final

from desired.releases import AmbiguousVersion, Release, Want
from desired.want import releases
from reconciler.core.ahead import ahead_blocker
from reconciler.core.blocker import Actor, Blocker, Change
from reconciler.core.case import Case
from reconciler.core.findings import Cause
from reconciler.core.gate import ConditionStatus
from reconciler.core.observation import Observation, State, is_shrunken, moved_tags, upstream_tags
from reconciler.core.plan import HeldBack
from reconciler.core.reds import red_now
from reconciler.core.wanted_release import too_young_until, unsigned_reason

A_NAME: Final = "a release is named x.y.z or x.y.z+APP"


def blockers_of(case: Case) -> tuple[Blocker, ...]:
    """Return everything that keeps the recipe from getting a new canonical. All of it must be removed."""
    if case.observation is None:
        return (_orphaned(case),)
    observed = case.observation
    by_person = (*_declared(case, observed), *_held(case))
    own = (*_by_cause(case, observed), *_over_budget(case))
    return (*by_person, *own, *_local(case, observed), *_at_home(case))


def _orphaned(case: Case) -> Blocker:
    name, folder = case.step.recipe, case.fleet.folder
    forget = Change(
        "nobody needs it any more: its records, snapshots, mirror and logs are deleted",
        Actor.YOU,
        f"reconcile forget {name} --reason …",
    )
    return Blocker(
        "declared", (forget, Change(f"it is declared again: {folder}/recipes/{name}/recipe.toml", Actor.YOU))
    )


def _declared(case: Case, observed: Observation) -> Iterator[Blocker]:
    if case.step.held_back is HeldBack.EXCEPTED:
        fact = f"`enrolled = false` and `exception` are removed from {observed.recipe.folder}/recipe.toml"
        yield Blocker("enrolled", (Change(fact, Actor.YOU),), needs_person=False)


def _held(case: Case) -> Iterator[Blocker]:
    """Yield a blocker for a hold, and one for a rollback, if there is one. `reconcile resume` ends both at once."""
    status, resume = case.step.hold, f"reconcile resume {case.step.recipe}"
    if status is not None and status.hold is not None:
        until = status.hold.until
        over = (Change(f"its hold ends on {until}", Actor.PASS),) if until is not None else ()
        yield Blocker("unheld", (*over, Change("its hold ends now", Actor.YOU, resume)), needs_person=False)
    if status is not None and status.rollback is not None:
        newer = Change(f"upstream publishes a release newer than {status.rollback.left}", Actor.UPSTREAM)
        ends = Change("its rollback ends now", Actor.YOU, resume)
        yield Blocker("unheld", (newer, ends), needs_person=False)


def _by_cause(case: Case, observed: Observation) -> Iterator[Blocker]:
    """Yield the blockers that follow from the finding's cause, such as a moved tag, and one for a remembered red."""
    match case.step.finding.cause:
        case Cause.UNOBSERVABLE:
            yield _unobservable(observed)
        case Cause.MOVED:
            yield from _moved(case, observed)
            yield from _red(case, observed)
        case Cause.AHEAD:
            yield ahead_blocker(case, observed)
        case Cause.AMBIGUOUS:
            yield _ambiguous(case, observed)
        case Cause.NEVER_RELEASED:
            yield _never_released(observed)
        case _:
            yield from (*_too_young(case, observed), *_unsigned(observed, case.step.finding.want))
            yield from _red(case, observed)


def _too_young(case: Case, observed: Observation) -> Iterator[Blocker]:
    want, is_new = case.step.finding.want, case.step.finding.cause is not Cause.IN_SYNC
    if is_new and isinstance(want, Release) and (until := too_young_until(observed, want)):
        older = Change(f"{want.version} is old enough on {until:%Y-%m-%d %H:%M} UTC", Actor.PASS)
        shorter = Change(f"`[release] minimum_age` in {observed.recipe.folder}/recipe.toml is shorter", Actor.YOU)
        yield Blocker("old-enough", (older, shorter), needs_person=False)


def _unsigned(observed: Observation, want: Want | None) -> Iterator[Blocker]:
    if isinstance(want, Release) and unsigned_reason(observed, want):
        ours = Change(f"the fleet's folder keys has the key that signed {want.version}", Actor.YOU)
        theirs = Change(
            f"upstream signs the tag {want.version} on this commit, or a newer one, by such a key", Actor.UPSTREAM
        )
        none = Change(f"`[release] signed` is no longer true in {observed.recipe.folder}/recipe.toml", Actor.YOU)
        yield Blocker("signed", (ours, theirs, none))


def _over_budget(case: Case) -> Iterator[Blocker]:
    if case.step.held_back is HeldBack.OVER_BUDGET:
        later = Change("a later pass has room for its trial: those that wait longest come first", Actor.PASS)
        more = Change(f"`[budget]` in {case.fleet.folder}/fleet.toml is larger", Actor.YOU)
        yield Blocker("within-budget", (later, more), needs_person=False)


def _unobservable(observed: Observation) -> Blocker:
    name, address = observed.recipe.name, observed.recipe.upstream
    if observed.status.state is State.UNKNOWN and observed.canonical is None:
        return Blocker("upstream", (Change(f"its record can be read: {observed.status.reason}", Actor.HOST),))
    if is_shrunken(observed):
        accept = Change("it is right that these tags are gone", Actor.YOU, f"reconcile accept {name} --reason …")
        return Blocker("upstream", (accept, Change("upstream publishes them again", Actor.UPSTREAM)))
    answers = Change(f"{address} answers again; every pass asks it", Actor.UPSTREAM)
    other = Change(f"the address is another one: `upstream` in {observed.recipe.folder}/recipe.toml", Actor.YOU)
    return Blocker("upstream", (answers, other), needs_person=False, look=f"git ls-remote {address}")


def _moved(case: Case, observed: Observation) -> Iterator[Blocker]:
    """Yield a blocker for each moved tag that is the tag of the wanted release or of the canonical's release."""
    name, moved = observed.recipe.name, moved_tags(observed)
    want, have = case.step.finding.want, observed.canonical
    watched = {want.version} if isinstance(want, Release) else set(getattr(want, "tags", ()))
    watched |= {have.version} if have is not None else set()
    for tag in sorted(watched & set(moved)):
        before, after = moved[tag]
        accept = Change(
            f"{after[:7]} is the right commit of {tag}", Actor.YOU, f"reconcile accept {name} {tag} --reason …"
        )
        back = Change(f"upstream moves {tag} back to {before[:7]}", Actor.UPSTREAM)
        yield Blocker("unmoved", (accept, back))


def _ambiguous(case: Case, observed: Observation) -> Blocker:
    want = case.step.finding.want
    assert isinstance(want, AmbiguousVersion)  # noqa: S101  the cause implies it
    return Blocker(
        "release",
        (
            Change(f"upstream publishes a version newer than {want.tags[0]}", Actor.UPSTREAM),
            Change(f"upstream drops all but one of {', '.join(want.tags)}", Actor.UPSTREAM),
            Change(f"`[release] allow` in {observed.recipe.folder}/recipe.toml leaves this version out", Actor.YOU),
        ),
    )


def _never_released(observed: Observation) -> Blocker:
    tags = upstream_tags(observed) or {}
    published = releases(tags, "*")
    publish = Change(f"upstream publishes a release tag; {A_NAME}", Actor.UPSTREAM)
    if not published:
        return Blocker("release", (publish,), needs_person=False)
    allow = f"`[release] allow` in {observed.recipe.folder}/recipe.toml"
    wider = Change(
        f"{allow} admits {published[-1].version}, the newest; now it is {observed.recipe.allow!r}", Actor.YOU
    )
    return Blocker("release", (wider, Change("upstream publishes a release in this range", Actor.UPSTREAM)))


def _red(case: Case, observed: Observation) -> Iterator[Blocker]:
    red, name = red_now(case), observed.recipe.name
    if red is not None:
        yield Blocker(
            "not-red",
            (
                Change(f"upstream publishes a release newer than {red.version}", Actor.UPSTREAM),
                Change(f"its tests or its declaration are changed, in {observed.recipe.folder}", Actor.YOU),
                Change("it is tried again although nothing changed", Actor.YOU, f"reconcile -r {name} --retry {name}"),
                Change("Canon, the place or the tools of this host change", Actor.HOST),
            ),
            look=f"reconcile logs {name} {red.trial}",
        )


def _local(case: Case, observed: Observation) -> Iterator[Blocker]:
    """Yield the blockers on this host: a canonical that cannot be checked; missing tools, tests or needed recipes."""
    if observed.status.state is State.UNKNOWN and observed.canonical is not None:
        yield Blocker("canonical", (Change(f"this can be read again: {observed.status.reason}", Actor.HOST),))
    if not _would_try(case):
        return
    for tool in observed.missing_tools:
        fact = f"{tool} is installed in one of {case.context.place.path}"
        yield Blocker("tools", (Change(fact, Actor.HOST),), look=f"command -v {tool}")
    if observed.tests_unreadable:
        yield Blocker("tests", (Change(f"this can be read again: {observed.tests_unreadable}", Actor.HOST),))
    for name, is_there in case.needs.items():
        if not is_there:
            fact = f"{name}, which it needs, has a release that can be deployed"
            yield Blocker("needs", (Change(fact, Actor.PASS, f"reconcile explain {name}"),), needs_person=False)


def _would_try(case: Case) -> bool:
    """Return whether the plan tries a release, or would do so if nothing held it back."""
    return case.step.release is not None or case.step.finding.cause in {Cause.FIRST_RELEASE, Cause.NEW_RELEASE}


def _at_home(case: Case) -> Iterator[Blocker]:
    """Yield a blocker if only a pass in the systemd unit of the fleet may promote, and this process runs elsewhere."""
    away = next((each for each in case.gate if each.name == "at-home" and each.status is ConditionStatus.FAIL), None)
    if away is not None and _would_try(case):
        unit = case.fleet.unit
        fact = f"the pass runs inside {unit}, as its timer starts it"
        yield Blocker("at-home", (Change(fact, Actor.PASS, f"systemctl start {unit}"),), needs_person=False)
