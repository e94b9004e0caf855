"""Waits until a deployed app is ready, and checks that ready apps stay up."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from attrs import evolve

from reconciler.deploy.command_environment import make_command
from reconciler.deploy.slot import DeployedApp, ReadySince, Slot
from reconciler.errors import InfrastructureError, RecipeError, StoppedError, TimedOutError, killed_error
from reconciler.ports.app import RunningApp, Unready

TAIL_LINES = 12


def wait_until_ready(slot: Slot, deployed: DeployedApp) -> RunningApp:
    """Wait until a deployed app is ready, and check that the deployed release is what runs. Return the app's status.

    From then on, the app is in `slot.ready`. Raise RecipeError or TimedOutError if the app does not become ready, and
    InfrastructureError if another release runs. If the app's earlier release had to be killed, raise KilledError, even
    if the app is ready: the data may be incomplete.
    """
    recipe = deployed.recipe
    ready = evolve(recipe.ready, timeout=ready_timeout(deployed))
    probe = make_command(slot, deployed, ready.run or ("true",), status=None)
    with deployed.driver.changes(deployed.app) as changes:
        answer = slot.host.readiness.wait(ready, lambda: deployed.driver.status(deployed.app), probe, changes)
    status = deployed.driver.status(deployed.app)
    if isinstance(status, RunningApp) and status.killed:
        raise killed_error(recipe.name, status.killed, slot.host.commands.pressure())
    if isinstance(answer, Unready):
        with with_app_logs(slot, deployed):
            raise _unready_error(slot, deployed, answer)
    if not isinstance(status, RunningApp):
        raise RecipeError(f"{recipe.name} {deployed.release.version} was ready, but no longer runs: {status.reason}")
    release = deployed.release
    if (status.version, status.commit) != (release.version, release.commit):
        running = f"{status.version} ({status.commit[:7]})"
        raise InfrastructureError(f"{recipe.name}: {release.version} was deployed, but {running} runs")
    slot.ready[recipe.name] = ReadySince(status, slot.host.clock.monotonic(), answer.unready_at)
    return status


def ready_timeout(deployed: DeployedApp) -> timedelta:
    """Return how long the app may take to become ready.

    This is `[ready] timeout` if the recipe declares it, else the time that the release itself declares, else the
    default.
    """
    ready = deployed.recipe.ready
    if ready.timeout is not None:
        return ready.timeout
    status = deployed.driver.status(deployed.app)
    return ready.within(status.timeout if isinstance(status, RunningApp) else None)


def check_up(slot: Slot) -> None:
    """Check that every app of a slot has stayed up since it became ready. Apps that Canon stopped are not checked.

    Raise RecipeError if the recipe's own app went down by itself. Raise InfrastructureError if an app that it needs
    went down, or if this host is to blame.
    """
    for deployed in slot.apps.values():
        _watch(slot, deployed, timedelta(0))


def check_stable(slot: Slot) -> None:
    """Wait until the recipe's own app has been up for as long as `[ready] stable` says.

    Then check that all apps of the slot are up. Raise RecipeError if the recipe's own app went down by itself,
    InfrastructureError if an app that it needs went down, or if this host is to blame.
    """
    *_, own = slot.apps.values()
    _watch(slot, own, own.recipe.ready.stable)
    check_up(slot)


def _watch(slot: Slot, deployed: DeployedApp, stable: timedelta) -> None:
    """Watch an app until it has been up for the time `stable`.

    Return at once if the app is not in `slot.ready`, because then Canon has stopped it. If the recipe's own app goes
    down by itself, raise RecipeError. If a needed app goes down, or if this host is to blame, raise
    InfrastructureError.
    """
    since = slot.ready.get(deployed.recipe.name)
    if since is None:
        return
    left = since.at + stable.total_seconds() - slot.host.clock.monotonic()
    ended = slot.host.readiness.watch(lambda: deployed.driver.status(deployed.app), since.status, max(0.0, left))
    if ended is None:
        return
    app = f"{deployed.recipe.name} {deployed.release.version}"
    message = f"{app} was ready and did not stay up: {slot.redact(ended.message)}"
    *_, own = slot.apps.values()
    if deployed is not own:
        raise InfrastructureError(f"{own.recipe.name} needs {message}")
    if ended.stopped:
        raise StoppedError(message)
    if ended.is_host_fault:
        raise InfrastructureError(message)
    with with_app_logs(slot, deployed):
        raise RecipeError(message)


@contextmanager
def with_app_logs(slot: Slot, deployed: DeployedApp) -> Iterator[None]:
    """If the `with` block raises a RecipeError, raise it again with the last log lines of the app `deployed`.

    In these lines, secrets are masked. If the error is a TimedOutError, also add how busy the host is. Other errors
    stay as they are.
    """
    try:
        yield
    except RecipeError as failed:
        lines = failed.tail or deployed.driver.logs(deployed.app)
        tail = tuple(slot.redact("\n".join(lines)).splitlines()[-TAIL_LINES:])
        if isinstance(failed, TimedOutError):
            raise type(failed)(failed.message, slot.host.commands.pressure(), tail) from failed
        raise RecipeError(failed.message, failed.hint, tail) from failed


def _unready_error(slot: Slot, deployed: DeployedApp, unready: Unready) -> RecipeError:
    """Return the error for an app that did not become ready: a RecipeError; if it took too long, a TimedOutError.

    `unready` has the reason.
    """
    kind = TimedOutError if unready.timed_out else RecipeError
    return kind(f"{deployed.recipe.name} {deployed.release.version} is not ready: {slot.redact(unready.reason)}")
