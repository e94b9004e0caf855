"""Makes the real host, with an implementation of every port. Sets up signals and file permissions for a command."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from attrs import evolve

from desired.declarations.sources import KEYS
from desired.model import Fleet
from reconciler.cli.command_context import CommandContext
from reconciler.cli.drivers import drivers_for, tools_of
from reconciler.cli.options import Options
from reconciler.errors import InterruptedPassError
from reconciler.host.capacity import bearable
from reconciler.host.command_runner import HostCommands, SystemClock
from reconciler.host.company import Company
from reconciler.host.disk import HostDisk
from reconciler.host.environment import child_environment, place
from reconciler.host.git.mirrors import GitMirrors
from reconciler.host.git.revision import canon_revision, fleet_revision
from reconciler.host.git.upstream import GitUpstream
from reconciler.host.processes.listeners import PORTS
from reconciler.host.processes.procfs import STATE_MARK
from reconciler.host.readiness.wait import HostReadiness
from reconciler.host.run import prepare
from reconciler.host.secret_values import HostSecrets
from reconciler.host.signing import KeyAttestor
from reconciler.host.stopping_signals import STOPPING, start_thread
from reconciler.ports.driver import Driver
from reconciler.ports.host import Host, Progress
from reconciler.ports.images import Images
from reconciler.ports.repositories import TeamForge
from reconciler.ports.workers import ParallelProgress, Workers
from reconciler.show.text.progress import LineProgress, open_progress
from reconciler.show.text.screen import screen_for
from state.folder.folder import StateFolder
from state.folder.identity import read_identity
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots


def make_host(context: CommandContext, progress: Progress, lock: int | None = None) -> Host:
    """Return the host with the real implementation of every port. `progress` shows what is done.

    `lock` is the descriptor of the pass lock; None if the lock is not held. Child processes inherit the lock, so that
    no other pass can start before these processes have ended.
    """
    prepare()
    fleet, state, clock = context.fleet, context.state, SystemClock()
    allowed = child_environment(fleet.passes, os.environ, state.root)
    children = _children(context, allowed)
    commands = HostCommands(children, state.root)
    drivers = drivers_for(fleet, state, children, lock)
    return Host(
        clock=clock,
        upstream=GitUpstream(children, fleet.protocols),
        forge=_forge(fleet, state, children, lock),
        mirrors=GitMirrors(state, children, fleet.protocols, lock, keys=fleet.folder / KEYS),
        drivers=drivers,
        secrets=HostSecrets(children),
        commands=commands,
        readiness=HostReadiness(commands, clock),
        registry=SqliteRegistry(state.database),
        snapshots=SealedSnapshots(),
        progress=progress,
        place=place(tools_of(fleet, drivers), allowed, os.environ),
        canon=canon_revision(children),
        fleet=fleet_revision(fleet.folder, children),
        disk=_disk(state, drivers, children),
        images=_images(fleet, drivers, children, lock),
        state=state,
        pass_id=f"{clock.now():%Y%m%dT%H%M%SZ}-{os.getpid()}",
        attestor=KeyAttestor(fleet.sign, {**children, "HOME": os.environ.get("HOME", "/")}),
    )


def _children(context: CommandContext, allowed: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of child processes: the variables `allowed`, and the id of the state folder."""
    identity = read_identity(context.state.identity)
    return {**allowed} | ({STATE_MARK: identity} if identity else {})


def worker_host(context: CommandContext, host: Host, progress: Progress, lock: int, ports: range) -> Host:
    """Return the host of a worker process that was forked from the process of `host`.

    Every part of the host that may have an open connection, or a list of child processes, is made anew.
    * `progress`: shows what the worker does.
    * `lock`: the descriptor of the pass lock.
    * `ports`: the ports on which the worker's apps listen. No other worker uses them.
    """
    fleet, state = context.fleet, context.state
    children = _children(context, child_environment(fleet.passes, os.environ, state.root))
    return evolve(
        host,
        upstream=GitUpstream(children, fleet.protocols),
        mirrors=GitMirrors(state, children, fleet.protocols, lock, keys=fleet.folder / KEYS),
        drivers=drivers_for(fleet, state, children, lock, Company(ports, has_company=True)),
        progress=progress,
    )


def workers_for(context: CommandContext, host: Host, progress: ParallelProgress, lock: int) -> Workers | None:
    """Return the workers of a pass; None if the pass tries one recipe after the other.

    `progress` shows what all workers do. `lock` is the descriptor of the pass lock.
    """
    parallel = parallel_of(context.fleet)
    if parallel == 1:
        return None
    from reconciler.host.workers import ForkedWorkers

    def host_for(sent: Progress, place: int) -> Host:
        return worker_host(context, host, sent, lock, PORTS[place::parallel])

    return ForkedWorkers(parallel, host_for, progress, progress.show_running)


def parallel_of(fleet: Fleet) -> int:
    """Return how many recipes a pass may try at once: the declared number or, without one, what this host can bear."""
    return bearable() if fleet.parallel is None else fleet.parallel


def _forge(fleet: Fleet, state: StateFolder, children: Mapping[str, str], lock: int | None) -> TeamForge | None:
    """Return the team's forge, to which mirrors are pushed; None if the fleet declares no forge.

    `children` is the environment of child processes. `lock` is the descriptor of the pass lock; None if it is not held.
    """
    if not fleet.mirror.push:
        return None
    from reconciler.host.git.forge import GitForge

    return GitForge(state, children, fleet.protocols, fleet.mirror, lock)


def _disk(state: StateFolder, drivers: Mapping[str, Driver], children: Mapping[str, str]) -> HostDisk:
    """Return an object that measures the disk: the state folder and, with a container engine, its images and volumes.

    `children` is the environment of child processes.
    """
    if drivers.keys() <= {"process"}:
        return HostDisk(state.root)
    from reconciler.host.swarm.engine.engine import Engine
    from reconciler.host.swarm.engine_disk import EngineDisk

    return HostDisk(state.root, EngineDisk(Engine(children)))


def _images(
    fleet: Fleet, drivers: Mapping[str, Driver], children: Mapping[str, str], lock: int | None
) -> Images | None:
    """Return an object that lists and removes images; None if the fleet does not prune images, or no driver has any.

    `children` is the environment of child processes. `lock` is the descriptor of the pass lock; None if it is not held.
    """
    if fleet.images != "prune" or drivers.keys() <= {"process"}:
        return None
    from reconciler.host.swarm.engine.engine import Engine
    from reconciler.host.swarm.engine_images import EngineImages

    return EngineImages(Engine(children, lock))


def progress_on_stderr(options: Options) -> LineProgress:
    """Return an object that shows progress on stderr. Use it in a `with` statement."""
    colour = screen_for(80, os.environ, no_color=options.no_color).colour
    return open_progress(quiet=options.quiet, verbose=options.verbose, colour=colour)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise InterruptedPassError in the `with` block when SIGHUP, SIGINT or SIGTERM arrives.

    A second signal raises the error again, and so also stops the cleanup after the first signal. If `nohup` made this
    process ignore SIGHUP, SIGHUP stays ignored.
    """

    def stop(number: int, _: FrameType | None) -> None:
        raise InterruptedPassError(number)

    handled = [number for number in STOPPING if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in handled}
    hook, sys.unraisablehook = sys.unraisablehook, _resend_signal
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def private_files() -> Iterator[None]:
    """Set the umask for the `with` block, so that only the owner can read new files."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _resend_signal(dropped: "sys.UnraisableHookArgs") -> None:
    """If Python dropped an InterruptedPassError, send its signal to this process once more.

    Python drops an exception in a finaliser or a callback, and calls this hook with it. Any other exception is printed
    as usual.
    """
    if not isinstance(dropped.exc_value, InterruptedPassError):
        sys.__unraisablehook__(dropped)
        return
    # From another thread, since Python also drops an exception that is raised inside this hook.
    start_thread(threading.Timer(0.01, os.kill, (os.getpid(), dropped.exc_value.signal_number)))
