"""Deploys a release in a slot, fresh or from a snapshot, until it is ready. The only deployment path there is."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path

from attrs import evolve, frozen

from desired.model import Argv, Recipe, Release
from reconciler.deploy.slot import PlacedApp, ReadySince, Slot
from reconciler.deploy.test_command import command, needs_environment
from reconciler.errors import (
    MORE_MEMORY,
    InfrastructureError,
    KilledError,
    NeededAppError,
    RecipeError,
    StoppedError,
    TimedOutError,
    was_killed,
)
from reconciler.ports.app import App, DeployOptions, RunningApp, Unready
from reconciler.ports.app_secrets import SecretMakers
from reconciler.ports.commands import CommandResult

TAIL_LINES = 12
# A check run only to see whether it already passes may hang; give it a minute at most.
_ONLY_ASKED = timedelta(seconds=60)


@frozen
class AppSpec:
    """One recipe of a app set at a release.

    `source` is the unpacked folder its data comes from; None means fresh data, or what is in the slot already.
    `like` is an app of the same recipe whose secrets and settings it is to have instead of new ones.
    """

    recipe: Recipe
    release: Release
    source: Path | None = None
    like: App | None = None


AppSet = tuple[AppSpec, ...]
"""What a recipe needs, and then itself."""


def deploy_app_set(slot: Slot, app_set: AppSet) -> RunningApp:
    """Raise all of a app set in its order; returns what was seen of the last, the recipe itself.

    Raises RecipeError or TimedOutError for the recipe itself, NeededAppError for what it needs.
    """
    *needed, own = app_set
    for member in needed:
        deploy_needed(slot, member, own.recipe)
    return deploy_app(slot, own)


def deploy_needed(slot: Slot, member: AppSpec, whose: Recipe) -> RunningApp:
    """Raise an app that `whose` needs. Raises NeededAppError instead of what blames a recipe."""
    try:
        return deploy_app(slot, member)
    except RecipeError as failed:
        raise NeededAppError(whose.name, member.recipe.name, failed) from failed


def deploy_app(slot: Slot, member: AppSpec) -> RunningApp:
    """Deploy a member, new or over what the slot holds of it, and wait until it is ready.

    Raises RecipeError, TimedOutError or InfrastructureError; the slot then holds whatever came of it.
    """
    fresh = member.source is None and member.recipe.name not in slot.placed
    slot.ready.pop(member.recipe.name, None)
    placed = slot.place(member.recipe, member.release)
    options = evolve(_given(slot, placed), like=member.like)
    needs = placed.driver.needs(placed.app, placed.checkout, options)
    if member.source is not None:
        _load(placed, member.source)
    known = member.like.secrets if member.like else None
    makers = SecretMakers(member.recipe.install.secrets, slot.tests_of(member.recipe), known)
    provided = slot.host.secrets.provide(placed.app, needs, makers, slot.log)
    slot.not_asked_for[member.recipe.name] = provided.not_asked_for
    slot.remarks += (remark for remark in provided.remarks if remark not in slot.remarks)
    slot.remarks += placed.driver.deploy(placed.app, placed.checkout, options)
    seen = until_ready(slot, placed)
    if fresh and member.recipe.install.steps:
        for number, step in enumerate(member.recipe.install.steps, 1):
            run(slot, placed, step, f"install step {number}")
        seen = until_ready(slot, placed)
    return seen


def _given(slot: Slot, placed: PlacedApp) -> DeployOptions:
    install, tests = placed.recipe.install, slot.tests_of(placed.recipe)
    settings = {**needs_environment(slot, placed.recipe), **install.env}
    overlays = tuple(tests / name for name in install.overlays)
    ready, release = placed.recipe.ready, placed.release
    return DeployOptions(release.version, release.commit, settings, overlays, ready.run is None, ready.within())


def _load(placed: PlacedApp, source: Path) -> None:
    """Load data and see that it came: an app would come up without it as well, and only a check would notice."""
    parts = [part for part in (placed.app.data, placed.app.secrets) if (source / part.name).exists()]
    placed.driver.load(placed.app, source)
    for part in parts:
        if not part.exists():
            raise InfrastructureError(f"{placed.recipe.name}: {part.name} of its snapshot was loaded, but is not there")


def until_ready(slot: Slot, placed: PlacedApp) -> RunningApp:
    """Wait for the app's own listener; then see for oneself that what was deployed is what runs.

    Raises RecipeError or TimedOutError; KilledError where what ran before had to be killed for it: whatever came of
    that, its data may be cut off.
    """
    recipe = placed.recipe
    ready = evolve(recipe.ready, timeout=patience(placed))
    probe = command(slot, placed, ready.run or ("true",), seen=None)
    answered = slot.host.readiness.wait(ready, lambda: placed.driver.look(placed.app), probe)
    seen = placed.driver.look(placed.app)
    if isinstance(seen, RunningApp) and seen.killed:
        raise was_killed(recipe.name, seen.killed, slot.host.commands.pressure())
    if isinstance(answered, Unready):
        with with_app_logs(slot, placed):
            raise _unready(slot, placed, answered)
    if not isinstance(seen, RunningApp):
        raise RecipeError(f"{recipe.name} {placed.release.version} was ready, and no longer runs: {seen.reason}")
    deployed = (placed.release.version, placed.release.commit)
    if (seen.version, seen.commit) != deployed:
        running = f"{seen.version} ({seen.commit[:7]})"
        raise InfrastructureError(f"{recipe.name}: {placed.release.version} was deployed, but {running} runs")
    slot.ready[recipe.name] = ReadySince(seen, slot.host.clock.monotonic())
    return seen


def patience(placed: PlacedApp) -> timedelta:
    """How long the deployed app may take to be up: as declared, else as its release says."""
    ready = placed.recipe.ready
    if ready.timeout is not None:
        return ready.timeout
    seen = placed.driver.look(placed.app)
    return ready.within(seen.timeout if isinstance(seen, RunningApp) else None)


def check_up(slot: Slot) -> None:
    """See that every app of a slot has stayed up since it was ready.

    Raises RecipeError for the recipe itself, InfrastructureError for what it needs and for what is the host's fault.
    """
    for placed in slot.placed.values():
        _watch(slot, placed, timedelta(0))


def check_stable(slot: Slot) -> None:
    """The same, once the recipe itself has been up for as long as it declares."""
    *_, own = slot.placed.values()
    _watch(slot, own, own.recipe.ready.stable)
    check_up(slot)


def _watch(slot: Slot, placed: PlacedApp, stable: timedelta) -> None:
    """Watch a ready app until it has been up for `stable`. Apps that we stopped ourselves are not watched."""
    since = slot.ready.get(placed.recipe.name)
    if since is None:
        return
    left = since.at + stable.total_seconds() - slot.host.clock.monotonic()
    ending = slot.host.readiness.watch(lambda: placed.driver.look(placed.app), since.seen, max(0.0, left))
    if ending is None:
        return
    message = f"{placed.recipe.name} {placed.release.version} was ready and did not stay up: {slot.redact(ending.said)}"
    *_, own = slot.placed.values()
    if placed is not own:
        raise InfrastructureError(f"{own.recipe.name} needs {message}")
    if ending.stopped:
        raise StoppedError(message)
    if ending.of_host:
        raise InfrastructureError(message)
    with with_app_logs(slot, placed):
        raise RecipeError(message)


@contextmanager
def with_app_logs(slot: Slot, placed: PlacedApp) -> Iterator[None]:
    """Tell what a recipe is blamed for with the app's last lines; what was late, with the host's pressure too."""
    try:
        yield
    except RecipeError as failed:
        said = failed.tail or placed.driver.logs(placed.app)
        tail = tuple(slot.redact("\n".join(said)).splitlines()[-TAIL_LINES:])
        if isinstance(failed, TimedOutError):
            raise type(failed)(failed.message, slot.host.commands.pressure(), tail) from failed
        raise RecipeError(failed.message, failed.hint, tail) from failed


def _unready(slot: Slot, placed: PlacedApp, unready: Unready) -> RecipeError:
    kind = TimedOutError if unready.timed_out else RecipeError
    return kind(f"{placed.recipe.name} {placed.release.version} is not ready: {slot.redact(unready.reason)}")


def run(slot: Slot, placed: PlacedApp, argv: Argv, what: str, *, may_stop: bool = False) -> None:
    """Run one command of the recipe's tests against the deployed app; `what` names it in errors.

    `may_stop` says that it may stop the app for a while: where it fails, an app stopped from outside is its own doing.
    """
    seen = placed.driver.look(placed.app)
    if not isinstance(seen, RunningApp):
        with _unless_stopped(may_stop):
            check_up(slot)
        raise RecipeError(f"{what}: {placed.recipe.name} no longer runs: {seen.reason}")
    grace = placed.recipe.stop.grace
    ran = slot.host.commands.run(evolve(command(slot, placed, argv, seen), grace=grace))
    if not ran.timed_out:
        slot.remarks += [f"{what} left {name} running; it was ended" for name in ran.ended]
    if not ran.ok:
        # What took the app away tells more than what came of it, and may be the host's fault.
        with _unless_stopped(may_stop):
            check_up(slot)
        raise failure(slot, argv, what, ran)
    if ran.killed:
        left = f"{what} left {', '.join(ran.killed)} running, which did not end within {grace.total_seconds():g} s"
        raise KilledError(f"{left} of SIGTERM and was killed, so what it wrote may be cut off")


def _unless_stopped(may_stop: bool) -> AbstractContextManager[None]:  # noqa: FBT001 - named by its caller
    """Where a command may stop the app, that the app was stopped from outside is no fault of the host's."""
    return suppress(StoppedError) if may_stop else nullcontext()


def passes(slot: Slot, placed: PlacedApp, argv: Argv, what: str) -> bool:
    """Whether a command of the recipe's tests exits 0 within a minute; where it does not, nobody is to blame.

    Raises InfrastructureError where it was killed for want of memory, and what `check_up` raises where an app fell.
    """
    seen = placed.driver.look(placed.app)
    if not isinstance(seen, RunningApp):
        check_up(slot)
        return False
    asked = command(slot, placed, argv, seen)
    ran = slot.host.commands.run(evolve(asked, deadline=min(asked.deadline, _ONLY_ASKED)))
    if ran.out_of_memory:
        raise failure(slot, argv, what, ran)
    if not ran.ok:
        check_up(slot)
    return ran.ok


def failure(slot: Slot, argv: Argv, what: str, ran: CommandResult) -> RecipeError | InfrastructureError:
    """The error for a command that did not end well."""
    tail = tuple(slot.redact(ran.tail).splitlines()[-TAIL_LINES:])
    if ran.missing and "/" not in argv[0]:
        return InfrastructureError(f"{what}: {argv[0]} is not on this host", "install it, or name it in `requires`")
    if ran.missing:
        return RecipeError(f"{what}: there is no {argv[0]}")
    if ran.out_of_memory:
        return InfrastructureError(f"{what} was killed for want of memory", MORE_MEMORY)
    if ran.timed_out:
        return TimedOutError(f"{what} was not done in time", slot.host.commands.pressure(), tail)
    return RecipeError(f"{what} exited {ran.code}", tail=tail)


def run_all(slot: Slot, placed: PlacedApp, commands: Sequence[Argv], what: str) -> None:
    """Run commands in their order; the first that fails ends it."""
    for number, argv in enumerate(commands, 1):
        run(slot, placed, argv, f"{what} {number}")
