"""The one door through which processes start: finite commands by `sh`, servers by `Popen`."""

import errno
import logging
import os
import re
import signal
import subprocess
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from attrs import frozen

from desired.unprintable import escape_unprintable
from reconciler.host.command_spec import (
    STOPPING,
    UMASK,
    CapturedOutput,
    CommandSpec,
    arguments,
    limit,
    program,
    standard_input,
)
from reconciler.host.output import MIB, FirstBytes, OutputSink
from reconciler.host.output_streams import StreamEnd, Streams
from reconciler.host.processes import subreaper as children
from reconciler.host.processes.procfs import RUN_MARK, SLOT_MARK, Process, is_same, read_process, stop_all
from reconciler.ports.commands import CommandResult

__all__ = ["CapturedOutput", "CommandSpec", "capture", "prepare", "run", "start_server"]

_NOT_EXECUTABLE = 126
# For what is late, or broken off: nobody waits for what it does.
_GRACE_LATE = 3.0


@frozen
class _Running:
    """A command that was started as `pid`; `leader` is None where it had ended before anybody could look.

    `known` are the children we had before; `handle` is its pidfd.
    """

    command: Any
    pid: int
    leader: Process | None
    handle: int
    token: str
    known: frozenset[children.Key]


class _Refused(Exception):  # noqa: N818 - it never leaves this file
    """The kernel would not execute a program, and why."""


def prepare() -> None:
    """Load `sh` and become the parent of orphans.

    To be called in the main thread before threads use the door: when the first import of `sh` happens in several
    threads at once, its calls fail.
    """
    import sh  # noqa: F401

    # At lower levels it writes whole argument lists.
    logging.getLogger("sh").setLevel(logging.CRITICAL + 1)
    children.adopt_orphans()


def capture(command: CommandSpec, most: int = MIB, most_err: int = MIB) -> CapturedOutput:
    """Run a command and keep what it writes: at most `most` bytes, `most_err` of complaints, or it is ended."""
    out, err = FirstBytes(most), FirstBytes(most_err)
    result = run(command, out, err)
    return CapturedOutput(result, out.data, err.data, out.overflowed)


def run(command: CommandSpec, out: OutputSink, err: OutputSink | None = None) -> CommandResult:
    """Run a command to its end; nothing of it is left afterwards. Without `err` both its outputs go to `out`.

    Never raises for anything that the command does. Closes the sinks.
    """
    prepare()
    with ExitStack() as stack:
        for sink in filter(None, (out, err)):
            stack.callback(sink.close)
        found = program(command)
        if found is None:
            return CommandResult(None, missing=True)
        streams = stack.enter_context(Streams(out, err))
        try:
            running = _start(command, found, streams)
        except _Refused as refused:
            out.feed(f"{escape_unprintable(command.argv[0])}: {refused}\n".encode())
            return CommandResult(_NOT_EXECUTABLE)
        stack.callback(os.close, running.handle)
        return _attend(command, running, streams)


def _attend(command: CommandSpec, running: _Running, streams: Streams) -> CommandResult:
    streams.started()
    ended: tuple[Process, ...] = ()
    killed: tuple[Process, ...] = ()
    grace = min(command.grace, _GRACE_LATE)
    try:
        ending = streams.pump(running.handle, command.deadline, command.stop)
        grace = command.grace if ending is StreamEnd.ENDED else grace
    finally:
        if _lives(running) or children.has_orphans(running.known):
            ended, killed = stop_all(lambda: _all_of(running), grace)
        code = _collect(running)
    streams.drain()
    return CommandResult(
        code if ending is StreamEnd.ENDED else None,
        timed_out=ending is StreamEnd.LATE,
        ended=_names(ended),
        killed=_names(killed),
    )


def _lives(running: _Running) -> bool:
    now = read_process(running.pid) if running.leader else None
    return now is not None and running.leader is not None and now.key == running.leader.key and now.state != "Z"


def _all_of(running: _Running) -> tuple[Process, ...]:
    return children.of_command(running.leader, running.pid, running.token, running.known)


def _collect(running: _Running) -> int | None:
    """The exit code; None while the kernel does not let the process go."""
    if _lives(running):
        return None
    running.command.wait()
    if running.leader is not None:
        with children.starting:
            children.release(running.leader)
    children.reap()
    code: int = running.command.process.exit_code
    return code


def _names(ended: tuple[Process, ...]) -> tuple[str, ...]:
    return tuple(f"{escape_unprintable(process.name)} (pid {process.pid})" for process in ended)


def _start(command: CommandSpec, found: str, streams: Streams) -> _Running:
    import sh

    if not os.access(found, os.X_OK):
        raise _Refused(os.strerror(errno.EACCES if Path(found).exists() else errno.ENOENT))
    token = uuid.uuid4().hex
    argv = arguments(command, found)
    with standard_input(command.stdin) as stdin, _unstopped(), _forking():
        known = children.child_keys()
        try:
            started = sh.Command(argv[0])(*argv[1:], **_manner(command, token, stdin, streams))
        except sh.CommandNotFound:
            raise _Refused(os.strerror(errno.EACCES)) from None
        except sh.ForkException as failure:
            raise _Refused(_cause(str(failure))) from None
        pid: int = started.process.pid
        leader = children.claim(pid, command.mark, lambda: False)
        return _Running(started, pid, leader, _handle(leader), token, known)


def _manner(command: CommandSpec, token: str, stdin: int, streams: Streams) -> dict[str, Any]:
    """How `sh` is to start a command: nothing inherited, nothing interpreted, no exception for an exit code."""
    marks = {RUN_MARK: token} | ({SLOT_MARK: command.mark} if command.mark else {})
    return {
        "_env": {**command.env, **marks},
        "_cwd": str(command.cwd),
        "_in": stdin,
        "_out": streams.out,
        "_err": streams.err,
        "_bg": True,
        "_bg_exc": False,
        "_ok_code": range(-signal.NSIG, 256),
        "_new_session": True,
        "_pass_fds": set() if command.holding is None else {command.holding},
        "_preexec_fn": lambda: limit(command),
    }


@contextmanager
def _forking() -> Iterator[None]:
    """Start one process at a time. `sh` forks before it executes, of which Python warns where threads run."""
    with children.starting, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


@contextmanager
def _unstopped() -> Iterator[None]:
    """Within, signals that ask this thread to stop wait. A forked child takes none of them over."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _handle(leader: Process | None) -> int:
    """A descriptor that becomes readable when a child ends: at once, where `sh` has already collected it."""
    with suppress(ProcessLookupError):
        if leader is not None:
            handle = os.pidfd_open(leader.pid)
            if is_same(leader):
                return handle
            os.close(handle)
    return os.open(os.devnull, os.O_RDONLY)


def _cause(trace: str) -> str:
    """Why starting failed, from the text of `sh`, without the arguments that it quotes."""
    number = re.search(r"\[Errno (\d+)\]", trace)
    return os.strerror(int(number[1])) if number else "its arguments cannot be handed to a program"


def start_server(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path, out: IO[bytes], mark: str
) -> "subprocess.Popen[bytes]":
    """Start a server of the slot `mark` in a session of its own; both its outputs go to `out`.

    It inherits nothing else and lives until its slot is cleared. Raises OSError where it cannot start.
    """
    prepare()
    with _forking():
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
