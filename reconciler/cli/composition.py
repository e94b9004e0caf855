"""Creates the real host, with an implementation of every port. Sets up signals and file permissions for a command."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from desired.model import Fleet
from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import Options
from reconciler.errors import InterruptedPassError
from reconciler.host.command_runner import HostCommands, SystemClock
from reconciler.host.command_spec import STOPPING
from reconciler.host.environment import child_environment, place
from reconciler.host.git.mirrors import GitMirrors
from reconciler.host.git.revision import canon_revision, fleet_revision
from reconciler.host.git.upstream import GitUpstream
from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.host.processes.procfs import STATE_MARK
from reconciler.host.readiness.wait import HostReadiness
from reconciler.host.run import prepare
from reconciler.host.secret_values import HostSecrets
from reconciler.ports.driver import Driver
from reconciler.ports.host import Host, Progress
from reconciler.show.text.progress import LineProgress, open_progress
from reconciler.show.text.screen import screen_for
from state.folder.folder import StateFolder
from state.folder.identity import read_identity
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots


def make_host(context: CommandContext, progress: Progress, lock: int | None = None) -> Host:
    """Return the real host. `lock` is the file descriptor of the pass lock, None if it is not held.

    Child processes inherit the lock, so that no other pass can start before they have ended.
    """
    prepare()
    fleet, state, clock = context.fleet, context.state, SystemClock()
    allowed = child_environment(fleet.passes, os.environ, state.root)
    identity = read_identity(state.identity)
    children = allowed | ({STATE_MARK: identity} if identity else {})
    commands = HostCommands(children, state.root)
    drivers = drivers_for(fleet, state, children, lock)
    recipes = fleet.recipes.values()
    tools = {tool for recipe in recipes for tool in (*recipe.requires, *drivers[recipe.driver].programs)}
    return Host(
        clock=clock,
        upstream=GitUpstream(children, fleet.protocols),
        mirrors=GitMirrors(state, children, fleet.protocols, lock),
        drivers=drivers,
        secrets=HostSecrets(children),
        commands=commands,
        readiness=HostReadiness(commands, clock),
        registry=SqliteRegistry(state.database),
        snapshots=SealedSnapshots(),
        progress=progress,
        place=place(tools, allowed, os.environ),
        canon=canon_revision(children),
        fleet=fleet_revision(fleet.folder, children),
        state=state,
        pass_id=f"{clock.now():%Y%m%dT%H%M%SZ}-{os.getpid()}",
    )


def drivers_for(fleet: Fleet, state: StateFolder, children: Mapping[str, str], lock: int | None) -> dict[str, Driver]:
    """Return the drivers by name: "process", those that recipes declare, and those that existing deployments need.

    `children` is the environment of child processes. `lock` is the file descriptor of the pass lock, None if not held.
    """
    drivers: dict[str, Driver] = {"process": ProcessDriver(children)}
    named = {recipe.driver for recipe in fleet.recipes.values()} | state.drivers_in_use()
    if "swarm" in named or (state.kept.is_dir() and any(state.kept.iterdir())):
        from reconciler.host.swarm.engine.engine import Engine
        from reconciler.host.swarm.swarm_driver import SwarmDriver

        drivers["swarm"] = SwarmDriver(Engine(children, lock), fleet.swarm)
    if "abra" in named:
        from reconciler.host.swarm.abra_command import Abra
        from reconciler.host.swarm.abra_driver import AbraDriver
        from reconciler.host.swarm.engine.engine import Engine

        drivers["abra"] = AbraDriver(Engine(children, lock), fleet.swarm, Abra(children, lock))
    return drivers


def progress_on_stderr(options: Options) -> LineProgress:
    """Return the progress display on stderr. Use it in a `with` statement."""
    colour = screen_for(80, os.environ, no_color=options.no_color).colour
    return open_progress(quiet=options.quiet, verbose=options.verbose, colour=colour)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise InterruptedPassError when one of the signals in STOPPING arrives. A second signal also stops the cleanup.

    If `nohup` made this process ignore SIGHUP, SIGHUP stays ignored.
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
    """Set the umask so that new files can be read only by their owner."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def blocked_signals() -> Iterator[None]:
    """Block the signals in STOPPING until the end of the `with` block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _resend_signal(dropped: "sys.UnraisableHookArgs") -> None:
    """Send a signal to this process again, if Python dropped the InterruptedPassError that the signal raised.

    Python drops each exception in a finaliser or a callback, and calls this hook. Others are printed as usual.
    """
    if not isinstance(dropped.exc_value, InterruptedPassError):
        sys.__unraisablehook__(dropped)
        return
    # From another thread, since Python also drops an exception that is raised inside this hook.
    threading.Timer(0.01, os.kill, (os.getpid(), dropped.exc_value.signal_number)).start()
