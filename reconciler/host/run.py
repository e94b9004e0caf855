"""Starts all processes of Canon: commands, which run to their end, and servers of apps."""

import errno
import os
import resource
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from attrs import frozen

from desired.unprintable import escape_unprintable
from reconciler.host.command_spec import (
    UMASK,
    CapturedOutput,
    CommandSpec,
    arguments,
    program,
    standard_input,
)
from reconciler.host.output import MIB, FirstBytes, OutputSink
from reconciler.host.output_streams import StreamEnd, Streams
from reconciler.host.processes import subreaper as children
from reconciler.host.processes.procfs import RUN_MARK, SLOT_MARK, Process, is_same, read_process, stop_all
from reconciler.host.stopping_signals import held_signals
from reconciler.ports.commands import CommandResult

__all__ = ["CapturedOutput", "CommandSpec", "capture", "prepare", "run", "start_server"]

_NOT_EXECUTABLE = 126
# After a timeout or an interrupt nobody waits for the rest of the output.
_GRACE_LATE = 3.0


@frozen
class _Running:
    """A command that was started.

    * `leader`: its process as read from /proc; None if it ended before that was read.
    * `handle`: a descriptor (pidfd) that can be read once the command has ended.
    * `token`: the value of CANON_RUN in its environment.
    * `known`: pid and start time of each child that Canon had before the command.
    """

    command: "subprocess.Popen[bytes]"
    leader: Process | None
    handle: int
    token: str
    known: frozenset[children.Key]


class _Refused(Exception):  # noqa: N818 - it never leaves this file
    """The kernel did not execute a program. The message says why."""


def prepare() -> None:
    """Let this process dump no core, and make it the parent of each descendant whose own parent dies.

    What it starts dumps no core either.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    children.adopt_orphans()


def capture(command: CommandSpec, most: int = MIB, most_err: int = MIB) -> CapturedOutput:
    """Run a command. Return how it ended, and its output.

    A command that writes more than `most` bytes to stdout, or more than `most_err` bytes to stderr, is stopped. Then
    the exit code is None, and the output is cut off there. If the command fails, is missing or takes too long, no error
    is raised: the result says so.
    """
    out, err = FirstBytes(most), FirstBytes(most_err)
    result = run(command, out, err)
    return CapturedOutput(result, out.data, err.data, out.overflowed)


def run(command: CommandSpec, out: OutputSink, err: OutputSink | None = None) -> CommandResult:
    """Run a command to its end, and stop all processes that it leaves running. Return how the command ended.

    `out` gets the command's stdout. `err` gets its stderr; with None, `out` gets the stderr too. Both sinks are closed
    at the end. If the command fails, is missing or takes too long, nothing is raised, and the result says so. If its
    file cannot be executed, the exit code is 126 and `out` gets the reason.
    """
    prepare()
    with ExitStack() as stack:
        for sink in filter(None, (out, err)):
            stack.callback(sink.close)
        path = program(command)
        if path is None:
            return CommandResult(None, missing=True)
        streams = stack.enter_context(Streams(out, err))
        signals = stack.enter_context(ExitStack())
        signals.enter_context(held_signals())
        try:
            running = _start(command, path, streams)
        except _Refused as refused:
            out.feed(f"{escape_unprintable(command.argv[0])}: {refused}\n".encode())
            return CommandResult(_NOT_EXECUTABLE)
        stack.callback(os.close, running.handle)
        return _wait_for(command, running, streams, signals.close)


def _wait_for(
    command: CommandSpec, running: _Running, streams: Streams, release_signals: Callable[[], None]
) -> CommandResult:
    """Wait until a command ends or must be stopped, and stop all its processes. Return how it ended.

    `release_signals` lets signals take effect that came while the command was started: they stop the command too.
    """
    ended: tuple[Process, ...] = ()
    killed: tuple[Process, ...] = ()
    grace = min(command.grace, _GRACE_LATE)
    try:
        release_signals()
        streams.started()
        ending = streams.pump(running.handle, command.deadline, command.stop)
        grace = command.grace if ending is StreamEnd.ENDED else grace
    finally:
        if _is_running(running) or children.has_orphans(running.known):
            ended, killed = stop_all(lambda: _all_of(running), grace)
        code = _collect(running)
    streams.drain()
    return CommandResult(
        code if ending is StreamEnd.ENDED else None,
        timed_out=ending is StreamEnd.TIMED_OUT,
        ended=_names(ended),
        killed=_names(killed),
    )


def _is_running(running: _Running) -> bool:
    now = read_process(running.command.pid) if running.leader else None
    return now is not None and running.leader is not None and now.key == running.leader.key and now.state != "Z"


def _all_of(running: _Running) -> tuple[Process, ...]:
    return children.of_command(running.leader, running.command.pid, running.token, running.known)


def _collect(running: _Running) -> int | None:
    """Return the exit code of a command, and free its pid; None if the command still runs and cannot be killed."""
    if _is_running(running):
        return None
    code = running.command.wait()
    if running.leader is not None:
        with children.starting:
            children.release(running.leader)
    children.reap()
    return code


def _names(ended: tuple[Process, ...]) -> tuple[str, ...]:
    return tuple(f"{escape_unprintable(process.name)} (pid {process.pid})" for process in ended)


def _start(command: CommandSpec, path: str, streams: Streams) -> _Running:
    """Start a command, whose program has the path `path`. Raise _Refused if it cannot be executed.

    The caller must hold signals back until it stops the command if one comes.
    """
    if not os.access(path, os.X_OK):
        raise _Refused(os.strerror(errno.EACCES if Path(path).exists() else errno.ENOENT))
    token = uuid.uuid4().hex
    with standard_input(command.stdin) as stdin, children.starting:
        known = children.child_keys()
        try:
            started = _popen(command, arguments(command, path), token, stdin, streams)
        except OSError as failure:
            raise _Refused(failure.strerror) from None
        except ValueError:
            raise _Refused("its arguments cannot be handed to a program") from None
        leader = children.claim(started.pid, command.mark, lambda: False)
        return _Running(started, leader, _handle(leader), token, known)


def _popen(
    command: CommandSpec, argv: Sequence[str], token: str, stdin: int, streams: Streams
) -> "subprocess.Popen[bytes]":
    """Start a program with the arguments `argv`. `token` becomes CANON_RUN in its environment."""
    # Without `preexec_fn`, Python starts it by vfork, which takes a fraction of the CPU time of a fork.
    marks = {RUN_MARK: token} | ({SLOT_MARK: command.mark} if command.mark else {})
    return subprocess.Popen(
        argv,
        env={**command.env, **marks},
        cwd=command.cwd,
        stdin=stdin,
        stdout=streams.out,
        stderr=streams.err,
        start_new_session=True,
        umask=UMASK,
        pass_fds=() if command.holding is None else (command.holding,),
    )


def _handle(leader: Process | None) -> int:
    """Return a new descriptor (a pidfd) that can be read once the process `leader` has ended.

    If that process is gone, or `leader` is None, return another descriptor, which can be read at once.
    """
    with suppress(ProcessLookupError):
        if leader is not None:
            handle = os.pidfd_open(leader.pid)
            if is_same(leader):
                return handle
            os.close(handle)
    return os.open(os.devnull, os.O_RDONLY)


def start_server(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path, out: IO[bytes], mark: str
) -> "subprocess.Popen[bytes]":
    """Start a server in its own session, and return it at once while it runs. Its stdout and stderr go to `out`.

    The server inherits no other file. `mark`, the mark of its slot, becomes CANON_SLOT in the server's environment, by
    which the server is found when the slot is cleared. Raise OSError if the server cannot be started.
    """
    prepare()
    with held_signals(), children.starting:
        children.note_slot(mark)
        server = subprocess.Popen(
            argv,
            env={**env, SLOT_MARK: mark},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=UMASK,
        )
        children.claim(server.pid, mark, lambda: server.returncode is not None)
    return server
