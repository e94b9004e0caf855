"""One Docker engine: lists, makes, changes and removes its objects, by its API or by Docker's own command."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from attrs import field, frozen

from reconciler.errors import CanonError, InfrastructureError
from reconciler.host.output import OutputSink
from reconciler.host.processes.procfs import STATE_MARK
from reconciler.host.swarm.engine import container_calls
from reconciler.host.swarm.engine.connection import (
    CHANGE_SECONDS,
    ApiCall,
    Connection,
    Json,
    NotThereError,
    filter_text,
    parse_json,
)
from reconciler.host.swarm.engine.docker_command import DockerCommand
from reconciler.host.swarm.engine.event_stream import EventStream, follow_events

# The path of each kind of object, and what the path of a list and of one object have in addition.
_PATHS = {
    "service": ("/services", "", ""),
    "task": ("/tasks", "", ""),
    "secret": ("/secrets", "", ""),
    "config": ("/configs", "", ""),
    "network": ("/networks", "", ""),
    "volume": ("/volumes", "", ""),
    "container": ("/containers", "/json", "/json"),
    "image": ("/images", "/json", "/json"),
}
_ID_FIELDS = ("ID", "Id", "Name")
# Swarm refuses an update of an object that somebody else has changed meanwhile.
_OUT_OF_SEQUENCE = "update out of sequence"
_UPDATE_TRIES = 5


@frozen
class Engine:
    """One Docker engine.

    * `environment`: the environment of child processes. DOCKER_HOST or a context in it names the engine.
    * `lock`: the descriptor of the pass lock, which commands that change something inherit; None for none.
    * `facts`: keeps what `node` and `check` found.
    * `connection`, `command`: reach the engine, by its API and by Docker's own command.
    """

    environment: Mapping[str, str]
    lock: int | None = None
    facts: dict[str, str] = field(factory=dict)
    connection: Connection = field(init=False, eq=False, repr=False)
    command: DockerCommand = field(init=False, repr=False)

    @connection.default
    def _connection(self) -> Connection:
        return Connection(self.environment)

    @command.default
    def _command(self) -> DockerCommand:
        return DockerCommand(self.environment, self.lock)

    def check(self) -> None:
        """Check that Docker's command is new enough, and uses the same swarm manager as the API.

        Raise InfrastructureError if one of the two is not so. Do nothing if an earlier check succeeded.
        """
        if "command" in self.facts:
            return
        of_command = self.command.node()
        if of_command != self.node:
            raise InfrastructureError(
                f"Docker's command reaches another engine than {self.connection.address.url}",
                "let both use the same one: pass DOCKER_HOST or DOCKER_CONTEXT: [environment] pass",
            )
        self.facts["command"] = of_command

    @property
    def state(self) -> str:
        """Return the id of Canon's state folder, which is set in `environment`; "" if it is not set."""
        return self.environment.get(STATE_MARK, "")

    @property
    def owner(self) -> str:
        """Return "STATE NODE": the ids of the state folder and of this host's swarm node.

        Raise InfrastructureError if this host does not manage a swarm.
        """
        return f"{self.state} {self.node}"

    @property
    def node(self) -> str:
        """Return the id of this host's swarm node. Raise InfrastructureError if this host does not manage a swarm."""
        if "node" not in self.facts:
            swarm = self.connection.read_json(ApiCall("GET", "/info", "Docker's swarm")).get("Swarm") or {}
            if swarm.get("LocalNodeState") != "active" or not swarm.get("ControlAvailable"):
                raise InfrastructureError("this host manages no swarm", "docker swarm init, or run Canon on a manager")
            self.facts["node"] = swarm["NodeID"]
        return self.facts["node"]

    def find(self, kind: str, *filters: str) -> tuple[Json, ...]:
        """Return the JSON of all objects of the kind `kind`, such as "volume", that match all `filters`.

        A filter is a text such as `label=name=value`. Stopped containers are listed too. The JSON of a container or
        image is the engine's summary, which has fewer fields than `inspect` returns.
        """
        path, of_list, _ = _PATHS[kind]
        params: dict[str, object] = {"filters": filter_text(filters)} if filters else {}
        if kind == "container":
            params["all"] = 1
        answer = self.connection.read_json(ApiCall("GET", path + of_list, f"docker {kind} ls", params=params))
        return tuple((answer.get("Volumes") if kind == "volume" else answer) or ())

    def list_ids(self, kind: str, *filters: str) -> tuple[str, ...]:
        """Return the ids of all objects of the kind `kind`, such as "secret", that match all `filters`.

        A filter is a text such as `label=name=value`. For volumes, which have no ids, return their names.
        """
        return tuple(id_of(one) for one in self.find(kind, *filters))

    def inspect(self, kind: str, names: Sequence[str]) -> tuple[Json, ...]:
        """Return the JSON of the objects `names` (names or ids) of a kind. Objects that are gone are left out."""
        return tuple(self._inspect_each(kind, names))

    def _inspect_each(self, kind: str, names: Sequence[str]) -> Iterator[Json]:
        for name in names:
            with suppress(NotThereError):
                yield self._inspect_one(kind, name)

    def _inspect_one(self, kind: str, name: str) -> Json:
        path, _, of_one = _PATHS[kind]
        item = f"{path}/{quote(name, safe='')}{of_one}"
        found: Json = self.connection.read_json(ApiCall("GET", item, f"docker {kind} inspect", may_be_gone=True))
        return found

    def tasks(self, services: Sequence[str]) -> tuple[Json, ...]:
        """Return the JSON of all tasks, also old ones, that the swarm lists for the services with these ids."""
        return self.find("task", *(f"service={service}" for service in services)) if services else ()

    def end_events(self, label: str, since: datetime) -> tuple[Json, ...]:
        """Return the "die" and "oom" events since the time `since` of containers with the label "NAME=VALUE"."""
        params = {
            "since": f"{since.timestamp():.6f}",
            "until": f"{datetime.now(UTC).timestamp():.6f}",
            "filters": filter_text((f"label={label}", "event=die", "event=oom")),
        }
        call = ApiCall("GET", "/events", "docker events", params=params, stream=True)
        answer = b"".join(self.connection.chunks(call, self.connection.call(call)))
        return tuple(parse_json(call, line) for line in answer.splitlines())

    def follow(
        self, concerns: Callable[[Json], bool], since: datetime, seconds: float
    ) -> AbstractContextManager[EventStream]:
        """Return a context manager that yields a stream of events of containers and services.

        The stream begins at the time `since`, and ends at most `seconds` from now. `concerns` gets the JSON of an
        event, and returns whether the caller wants it: only such events let `EventStream.wait` return.
        """
        return follow_events(self.connection, concerns, since, seconds)

    def create(self, kind: str, body: Json, what: str) -> Json:
        """Make an object of the kind `kind`, such as "volume", from the JSON `body`. Return the engine's answer.

        `what` names the call in an error message. Raise InfrastructureError if the engine refuses.
        """
        path = f"{_PATHS[kind][0]}/create"
        created: Json = self.connection.read_json(ApiCall("POST", path, what, body=body, seconds=CHANGE_SECONDS))
        return created

    def update_service(self, name: str, change: Callable[[Json], Json]) -> None:
        """Replace the spec of the service `name` (the engine's JSON of what it is to be) by `change(spec)`.

        If another program changes the service meanwhile, try again with the newer spec, at most five times in all.
        Raise InfrastructureError if the last try fails.
        """
        what = f"docker service update {name}"
        for tries_left in reversed(range(_UPDATE_TRIES)):
            service = self.connection.read_json(ApiCall("GET", f"/services/{quote(name, safe='')}", what))
            path, version = f"/services/{service['ID']}/update", {"version": service["Version"]["Index"]}
            try:
                self.connection.call(ApiCall("POST", path, what, params=version, body=change(service["Spec"])))
            except CanonError as refused:
                if not tries_left or _OUT_OF_SEQUENCE not in refused.message:
                    raise
            else:
                return

    def remove(self, kind: str, names: Collection[str]) -> None:
        """Remove the objects `names` (names or ids) of the kind `kind`, such as "volume".

        If that fails, raise no error: the caller checks which objects are gone.
        """
        # Anonymous volumes are removed with their container, or nothing would remove them.
        params = {"force": 1, "v": 1} if kind == "container" else {}
        for name in names:
            path = f"{_PATHS[kind][0]}/{quote(name, safe='')}"
            call = ApiCall("DELETE", path, f"docker {kind} rm", params=params, seconds=CHANGE_SECONDS)
            with suppress(CanonError):
                self.connection.call(call)

    def execute(self, container: str, script: str, deadline: float) -> tuple[int | None, bytes]:
        """Run a shell script in a container for at most `deadline` seconds. Return its exit code and its output.

        The exit code is None if the script took too long. The output is stdout, then stderr. Raise InfrastructureError
        if the connection is lost while the script runs, RecipeError if the container is stopped before the script
        starts.
        """
        return container_calls.run_script(self.connection, container, script, deadline)

    def kill(self, container: str) -> None:
        """Send SIGKILL to a container. Do nothing if it is stopped or gone."""
        container_calls.kill(self.connection, container)

    def import_image(self, archive: bytes, labels: Mapping[str, str]) -> str:
        """Make an image with these labels from the files in the tar archive `archive`. Return its id."""
        params = {"fromSrc": "-", "changes": [f'LABEL "{name}"="{value}"' for name, value in labels.items()]}
        answer = self.connection.call(
            ApiCall("POST", "/images/create", "copy volumes", params=params, data=archive, seconds=CHANGE_SECONDS)
        )
        return str(json.loads(answer.content.splitlines()[-1])["status"])

    def copy_out(self, container: str, path: str, out: OutputSink) -> None:
        """Write the file or folder `path` of a container to `out` as a tar archive, and close `out`.

        Raise RecipeError if there is no such path, InfrastructureError if the archive is not whole.
        """
        container_calls.copy_out(self.connection, container, path, out)

    def copy_in(self, container: str, path: str, archive: Path) -> None:
        """Unpack a tar archive into the folder `path` of a container. Raise RecipeError if there is no such folder."""
        container_calls.copy_in(self.connection, container, path, archive)

    def logs(self, service: Json, lines: int, out: OutputSink) -> None:
        """Write the last `lines` log lines of each task of a service to `out`, and close `out`.

        If a call fails, raise no error: lines are then missing. `service` is the engine's JSON of the service.
        """
        container_calls.service_logs(self.connection, service, lines, out)


def id_of(item: Json) -> str:
    """Return the id of an object by its JSON. For a volume, which has none, return its name."""
    return str(next(item[name] for name in _ID_FIELDS if name in item))
