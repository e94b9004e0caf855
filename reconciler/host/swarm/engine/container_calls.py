"""Runs scripts in containers, copies archives out of them and into them, and reads their logs."""

import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import evolve

from reconciler.errors import CanonError, InfrastructureError, RecipeError
from reconciler.host.output import MIB, OutputSink
from reconciler.host.swarm.engine.connection import CHANGE_SECONDS, ApiCall, Connection, NotThereError
from reconciler.host.swarm.engine.docker_faults import classify_failure, is_not_found
from reconciler.host.swarm.engine.tar_end import TarEnd

_UNREADABLE = "Docker's log says which file it could not read to its end"
_COPY_SECONDS = 6 * 3600.0
_KILL_SECONDS = 30.0
# Prints the pid that a script has in its container, which the engine does not tell, and becomes the script.
_TELL_PID = 'echo "$$"; exec sh -c "$1"'
# The engine makes each script the leader of a process group.
_KILL_GROUP = 'kill -s KILL -- "-$1"'
# Of a longer output the rest is read, and dropped.
_MOST_BYTES = 64 * MIB
# Exit codes of an exec whose program could not be started.
_NO_SHELL = (126, 127)
# A frame of a stream: one byte for stdin, stdout or stderr, three unused ones, and the length of the data.
_FRAME = struct.Struct(">BxxxL")
_STDERR = 2


def run_script(connection: Connection, container: str, script: str, deadline: float) -> tuple[int | None, bytes]:
    """Run a shell script in a container for at most `deadline` seconds. Return its exit code and its output.

    * The exit code is None if the script ran out of time. It is then killed, with its children.
    * The exit code is 126 or 127 if the container has no shell, and 1 if the container is gone.
    * The output is stdout, and then stderr. What the script writes after the first 64 MiB is dropped.

    Raise InfrastructureError if the connection is lost while the script runs, RecipeError if the container is stopped
    before the script starts.
    """
    exec_id = _create_exec(connection, container, _TELL_PID, script)
    output = list[tuple[int, bytes]]()
    until = time.monotonic() + deadline
    try:
        is_ended = _read_output(connection, exec_id, output, until)
    except CanonError as failure:
        if time.monotonic() <= until:
            return _end_after_failure(connection, exec_id, failure)
        is_ended = False
    pid, text = _split_pid(_joined(output))
    if not is_ended:
        _kill_script(connection, container, pid)
    return _exit_code(connection, container, exec_id) if is_ended else None, text


def _read_output(connection: Connection, exec_id: str, output: list[tuple[int, bytes]], until: float) -> bool:
    """Start the script that was created as `exec_id`, and append its frames to `output` as they come.

    `until` is the deadline, a time of `time.monotonic`. Return True if the output ended before the deadline. Return
    False if a frame came after the deadline. Frames after the first 64 MiB are not appended. Raise CanonError if the
    engine refuses, or if it sends nothing more before the deadline.
    """
    start = ApiCall(
        "POST",
        f"/exec/{exec_id}/start",
        "docker exec",
        body={"Detach": False, "Tty": False},
        stream=True,
        seconds=max(0.01, until - time.monotonic()),
    )
    size = 0
    for frame in frames(connection.chunks(start, connection.call(start))):
        size += len(frame[1])
        if size <= _MOST_BYTES:
            output.append(frame)
        if time.monotonic() > until:
            return False
    return True


def _split_pid(output: bytes) -> tuple[str, bytes]:
    """Return the two parts of a script's output: the pid of the script in its container, and the rest.

    The pid is the first line of `output`. It is "" if `output` does not begin with a pid.
    """
    pid, _, rest = output.partition(b"\n")
    return (pid.decode("ascii"), rest) if pid.isdigit() else ("", output)


def _kill_script(connection: Connection, container: str, pid: str) -> None:
    """Kill a script that `run_script` started, with its children. `pid` is its pid in the container, "" if unknown.

    If `pid` is "", do nothing. Raise no error: the script or its container may have ended meanwhile.
    """
    if pid:
        with suppress(CanonError):
            exec_id = _create_exec(connection, container, _KILL_GROUP, pid)
            _read_output(connection, exec_id, [], time.monotonic() + _KILL_SECONDS)


def _create_exec(connection: Connection, container: str, script: str, argument: str) -> str:
    body = {"AttachStdout": True, "AttachStderr": True, "Cmd": ["sh", "-c", script, "sh", argument]}
    path = f"/containers/{quote(container)}/exec"
    create = ApiCall("POST", path, "docker exec", body=body, may_blame_recipe=_is_stopped, may_be_gone=True)
    try:
        return str(connection.read_json(create)["Id"])
    except NotThereError as gone:
        raise RecipeError(f"docker exec: {gone}") from None


def _is_stopped(message: bytes) -> bool:
    return b"is not running" in message


def _end_after_failure(connection: Connection, exec_id: str, failure: CanonError) -> tuple[int | None, bytes]:
    """Return the exit code and the output of the script `exec_id`, after reading its output failed with `failure`.

    If the engine could not start the script, the code is 126 or 127, and the output is the message of `failure`. If the
    script did start, raise `failure`.
    """
    state = _exec_state(connection, exec_id)
    code = state.get("ExitCode")
    if code in _NO_SHELL and not state.get("Running"):
        return code, str(failure).encode()
    raise failure


def _exit_code(connection: Connection, container: str, exec_id: str) -> int:
    """Return the exit code of the script `exec_id`, whose output has ended; 1 if its container is gone.

    If the script still runs, raise InfrastructureError: its output ended because the connection was lost.
    """
    state = _exec_state(connection, exec_id)
    if not state:
        return 1
    if state.get("Running") or state.get("ExitCode") is None:
        raise classify_failure(f"docker exec in {container} ended before what it ran", b"")
    return int(state["ExitCode"])


def _exec_state(connection: Connection, exec_id: str) -> dict[str, Any]:
    """Return the engine's JSON on the script that it runs as `exec_id`; {} if the container is gone.

    Without the container, the engine no longer knows the script.
    """
    try:
        state: dict[str, Any] = connection.read_json(
            ApiCall("GET", f"/exec/{exec_id}/json", "docker exec", may_be_gone=True)
        )
    except NotThereError:
        return {}
    return state


def _joined(output: Iterable[tuple[int, bytes]]) -> bytes:
    """Join the data of frames: all of stdout, and then all of stderr. `output` has pairs as `frames` yields them."""
    frames_of = sorted(output, key=lambda frame: frame[0] == _STDERR)
    return b"".join(data for _, data in frames_of)


def frames(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield each frame of an answer of the engine: (1, data) for stdout, (2, data) for stderr.

    `chunks` are the bytes of the answer as they arrived, cut anywhere. An incomplete frame at the end is dropped.
    """
    pending = b""
    for chunk in chunks:
        pending += chunk
        while len(pending) >= _FRAME.size:
            stream, length = _FRAME.unpack_from(pending)
            if len(pending) < _FRAME.size + length:
                break
            yield stream, pending[_FRAME.size : _FRAME.size + length]
            pending = pending[_FRAME.size + length :]


def copy_out(connection: Connection, container: str, path: str, out: OutputSink) -> None:
    """Write the folder or file `path` of a container to `out` as a tar archive. Close `out`, also after an error.

    The archive stays as the engine sends it, and may be compressed by gzip. Raise RecipeError if there is no such path,
    InfrastructureError if the archive is not whole.
    """
    get = evolve(_archive_call("GET", container, path), stream=True, seconds=CHANGE_SECONDS)
    try:
        response = connection.call(get)
        end = TarEnd(is_gzip=response.headers.get("Content-Encoding") == "gzip")
        for chunk in connection.chunks(get, response):
            end.feed(chunk)
            out.feed(chunk)
    finally:
        out.close()
    if not end.is_complete:
        raise InfrastructureError(f"{get.what}: the archive ended early", _UNREADABLE)


def copy_in(connection: Connection, container: str, path: str, archive: Path) -> None:
    """Unpack the tar archive `archive` into the folder `path` of a container.

    Raise RecipeError if there is no such folder.
    """
    with archive.open("rb") as data:
        connection.call(evolve(_archive_call("PUT", container, path), data=data, seconds=_COPY_SECONDS))


def _archive_call(method: str, container: str, path: str) -> ApiCall:
    return ApiCall(
        method,
        f"/containers/{quote(container)}/archive",
        "copy a volume",
        params={"path": path},
        may_blame_recipe=is_not_found,
    )


def kill(connection: Connection, container: str) -> None:
    """Send SIGKILL to the main process of a container, with which all its other processes end.

    Do nothing if the container is stopped or gone.
    """
    path = f"/containers/{quote(container)}/kill"
    call = ApiCall(
        "POST", path, "docker kill", params={"signal": "SIGKILL"}, may_blame_recipe=_is_stopped, may_be_gone=True
    )
    with suppress(NotThereError, RecipeError):
        connection.call(call)


def service_logs(connection: Connection, service: Mapping[str, Any], lines: int, out: OutputSink) -> None:
    """Write the last `lines` log lines of each task of a service to `out`, and close `out`.

    If a call fails, raise no error: lines are then missing. `service` is the engine's JSON of the service.
    """
    terminal = service["Spec"]["TaskTemplate"]["ContainerSpec"].get("TTY")
    params = {"stdout": 1, "stderr": 1, "tail": lines}
    get = ApiCall("GET", f"/services/{quote(service['ID'])}/logs", "docker service logs", params=params, stream=True)
    try:
        chunks = connection.chunks(get, connection.call(get))
        for data in chunks if terminal else (data for _, data in frames(chunks)):
            out.feed(data)
    except CanonError:
        pass
    finally:
        out.close()
