"""Runs the `docker` command with deadlines, and returns its output as values."""

import json
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from desired.unprintable import escape_unprintable
from reconciler.errors import InfrastructureError
from reconciler.host.output import MIB, FirstBytes, OutputSink
from reconciler.host.processes.procfs import STATE_MARK
from reconciler.host.run import CapturedOutput, CommandSpec, capture, run
from reconciler.host.swarm.engine.client_environment import client_flags
from reconciler.host.swarm.engine.docker_faults import classify_failure, is_not_found
from reconciler.host.text import one_line

Json = Mapping[str, Any]

# The first client version with `docker stack config`, which resolves compose files.
OLDEST_CLIENT = 23

# Writes a script's exit code to the same stream as its messages.
_REPORT_EXIT = 'sh -c "$1"; code=$?; echo "canon: ended with $code" >&2; exit $code'
_EXIT_LINE = re.compile(rb"^canon: ended with (\d+)\n", re.MULTILINE)
# Exit codes of the client if the container has no shell.
_NO_SHELL = (126, 127)

_QUERY_SECONDS = 60.0
_CHANGE_SECONDS = 300.0
_PULL_SECONDS = 3600.0
_COPY_SECONDS = 6 * 3600.0
_MOST_BYTES = 64 * MIB
_KINDS = rb"(?:service|task|container|network|volume|secret|config|image)"
_GONE = re.compile(rb"no such " + _KINDS + rb"\b|\b" + _KINDS + rb" \S+ not found", re.IGNORECASE)


@frozen
class Engine:
    """One Docker engine. `environment` is the environment of all children; its DOCKER_HOST chooses the engine.

    `lock` is the descriptor of the pass lock, which changing commands inherit; None for no lock. `facts` keeps what
    `check` has found.
    """

    environment: Mapping[str, str]
    lock: int | None = None
    facts: dict[str, str] = field(factory=dict)

    def check(self) -> None:
        """Check once that the client is new enough and the engine is a swarm manager. Raises InfrastructureError."""
        if self.facts:
            return
        client = self.query("version", "--format", "{{.Client.Version}}", what="Docker's version")
        major = re.match(r"(\d+)\.", client)
        if major is None or int(major[1]) < OLDEST_CLIENT:
            raise InfrastructureError(
                f"Docker's client here is {one_line(client.encode())}, which has no `docker stack config`",
                f"install a client of version {OLDEST_CLIENT} or newer, docker-cli or docker-ce-cli; "
                "the engine may be older",
            )
        swarm = json.loads(self.query("info", "--format", "{{json .Swarm}}", what="Docker's swarm"))
        if swarm.get("LocalNodeState") != "active" or not swarm.get("ControlAvailable"):
            raise InfrastructureError("this host manages no swarm", "docker swarm init, or run Canon on a manager")
        self.facts.update(client=client, node=swarm["NodeID"])

    @property
    def state(self) -> str:
        """The id of the state folder, "" if it has none."""
        return self.environment.get(STATE_MARK, "")

    @property
    def node(self) -> str:
        """The id of this host's swarm node. Raises InfrastructureError."""
        self.check()
        return self.facts["node"]

    def query(self, *argv: str, what: str) -> str:
        """Run a read-only `docker` command and return its output. `what` names the command in an error message."""
        return _text(self._run(self._spec(argv, _QUERY_SECONDS), what))

    def list_ids(self, kind: str, *filters: str) -> tuple[str, ...]:
        """Return the ids of objects of a kind that match filters such as `label=name=value`; for volumes, the names."""
        every = ("--all",) if kind == "container" else ()
        chosen = (word for each in filters for word in ("--filter", each))
        return tuple(self.query(kind, "ls", "--quiet", *every, *chosen, what=f"docker {kind} ls").split())

    def inspect(self, kind: str, names: Sequence[str]) -> tuple[Json, ...]:
        """Return the JSON of the named objects. Leaves out objects that no longer exist."""
        if not names:
            return ()
        # Clients before 28 have no `docker inspect --type config`, and there is no `docker task inspect`.
        argv = ("inspect", "--type", kind) if kind == "task" else (kind, "inspect")
        return tuple(json.loads(self._existing((*argv, *names), f"docker {kind} inspect") or "[]"))

    def tasks(self, services: Sequence[str]) -> tuple[Json, ...]:
        """Return the JSON of all tasks of these services that the swarm still has, old ones included."""
        if not services:
            return ()
        ids = self._existing(("service", "ps", "--quiet", "--no-trunc", *services), "docker service ps")
        return self.inspect("task", ids.split())

    def end_events(self, label: str, since: datetime) -> tuple[Json, ...]:
        """Return the "die" and "oom" events of containers with a label since a time."""
        chosen = ("--filter", f"label={label}", "--filter", "event=die", "--filter", "event=oom")
        when = ("--since", f"{since.timestamp():.6f}", "--until", f"{datetime.now(UTC).timestamp():.6f}")
        output = self.query("events", *when, *chosen, "--format", "{{json .}}", what="docker events")
        return tuple(json.loads(line) for line in output.splitlines())

    def change(self, *argv: str, what: str, stdin: bytes = b"", deadline: float = _CHANGE_SECONDS) -> str:
        return _text(self._run(evolve(self._spec(argv, deadline), stdin=stdin, holding=self.lock), what))

    def execute(self, container: str, script: str, deadline: float) -> tuple[int | None, bytes]:
        """Run a shell script in a container. Return its exit code, None for a timeout, and its output.

        The exit code comes from inside the container, because Docker's client may end with any code, 0 too, if it loses
        the connection. In that case raises InfrastructureError if the container still runs.
        """
        argv = ("exec", container, "sh", "-c", _REPORT_EXIT, "sh", script)
        output = self._capture(evolve(self._spec(argv, deadline), holding=self.lock))
        ended = _EXIT_LINE.search(output.err)
        if ended is not None:
            return int(ended[1]), output.out + _EXIT_LINE.sub(b"", output.err)
        if output.result.timed_out or output.result.code in _NO_SHELL:
            return output.result.code, output.out + output.err
        if output.err.startswith(b"Error response from daemon"):
            raise classify_failure("docker exec", output.err, of_recipe=b"is not running" in output.err)
        if self.list_ids("container", f"id={container}", "status=running"):
            raise classify_failure("docker exec ended before what it ran", output.err)
        return output.result.code or 1, output.out + output.err

    def remove(self, kind: str, names: Sequence[str]) -> None:
        """Remove objects. Does not report failures: the caller checks which objects are gone."""
        if names:
            # Anonymous volumes are removed with their container, or nothing would remove them.
            flags = ("--force", "--volumes") if kind == "container" else ()
            spec = self._spec((kind, "rm", *flags, *names), _CHANGE_SECONDS)
            self._capture(evolve(spec, holding=self.lock))

    def pull(self, image: str) -> None:
        spec = evolve(self._spec(("pull", "--quiet", "--", image), _PULL_SECONDS), holding=self.lock)
        output = self._capture(spec)
        _check(output, spec, f"pull {escape_unprintable(image)}", of_recipe=is_not_found(output.err))

    def config(self, files: Sequence[Path], variables: Mapping[str, str], cwd: Path) -> bytes:
        """Merge compose files, substitute `variables` and nothing else, and return YAML.

        The client takes values from its environment: it gets only `variables` and Canon's marks. It contacts no engine.
        """
        spec = self._spec(("stack", "config", *_files(files)), _QUERY_SECONDS)
        marks = {name: value for name, value in spec.env.items() if name.startswith("CANON_")}
        spec = evolve(spec, argv=(self._client, *spec.argv[1:]), env={**variables, **marks}, cwd=cwd)
        return self._run(spec, "docker stack config", of_recipe=True).out

    def deploy(self, stack: str, file: Path, cwd: Path, open_names: Collection[str] = ()) -> None:
        """Deploy the compose file `file` by `docker stack deploy`. Does not wait until the services are up.

        `open_names` are the variables without a value in the file: the client must not fill them from its environment.
        """
        flags = ("--detach=true", "--prune", "--resolve-image=always", "--with-registry-auth")
        spec = self._spec(("stack", "deploy", *flags, *_files([file]), stack), _CHANGE_SECONDS)
        unset_names = sorted({*open_names} & {*self.environment})
        if unset_names:
            unset = (word for name in unset_names for word in ("-u", name))
            spec = evolve(spec, argv=("env", *unset, self._client, *client_flags(self.environment), *spec.argv[1:]))
        self._run(evolve(spec, cwd=cwd, holding=self.lock), "docker stack deploy", of_recipe=True)

    @property
    def _client(self) -> str:
        """The path of the `docker` program, for a call without our PATH."""
        return shutil.which("docker", path=self.environment.get("PATH", "")) or "docker"

    def copy(self, *argv: str, out: OutputSink, stdin: Path | None = None) -> None:
        """Run `docker cp SOURCE TARGET`. "-" is a tar archive: as the target `out`, as the source the file `stdin`."""
        err = FirstBytes(MIB)
        if run(evolve(self._spec(("cp", *argv), _COPY_SECONDS), stdin=stdin or b""), out, err).code != 0:
            raise classify_failure("copy a volume", err.data, of_recipe=is_not_found(err.data))

    def logs(self, service: str, lines: int, out: OutputSink) -> None:
        """Write the last log lines of each task of a service to `out`; nothing if the service is gone."""
        run(self._spec(("service", "logs", "--raw", "--tail", str(lines), service), _QUERY_SECONDS), out)

    def _spec(self, argv: Sequence[str], deadline: float) -> CommandSpec:
        return CommandSpec(("docker", *argv), self.environment, Path("/"), deadline)

    def _existing(self, argv: Sequence[str], what: str) -> str:
        """Run a read-only command and return its output. Objects that no longer exist are not a failure."""
        spec = self._spec(argv, _QUERY_SECONDS)
        output = self._capture(spec)
        if output.result.code != 1 or not _gone(output.err):
            _check(output, spec, what)
        return _text(output)

    def _run(self, spec: CommandSpec, what: str, *, of_recipe: bool = False) -> CapturedOutput:
        output = self._capture(spec)
        _check(output, spec, what, of_recipe=of_recipe)
        return output

    def _capture(self, spec: CommandSpec) -> CapturedOutput:
        output = capture(spec, _MOST_BYTES)
        if output.result.missing:
            raise InfrastructureError("docker: not found in PATH", "install Docker's client: docker-cli or docker.io")
        return output


def _check(output: CapturedOutput, spec: CommandSpec, what: str, *, of_recipe: bool = False) -> None:
    """Raise InfrastructureError if a command failed or timed out. `what` names the command in the message.

    With `of_recipe` raise RecipeError instead, if Docker refused the command for a reason that may lie in the recipe.
    """
    if output.result.timed_out:
        late = f"{what}: Docker did not answer within {spec.deadline:.0f} s"
        raise InfrastructureError(late, "look at the log of Docker's engine")
    if not output.ok:
        # A killed client has no exit code above 0, but may have written a warning.
        refused = (output.result.code or 0) > 0 and bool(output.err.strip())
        raise classify_failure(what, output.err, of_recipe=of_recipe and refused)


def _gone(output: bytes) -> bool:
    """Whether all error lines are about objects that do not exist."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith(b"WARNING")]
    return bool(lines) and all(_GONE.search(line) for line in lines)


def _files(files: Sequence[Path]) -> tuple[str, ...]:
    return tuple(word for file in files for word in ("--compose-file", str(file)))


def _text(output: CapturedOutput) -> str:
    return output.out.decode("utf-8", "replace").strip()
