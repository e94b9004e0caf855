"""Runs Docker's own command for compose files and pulls, for which the engine's API is not good enough."""

import json
import re
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from attrs import evolve, field, frozen

from desired.unprintable import escape_unprintable
from reconciler.errors import InfrastructureError
from reconciler.host.output import MIB
from reconciler.host.run import CapturedOutput, CommandSpec, capture
from reconciler.host.swarm.engine.client_environment import client_flags
from reconciler.host.swarm.engine.connection import CHANGE_SECONDS, QUERY_SECONDS
from reconciler.host.swarm.engine.docker_faults import classify_failure, is_not_found
from reconciler.host.text import one_line

# The first client version with `docker stack config`, which resolves compose files.
OLDEST_CLIENT = 23

_PULL_SECONDS = 3600.0
# For so long a pulled image counts as there. If somebody removes it, Swarm itself pulls it again.
_PULLED_SECONDS = 600.0
_MOST_BYTES = 64 * MIB
_QUOTE = '"'
_VERSION_AND_NODE = "{{json .ClientInfo.Version}} {{json .Swarm.NodeID}}"


@frozen
class DockerCommand:
    """Runs the `docker` command.

    * `environment`: the environment of child processes. It says which engine is used.
    * `lock`: the descriptor of the pass lock, which commands that change something inherit; None for none.
    * `pulled`: maps images to the time of their last pull, in seconds of the monotonic clock.
    """

    environment: Mapping[str, str]
    lock: int | None = None
    pulled: dict[str, float] = field(factory=dict, eq=False, repr=False)

    def node(self) -> str:
        """Return the id of the swarm node of the engine that the command uses; "" if that engine is in no swarm.

        Raise InfrastructureError if the command is missing or too old, or cannot reach the engine.
        """
        output = self._run(self._spec(("info", "--format", _VERSION_AND_NODE), QUERY_SECONDS), "Docker's swarm")
        version, node = json_words(output.out)
        known = one_line(version.encode()) or "unknown"
        major = re.match(r"(\d+)\.", version)
        if major is None or int(major[1]) < OLDEST_CLIENT:
            raise InfrastructureError(
                f"Docker's client here is {known}, which has no `docker stack config`",
                f"install a client of version {OLDEST_CLIENT} or newer, docker-cli or docker-ce-cli; "
                "the engine may be older",
            )
        return node

    def pull(self, image: str) -> None:
        """Pull an image, unless it was pulled in the last ten minutes: a trial deploys the same images several times.

        Docker's command is used because it has the passwords for registries. Raise RecipeError if there is no such
        image, InfrastructureError if the pull fails for another reason.
        """
        if time.monotonic() - self.pulled.get(image, -_PULLED_SECONDS) < _PULLED_SECONDS:
            return
        spec = evolve(self._spec(("pull", "--quiet", "--", image), _PULL_SECONDS), holding=self.lock)
        output = self._capture(spec)
        _check(output, spec, f"pull {escape_unprintable(image)}", of_recipe=is_not_found(output.err))
        self.pulled[image] = time.monotonic()

    def config(self, files: Sequence[Path], variables: Mapping[str, str], cwd: Path) -> bytes:
        """Merge compose files, and fill in `variables`. Return the result as YAML. No engine is needed.

        The command runs in the folder `cwd`. Its environment has only `variables` and Canon's own variables (CANON_…),
        so that no other variables are filled in. Raise RecipeError if Docker refuses the files, InfrastructureError if
        the command fails for another reason.
        """
        spec = self._spec(("stack", "config", *_files(files)), QUERY_SECONDS)
        marks = {name: value for name, value in spec.env.items() if name.startswith("CANON_")}
        spec = evolve(spec, argv=(self._client, *spec.argv[1:]), env={**variables, **marks}, cwd=cwd)
        return self._run(spec, "docker stack config", of_recipe=True).out

    def deploy(self, stack: str, file: Path, cwd: Path, open_names: Collection[str] = ()) -> None:
        """Deploy the compose file `file` as the stack `stack`, by `docker stack deploy`. Do not wait until it is up.

        Services of the stack that are not in `file` are removed. The command runs in the folder `cwd`. `open_names` are
        the variables without a value in the file. They are removed from the command's environment, so that the command
        does not take values for them from there. If the command fails, raise RecipeError if the recipe is to blame, and
        InfrastructureError if not.
        """
        flags = ("--detach=true", "--prune", "--resolve-image=always", "--with-registry-auth")
        spec = self._spec(("stack", "deploy", *flags, *_files([file]), stack), CHANGE_SECONDS)
        unset_names = sorted({*open_names} & {*self.environment})
        if unset_names:
            unset = (word for name in unset_names for word in ("-u", name))
            spec = evolve(spec, argv=("env", *unset, self._client, *client_flags(self.environment), *spec.argv[1:]))
        self._run(evolve(spec, cwd=cwd, holding=self.lock), "docker stack deploy", of_recipe=True)

    @property
    def _client(self) -> str:
        """Return the path of the `docker` program, for a call whose environment has no PATH.

        If the program is not found, return "docker".
        """
        return shutil.which("docker", path=self.environment.get("PATH", "")) or "docker"

    def _spec(self, argv: Sequence[str], deadline: float) -> CommandSpec:
        return CommandSpec(("docker", *argv), self.environment, Path("/"), deadline)

    def _run(self, spec: CommandSpec, what: str, *, of_recipe: bool = False) -> CapturedOutput:
        output = self._capture(spec)
        _check(output, spec, what, of_recipe=of_recipe)
        return output

    def _capture(self, spec: CommandSpec) -> CapturedOutput:
        output = capture(spec, _MOST_BYTES)
        if output.result.missing:
            raise InfrastructureError("docker: not found in PATH", "install Docker's client: docker-cli or docker.io")
        return output


def json_words(output: bytes) -> tuple[str, str]:
    """Return the first two words of `output` without their JSON quotes: ("28.1", "x7") for b'"28.1" "x7"'.

    A word that is missing is "".
    """
    words = output.decode("utf-8", "replace").split()
    first, second, *_ = [*(json.loads(word) if word.startswith('"') else word for word in words), "", ""]
    return str(first), str(second)


def _check(output: CapturedOutput, spec: CommandSpec, what: str, *, of_recipe: bool = False) -> None:
    """Raise an error if a command failed or took too long.

    * `output`: how the command ended and what it printed.
    * `spec`: the command.
    * `what`: names the command in the message.
    * `of_recipe`: True if the recipe may be to blame.

    The error is a RecipeError if `of_recipe` is True, and Docker refused the command for a reason that may be the
    recipe's fault. In all other cases it is an InfrastructureError.
    """
    if output.result.timed_out:
        late = f"{what}: Docker did not answer within {spec.deadline:.0f} s"
        raise InfrastructureError(late, "look at the log of Docker's engine")
    if not output.ok:
        # A killed client has no exit code above 0, but may have written a warning.
        refused = (output.result.code or 0) > 0 and bool(output.err.strip())
        raise classify_failure(what, output.err, of_recipe=of_recipe and refused)


def _files(files: Sequence[Path]) -> tuple[str, ...]:
    """Return the options that name compose files: ("--compose-file", PATH, …).

    A path with a comma is put in quotes, because Docker reads each value as a line of CSV.
    """
    quoted = (f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if {",", _QUOTE} & {*text} else text for text in map(str, files))
    return tuple(word for file in quoted for word in ("--compose-file", file))
